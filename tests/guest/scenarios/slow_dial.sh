# shellcheck shell=bash
# When a dial takes 12 seconds, longer than the client waits before it asks again:
#  - the client gets through;
#  - there was one dial, however often the client asked.
wire ac client
modem --dial-delay 12 -- "${LAX[@]}"
daemon eth0
wait_ac
client eth0 persist maxfail 0 holdoff 1
wait_session 60
[ "$(grep -c "command 'ATD" modem.log)" = 1 ] || fail "more than one dial"
pings 5 1492
