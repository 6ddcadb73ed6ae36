# shellcheck shell=bash
# When the far end is gone, without a word (the modem says NO CARRIER) or by ending the session with LCP:
#  - the client's session ends within a second;
#  - the daemon lives on;
#  - the next dial works.
wire ac client
session "${LAX[@]}"
for ending in nocarrier terminate; do
    before=$(mark client.log)
    told=$(cut -d' ' -f1 /proc/uptime)
    order $ending
    ended=$(when 60 client.log 'LCP terminated by peer\|Modem hangup' "$before")
    holds "$ended - $told <= 1"
    wait_end 60 "$client" || :
    kill -0 "$daemon"

    wait_ac
    client eth0
    wait_session 60 "$before"
    pings 5 1492
done
