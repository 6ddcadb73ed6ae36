# shellcheck shell=bash
# With a far end that takes every octet, escaped or not:
#  - discovery shows the access concentrator's name and its service;
#  - a session comes up with IPv4 and IPv6;
#  - 200 pings as large as the MTU, and 200 small ones, are answered, all of them;
#  - 8 MB over TCP arrive whole, each way.
wire ac client
modem -- "${LAX[@]}"
daemon eth0
wait_ac
on client pppoe-discovery -I eth0 -t 2 -a 1 | tee discovery.log
grep -q "Access-Concentrator: $AC_NAME" discovery.log
grep -q "Service-Name: $SERVICE" discovery.log

client eth0
wait_session
pings 200 1492
pings 200 64
ping6_peer
transfer both 8000000
