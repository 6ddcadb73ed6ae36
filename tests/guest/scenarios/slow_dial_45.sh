# shellcheck shell=bash
# When a dial takes 45 seconds, longer than the client goes on with LCP that nobody answers, so that it begins anew in the meantime:
#  - the client gets through;
#  - there was one dial, however often the client asked.
slow_dial 45
