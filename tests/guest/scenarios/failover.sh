# shellcheck shell=bash
# With two bridges on one segment, each with a modem of its own, the second of which holds its offers back:
#  - the client comes up through the first;
#  - when its modem is pulled out, the client comes back through the second, within ten seconds and with no word about
#    either in its configuration;
#  - with the modem plugged in again, the next call is the first bridge's.
segment attic cellar client
for number in 1 2; do modem_number $number -- "${LAX[@]}"; done
cat >/run/attic.toml <<'TOML'
[modem.stick]
device = "/run/tty1"
[service.internet]
[interface.eth0]
TOML
cat >/run/cellar.toml <<'TOML'
[modem.stick]
device = "/run/tty2"
[service.internet]
pado_delay = "500ms"
[interface.eth0]
TOML
bridge attic
attic=$daemon
wait_ac
bridge cellar
wait_log 60 cellar.log 'ready'
call client eth0 "$SERVICE" persist maxfail 0 holdoff 1
wait_call 60 client 1
ping_through 1 client

before=$(mark client.log)
order unplug modem-1
pulled=$(when 60 modem-1.log unplugged)
back=$(when 60 client.log 'local  IP address' "$before")
echo "the client was back after $(awk "BEGIN { print $back - $pulled }") s"
wait_call 60 client 2 "$before"
ping_through 2 client
holds "$back - $pulled <= 10"
kill -0 "$attic"

before=$(mark attic.log)
order plug modem-1
wait_log 60 attic.log ": idle" "$before"
before=$(mark client.log)
kill -HUP "$client"
wait_call 60 client 1 "$before"
ping_through 1 client
