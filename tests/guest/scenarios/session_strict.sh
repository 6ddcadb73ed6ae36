# shellcheck shell=bash
# With a far end that keeps to RFC 1662 and drops control octets that are not escaped as long as nothing else is agreed:
#  - a session comes up with IPv4 and IPv6;
#  - 100 pings as large as the MTU, and 100 small ones, are answered, all of them;
#  - 8 MB over TCP arrive whole, each way.
wire ac client
session "${STRICT[@]}"
pings 100 1492
pings 100 64
ping6_peer
transfer both 8000000
