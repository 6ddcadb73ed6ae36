# shellcheck shell=bash
# On a link with an MTU of 1508, with a client that asks for PPP-Max-Payload 1500 (RFC 4638):
#  - the access concentrator grants it;
#  - IP packets of 1500 octets pass unfragmented.
wire ac client 1508
modem -- "${LAX[@]}" mru 1500 mtu 1500
daemon eth0
wait_ac
client eth0 mru 1500 mtu 1500
wait_session
grep -A2 'Recv .* PADS' client.log | grep -q 'PPP-max-payload  *05 dc' || fail "PPP-Max-Payload was not granted"
pings 20 1500
