# shellcheck shell=bash
# When a bridge with three sessions is told by SIGHUP that its configuration has changed:
#  - a modem and an interface that were added serve a fourth client;
#  - a file that is wrong changes nothing, and the log says where it is wrong;
#  - the pings of the first three, under way all the time, are all answered.
segment ac alice bob carol dave
vlan ac 7
vlan carol 7
vlan ac 8
vlan dave 8
for number in 1 2 3 4; do modem_number $number -- "${LAX[@]}"; done
cat >/run/ac.toml <<'TOML'
ac_name = "guest-ac"
[modem.one]
device = "/run/tty1"
[modem.two]
device = "/run/tty2"
[modem.three]
device = "/run/tty3"
[service.office]
modems = ["one", "two"]
[service.guests]
modems = ["three"]
[interface.eth0]
services = ["office"]
[interface."eth0.7"]
services = ["guests"]
TOML
bridge ac
on dave "$guest/attacker" eth0 probe --service office --wait 60
call alice eth0 office
wait_call 60 alice 1
call bob eth0 office
wait_call 60 bob 2
call carol eth0.7 guests
wait_call 60 carol 3
if on dave "$guest/attacker" eth0 probe --service office --wait 1; then fail "an offer without a free modem"; fi

pings=()
ping_on() {
    ip netns exec "$1" ping -i 0.2 -W 5 "$(far_ip "$2")" >"$1-ping.log" 2>&1 &
    pings+=($!)
    wait_log 60 "$1-ping.log" 'icmp_seq=5 '
}
ping_on alice 1
ping_on bob 2
ping_on carol 3

# A slip of the pen, beside a change that would be valid.
cp /run/ac.toml /run/good.toml
cat >>/run/ac.toml <<'TOML'
[modem.four]
device = "/run/tty4"
speeed = 9600
TOML
before=$(mark ac.log)
kill -HUP "$daemon"
wait_log 60 ac.log 'speeed' "$before"
if on dave "$guest/attacker" eth0 probe --service office --wait 1; then fail "half of an invalid file is in force"; fi

sed -e 's/"one", "two"/"one", "two", "four"/' -e '/eth0.7/i [interface."eth0.8"]\nservices = ["office"]' \
    /run/good.toml >/run/ac.toml
cat >>/run/ac.toml <<'TOML'
[modem.four]
device = "/run/tty4"
TOML
kill -HUP "$daemon"
on dave "$guest/attacker" eth0.8 probe --service office --wait 60
call dave eth0.8 office
wait_call 60 dave 4
ping_through 4 dave

for name in alice bob carol; do
    next=$(($(grep -c 'icmp_seq' "$name-ping.log") + 5))
    wait_log 60 "$name-ping.log" "icmp_seq=$next "
    # The last one may still be under way; before it none is missing.
    awk -F 'icmp_seq=' 'NF > 1 && $2 + 0 != ++answers { exit 1 }' "$name-ping.log" || fail "pings of $name were lost"
    absent 'Modem hangup\|TermReq' "$name.log"
done
kill -TERM "${pings[@]}"
