# shellcheck shell=bash
# When a dial takes 25 seconds, longer than a client waits for its PADS on many systems:
#  - the client gets through;
#  - there was one dial, however often the client asked.
slow_dial 25
