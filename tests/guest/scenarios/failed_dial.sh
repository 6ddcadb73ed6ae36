# shellcheck shell=bash
# When the first dial fails with BUSY:
#  - the client is told so at once: a PADS with AC-System-Error;
#  - the daemon lives on;
#  - a client that tries again gets through.
wire ac client
modem --fail BUSY -- "${LAX[@]}"
daemon eth0
wait_ac
client eth0 persist maxfail 0 holdoff 1
wait_log 60 modem.log 'answer BUSY'
wait_log 60 client.log 'AC-system-error'
wait_session 60
kill -0 "$daemon"
pings 5 1492
