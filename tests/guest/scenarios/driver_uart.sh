# shellcheck shell=bash
# A UART (8250), with its real driver, and a modem at the end of a serial cable: all gets through, both ways.
wire ac client
cable /dev/ttyS1 /dev/ttyS2 -- "${STRICT[@]}"
daemon eth0
wait_ac
client
wait_session
pings 20 1492
ping6_peer
transfer both 100000
