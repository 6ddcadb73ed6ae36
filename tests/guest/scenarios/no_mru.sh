# shellcheck shell=bash
# With a client that never names an MRU, so that the far end could send up to 1500 octets:
#  - the bridge names one that fits the Ethernet;
#  - the client hears nothing of that;
#  - full-size packets pass both ways, and nothing is dropped.
wire ac client
modem -- "${LAX[@]}"
daemon eth0
wait_ac
client eth0 default-mru
wait_session
absent 'sent \[LCP ConfReq .*<mru' client.log
wait_log 60 far-end.log 'rcvd \[LCP ConfReq .*<mru 1492>'
absent 'rcvd \[LCP ConfAck .*<mru' client.log
pings 20 1492
on isp ping -A -c 20 -s 1464 -M 'do' -W 5 "$CLIENT_IP" >isp.ping
answered 20 isp.ping ||
    fail "full-size packets from the far end were lost"
absent 'exceeds_mtu' daemon.log
