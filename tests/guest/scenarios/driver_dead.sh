# shellcheck shell=bash
# A stick whose firmware dies holds up nobody else: while the kernel waits for it, seconds for each request and half a
# minute for octets that it does not take, the modem beside it goes on. The log says what takes so long, a host that
# calls the stick again is told, and the bridge ends all the same.
segment ac alice bob
stick option -- "${LAX[@]}"
modem_number 2 -- "${LAX[@]}"
cat >/run/ac.toml <<'TOML'
ac_name = "guest-ac"
[modem.stick]
device = "/dev/ttyUSB0"
[modem.beside]
device = "/run/tty2"
[service.dying]
modems = ["stick"]
[service.living]
modems = ["beside"]
[interface.eth0]
TOML
bridge ac
on bob "$guest/attacker" eth0 probe --service living --wait 60
call alice eth0 dying
alice=$client
call bob eth0 living
wait_log 60 alice.log 'remote IP address'
wait_call 60 bob 2

on bob ping -i 0.2 -W 5 "$(far_ip 2)" >bob.ping &
pings=$!
order die stick
wait_log 60 stick.log dead
on ac "$BRIDGE" disconnect --control /run/ac.control "$(sed -n 's/.*PPP session is \([0-9]*\).*/\1/p' alice.log)"
wait_end 60 "$alice" || :
wait_log 60 ac.log 'stick: the device has taken [0-9.]* s to drop DTR'
call alice eth0 dying
# It opens, which takes two requests, and its modem says nothing; or, with octets still to take, it does not even open.
wait_log 60 ac.log 'stick: the dial failed'
kill -TERM "$pings"
wait_end 60 "$pings" || :
answered "$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' bob.ping | tail -n1)" bob.ping || fail "pings were lost beside it"
slowest=$(sed -n 's/.* time=\([0-9.]*\) ms$/\1/p' bob.ping | sort -n | tail -n1)
# Held up by the stick it were the 5000 for which the kernel waits; without, some 20, and more as all is emulated.
holds "$slowest < 2500"

kill -TERM "$daemon"
wait_log 60 ac.log ' ended$'
