# shellcheck shell=bash
# With one modem and two hosts that want it:
#  - a second host gets no offer while the first is alive, and the first does not notice;
#  - once the first is dead, without a word, the second gets the modem within 20 seconds.
segment ac client other
session "${LAX[@]}"
if on other "$guest/attacker" eth0 probe --wait 8; then fail "the live client's modem was offered"; fi
pings 50 1492
absent 'Modem hangup\|TermReq' client.log

# The cable of the first host is cut: it can neither answer nor say goodbye.
ip -n client link set eth0 down
cut=$(cut -d' ' -f1 /proc/uptime)
ip netns exec other /usr/sbin/pppd plugin rp-pppoe.so nic-eth0 rp_pppoe_service "$SERVICE" persist maxfail 0 holdoff 1 \
    nodetach noauth debug logfd 1 noipdefault user guest nodeflate nobsdcomp > >(stamp >other.log) 2>&1 &
got=$(when 60 other.log 'remote IP address')
echo "the second host had the modem $(awk "BEGIN { print $got - $cut }") s after the first was cut off"
holds "$got - $cut <= 20"
