# shellcheck shell=bash
# With a far end that keeps to RFC 1662 and asks for asyncmap 0, the bridge converts (RFC 1662 section 6):
#  - the far end's asyncmap is acknowledged, so it may send, and is sent, control octets as they are;
#  - the client, on Ethernet, is never asked about an asyncmap (RFC 2516 section 7).
wire ac client
session asyncmap 0
wait_log 60 far-end.log 'sent \[LCP ConfReq .*<asyncmap 0x0>'
wait_log 60 far-end.log 'rcvd \[LCP ConfAck .*<asyncmap 0x0>'
absent 'rcvd \[LCP Conf.*asyncmap' client.log
pings 20 1492
