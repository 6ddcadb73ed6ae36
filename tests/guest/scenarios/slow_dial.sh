# shellcheck shell=bash
# When a dial takes 12 seconds, longer than the client waits before it asks again:
#  - the client gets through;
#  - there was one dial, however often the client asked.
slow_dial 12
