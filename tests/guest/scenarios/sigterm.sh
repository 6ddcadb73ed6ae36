# shellcheck shell=bash
# When the daemon is told to stop during a session:
#  - it ends with status 0 within five seconds;
#  - the client is told, by LCP Terminate-Request or PADT;
#  - the modem's call ends.
wire ac client
session "${LAX[@]}"
kill -TERM "$daemon"
wait_end 5 "$daemon"
wait_log 60 client.log 'rcvd \[LCP TermReq\|Modem hangup'
wait_log 60 modem.log 'line closed\|DTR dropped\|far end ended'
wait_end 60 "$client" || :
