# shellcheck shell=bash
# When the modem is pulled out during a session:
#  - the client hears of the session's end within a second;
#  - the daemon lives on;
#  - plugged in again, as a new device under the same name, the modem serves again.
wire ac client
session "${LAX[@]}"
order unplug
pulled=$(when 60 modem.log unplugged)
ended=$(when 60 client.log 'LCP terminated by peer\|Modem hangup')
holds "$ended - $pulled <= 1"
wait_end 60 "$client" || :
kill -0 "$daemon"

order plug
before=$(mark client.log)
wait_ac
client eth0
wait_session 60 "$before"
pings 5 1492
