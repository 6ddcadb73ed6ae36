# shellcheck shell=bash
# Once the far end's asyncmap 0 is agreed, random data costs less than 1.5 % on the serial line, framing and escapes
# together: octets on the line against octets of the IP packets they carry.
wire ac client
session "${STRICT[@]}"
transfer there 4000000
order count
count=$(wait_log 5 modem.log 'count to_modem=')
on_line=${count#*to_modem=}
on_line=${on_line%% *}
in_packets=$(on isp cat /sys/class/net/ppp0/statistics/rx_bytes)
echo "$on_line octets on the line for $in_packets of IP"
holds "$on_line < $in_packets * 1.015"
