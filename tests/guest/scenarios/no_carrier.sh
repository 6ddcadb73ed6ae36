# shellcheck shell=bash
# When the far end is gone, without a word (the modem says NO CARRIER) or by ending the session with LCP:
#  - the client's session ends within a few seconds;
#  - the daemon lives on;
#  - the next dial works.
wire ac client
session "${LAX[@]}"
for ending in nocarrier terminate; do
    before=$(mark client.log)
    order $ending
    wait_log 10 client.log 'LCP terminated by peer\|Modem hangup' "$before"
    wait_end 20 "$client" || :
    kill -0 "$daemon"

    wait_ac
    client eth0
    wait_session 30 "$before"
    pings 5 1492
done
