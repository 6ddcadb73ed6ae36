# shellcheck shell=bash
# With three modems in two services on two interfaces, one of them a VLAN, from one configuration file:
#  - three clients are connected at once, each through the modem that the policy of its service chooses, and all ping;
#  - a fourth that was offered the last modem is told why it came too late, and then it is offered nothing; the log and
#    `status` say why, and the others do not notice;
#  - clients that come back in another order have the modems that they had before, as the policy is sticky.
segment ac alice bob carol dave
vlan ac 7
vlan carol 7
for number in 1 2 3; do modem_number $number -- "${LAX[@]}"; done
cat >/run/ac.toml <<'TOML'
ac_name = "guest-ac"
[modem.one]
device = "/run/tty1"
[modem.two]
device = "/run/tty2"
[modem.three]
device = "/run/tty3"
[service.office]
modems = ["two", "one"]
pool = "sticky"
[service.guests]
modems = ["three"]
[interface.eth0]
services = ["office"]
[interface."eth0.7"]
services = ["guests"]
TOML
bridge ac
on dave "$guest/attacker" eth0 probe --service office --wait 60
if on dave "$guest/attacker" eth0 probe --service guests --wait 1; then fail "guests offered on the interface of office"; fi

call alice eth0 office
alice=$client
wait_call 60 alice 2
read -r ac cookie < <(on dave "$guest/attacker" eth0 cookie --service office)
call bob eth0 office
bob=$client
call carol eth0.7 guests
wait_call 60 bob 1
wait_call 60 carol 3

refusal=$(on dave "$guest/attacker" eth0 ask "$ac" office "$cookie")
[ "$refusal" = 'AC-System-Error: every modem of this service is in use' ] || fail "refused with: $refusal"
wait_log 60 ac.log "$(mac dave) on eth0: refused: every modem of this service is in use"

before=$(mark ac.log)
call dave eth0 office
dave=$client
ping_through 2 alice &
first=$!
ping_through 1 bob &
second=$!
ping_through 3 carol
wait $first
wait $second
wait_log 60 ac.log "$(mac dave) on eth0: not offered office: every modem of this service is in use" "$before"
on ac "$BRIDGE" status --control /run/ac.control >status.log
grep '^office  *2  *0 of 2  *busy  *two, one' status.log
grep '^three  */run/tty3  *online' status.log
absent PADO dave.log
kill -TERM "$dave"
wait_end 60 "$dave" || :
absent 'Modem hangup\|TermReq' alice.log
absent 'Modem hangup\|TermReq' bob.log
absent 'Modem hangup\|TermReq' carol.log

before=$(mark ac.log)
kill -TERM "$alice" "$bob"
wait_end 60 "$alice" || :
wait_end 60 "$bob" || :
for name in one two; do wait_log 60 ac.log "$name: idle" "$before"; done
before=$(mark bob.log)
call bob eth0 office persist maxfail 0 holdoff 1
wait_call 60 bob 1 "$before"
before=$(mark alice.log)
call alice eth0 office persist maxfail 0 holdoff 1
wait_call 60 alice 2 "$before"
ping_through 1 bob
ping_through 2 alice
ping_through 3 carol
