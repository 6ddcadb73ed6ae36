# shellcheck shell=bash
# When a client dies without a word and comes back:
#  - it is through to a session within 10 seconds, however the modem stood;
#  - the daemon lives on.
wire ac client
session "${LAX[@]}"
kill -KILL "$client"
wait "$client" || :
before=$(mark client.log)
back=$(cut -d' ' -f1 /proc/uptime)
client eth0 persist maxfail 0 holdoff 1
up=$(when 60 client.log 'remote IP address' "$before")
holds "$up - $back <= 10"
wait_session 60 "$before"
kill -0 "$daemon"
pings 5 1492
