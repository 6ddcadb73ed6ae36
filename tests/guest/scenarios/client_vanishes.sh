# shellcheck shell=bash
# When a client dies without a word and comes back:
#  - it gets through to a session, however the modem stood;
#  - the daemon lives on.
wire ac client
session "${LAX[@]}"
kill -KILL "$client"
wait "$client" || :
before=$(mark client.log)
client eth0 persist maxfail 0 holdoff 1
wait_session 60 "$before"
kill -0 "$daemon"
pings 5 1492
