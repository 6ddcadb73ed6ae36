# shellcheck shell=bash
# When a dial takes 4 seconds, as long as the bridge waits before it answers:
#  - the client gets through;
#  - there was one dial, however often the client asked.
slow_dial 4
