# shellcheck shell=bash
# With a far end that asks for XON and XOFF to be escaped (asyncmap a0000), as modems with software flow control do:
#  - the far end's asyncmap is acknowledged;
#  - not one XON or XOFF goes to the modem unescaped;
#  - random octets arrive whole all the same.
wire ac client
session asyncmap a0000
wait_log 60 far-end.log 'rcvd \[LCP ConfAck .*<asyncmap 0xa0000>'
absent 'rcvd \[LCP Conf.*asyncmap' client.log
transfer both 1000000
order count
wait_log 60 modem.log 'count .* xon_xoff_to_modem=0$'
