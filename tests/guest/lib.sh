# shellcheck shell=bash
# What scenarios are made of. Sourced by tests/guest/scenario, in a directory for logs, with `set -eEu -o pipefail`.
#
# Hosts are network namespaces: `ac` runs the daemon, `client` pppd as the PPPoE client, `isp` the modem with its far end.
# Nothing waits for a length of time; every wait is for an event and has a limit in seconds, at which the scenario fails.
# These limits are long: the machine may be busy. How soon something is to happen is told by times in the logs (holds).

AC_NAME=guest-ac
SERVICE=internet
LINE=/run/ttyModem                # the serial port the modem offers
FAR_IP=10.64.64.1 CLIENT_IP=10.64.64.2
STRICT=(asyncmap 0)               # a far end that keeps to RFC 1662: unescaped control octets are dropped until agreed
LAX=(asyncmap 0 receive-all)      # one that takes everything, as many sticks do

fail() {
    echo "$*" >&2
    return 1
}

# Whether a condition on numbers holds: holds "$took <= 1".
holds() { awk "BEGIN { exit !($1) }" || fail "not so: $1"; }

# Each line of standard input with the uptime at which it came.
stamp() {
    local line time
    while IFS= read -r line; do
        read -r time _ </proc/uptime
        printf '%s %s\n' "$time" "$line"
    done
}

# Hosts and wires ---------------------------------------------------------------------------------------------------

host() {
    ip netns add "$1"
    ip -n "$1" link set lo up
}

on() {
    local host=$1
    shift
    ip netns exec "$host" "$@"
}

# capture HOST INTERFACE LOG [FILTER]: PPPoE as tcpdump writes it, a line a packet.
capture() {
    ip netns exec "$1" tcpdump -l -n -e -i "$2" "(ether proto 0x8863 or ether proto 0x8864) ${4:-}" >"$3" 2>&1 &
    wait_log 60 "$3" 'listening on'
}

# wire HOST HOST [MTU]: two new hosts, eth0 in each, joined by a veth pair.
wire() {
    host "$1"
    host "$2"
    ip link add "$1" type veth peer name "$2"
    plug_in "$1" "${3:-1500}"
    plug_in "$2" "${3:-1500}"
}

# segment HOST...: new hosts on one Ethernet segment, joined by a bridge.
segment() {
    host switch
    ip -n switch link add segment type bridge forward_delay 0
    ip -n switch link set segment up
    local name
    for name; do
        host "$name"
        ip link add "$name" type veth peer name "to-$name"
        ip link set "to-$name" netns switch
        ip -n switch link set "to-$name" master segment up
        plug_in "$name" 1500
    done
}

plug_in() {
    ip link set "$1" netns "$1" name eth0 mtu "$2"
    ip -n "$1" link set eth0 up
}

# vlan HOST ID...: eth0.ID for each.
vlan() {
    local host=$1 id
    shift
    for id; do
        ip -n "$host" link add link eth0 name "eth0.$id" type vlan id "$id"
        ip -n "$host" link set "eth0.$id" up
    done
}

mac() { on "$1" cat "/sys/class/net/${2:-eth0}/address"; }

# Waiting -----------------------------------------------------------------------------------------------------------

# wait_log LIMIT LOG PATTERN [FIRST_LINE]: until a line from FIRST_LINE on matches; prints it.
wait_log() {
    touch "$2"
    timeout "$1" grep -m1 -e "$3" < <(tail -n "+${4:-1}" -F "$2" 2>/dev/null || :) ||
        fail "no /$3/ in $2 (from line ${4:-1}) within $1 s"
}

# The number of a log's next line, for waiting on something that is still to come.
mark() { echo $(($(wc -l <"$1") + 1)); }

# The uptime at which the first matching line was stamped.
when() { wait_log "$@" | cut -d' ' -f1; }

# wait_end LIMIT PID: until a process started here has ended; its exit status.
wait_end() {
    timeout "$1" tail -f /dev/null --pid="$2" || fail "process $2 still runs after $1 s"
    wait "$2"
}

# Modem, daemon and client ------------------------------------------------------------------------------------------

# modem [OPTION...] -- [PPPD OPTION...]: the modem, on the host isp; logs: modem.log, far-end.log.
modem() { plug_in_modem modem "$LINE" "$FAR_IP:$CLIENT_IP" "$@"; }

# modem_number N [OPTION...] -- [PPPD OPTION...]: one of several, at /run/ttyN, whose far end (far_ip N) gives its caller
# 10.64.N.2; logs: modem-N.log, far-end-N.log.
modem_number() {
    local number=$1
    shift
    plug_in_modem "modem-$number" "/run/tty$number" "$(far_ip "$number"):10.64.$number.2" \
        --far-end-log "far-end-$number.log" "$@"
}

far_ip() { echo "10.64.$1.1"; }

# plug_in_modem NAME LINE ADDRESSES [OPTION...] -- [PPPD OPTION...]: on the host isp, until it is plugged in.
plug_in_modem() {
    local name=$1 line=$2 addresses=$3 options=()
    shift 3
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    [ -e /run/netns/isp ] || host isp
    ip netns exec isp "$guest/modem" --line "$line" --control "/run/$name.orders" "${options[@]}" -- \
        /usr/sbin/pppd nodetach noauth debug logfd 1 "$addresses" +ipv6 \
        nodeflate nobsdcomp lcp-max-terminate 1 "$@" >"$name.log" 2>&1 &
    wait_log 60 "$name.log" 'plugged in'
}

# stick DRIVER [OPTION...] -- [PPPD OPTION...]: the modem inside a USB stick, which that driver (acm or option) serves;
# its tty is $LINE. Log: stick.log; it takes orders.
stick() {
    local driver=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    plug_in_modem modem /run/ttyInside "$FAR_IP:$CLIENT_IP" "$@"
    case $driver in acm) LINE=/dev/ttyACM0 ;; option) LINE=/dev/ttyUSB0 ;; esac
    "$guest/stick" --port /run/ttyInside --driver "$driver" --control /run/stick.orders "${options[@]}" \
        > >(stamp >stick.log) 2>&1 &
    wait_device $LINE
}

# cable NEAR FAR -- [PPPD OPTION...]: the modem at the far end of a serial cable between two ttys; $LINE is the near one.
cable() {
    local far=$2
    LINE=$1
    shift 2
    plug_in_modem modem /run/ttyInside "$FAR_IP:$CLIENT_IP" "$@"
    "$guest/cable" /run/ttyInside "$far" >cable.log 2>&1 &
    wait_log 60 cable.log connected
}

# Until a device is there.
wait_device() { timeout 60 sh -c "until [ -c $1 ]; do sleep 0.1; done" || fail "no device $1"; }

# order ORDER [NAME]: to the modem of that name.
order() { echo "$1" >"/run/${2:-modem}.orders"; }

# daemon INTERFACE [OPTION...]: the daemon under test, on the host ac; log: daemon.log; its process id: $daemon.
daemon() {
    local interface=$1
    shift
    cat >/run/chatscript <<'CHAT'
ABORT BUSY ABORT 'NO CARRIER' ABORT ERROR
TIMEOUT 5
'' ATZ
OK AT+CPIN?
OK AT+CGDCONT=1,"IP","internet"
OK ATD*99#
TIMEOUT 60
CONNECT
CHAT
    ip netns exec ac "$BRIDGE" --ac-name="$AC_NAME" --chatscript=/run/chatscript "$@" "$LINE" "$SERVICE" "$interface" \
        > >(stamp >daemon.log) 2>&1 &
    daemon=$!
}

# bridge HOST: a daemon that runs as /run/HOST.toml says; log: HOST.log; its process id: $daemon.
bridge() {
    ip netns exec "$1" "$BRIDGE" --config "/run/$1.toml" --control "/run/$1.control" --log-level debug \
        > >(stamp >"$1.log") 2>&1 &
    daemon=$!
}

# wait_ac [INTERFACE]: until the daemon offers its service to the client; prints its MAC, name and service.
wait_ac() { on client "$guest/attacker" "${1:-eth0}" probe --wait 60 || fail "no offer on ${1:-eth0}"; }

# client [INTERFACE [PPPD OPTION...]]: pppd as the PPPoE client, on the host client; log: client.log; process id: $client.
client() {
    local interface=${1:-eth0}
    shift || :
    call client "$interface" "$SERVICE" "$@"
}

# call HOST INTERFACE SERVICE [PPPD OPTION...]: pppd as a PPPoE client; log: HOST.log; process id: $client.
call() {
    local host=$1 interface=$2 service=$3
    shift 3
    [ -e "$host.log" ] || : >"$host.log"
    ip netns exec "$host" /usr/sbin/pppd plugin rp-pppoe.so "nic-$interface" rp_pppoe_service "$service" \
        nodetach noauth debug logfd 1 noipdefault user guest +ipv6 nodeflate nobsdcomp "$@" \
        > >(stamp >>"$host.log") 2>&1 &
    client=$!
}

# wait_call LIMIT HOST NUMBER [FIRST_LINE]: until HOST has IPv4 through the modem of that number, and no other before.
wait_call() {
    wait_log "$1" "$2.log" 'local  IP address' "${4:-1}" | grep -F "local  IP address 10.64.$3.2" ||
        fail "$2 came up through another modem than number $3"
    on "$2" ping -q -c 1 -i 0.2 -w 60 "$(far_ip "$3")" >/dev/null
}

# wait_session [LIMIT [FIRST_LINE]]: until the client has IPv4 and IPv6 over a session, and the far end answers.
wait_session() {
    wait_log "${1:-60}" client.log 'remote IP address' "${2:-1}"
    wait_log 60 client.log 'remote LL address' "${2:-1}"
    # Its own word comes a moment before the far end is up, too.
    settle >/dev/null
}

# The number of the client's latest session.
session_id() { sed -n 's/.*PPP session is \([0-9]*\).*/\1/p' client.log | tail -n1; }

# An ordinary session, from nothing: both ends, the daemon between them. Options go to the far end's pppd.
session() {
    modem -- "$@"
    daemon eth0
    wait_ac
    client eth0
    wait_session
}

# slow_dial SECONDS: a dial that takes so long comes up without anybody doing anything, and is one dial.
slow_dial() {
    wire ac client
    modem --dial-delay "$1" -- "${LAX[@]}"
    daemon eth0
    wait_ac
    client eth0 persist maxfail 0 holdoff 1
    wait_session 150
    [ "$(grep -c "command 'ATD" modem.log)" = 1 ] || fail "more than one dial"
    pings 5 1492
}

# stick_session DRIVER: a session through a real USB driver:
#  - told no rate, the daemon keeps the line of 460,800 b/s shallow;
#  - the client hears at once of a carrier that is lost without a word, and of a stick that is pulled out, and is
#    served again when it calls again;
#  - the end of a session drops DTR.
stick_session() {
    wire ac client
    stick "$1" --line-rate 460800 -- "${LAX[@]}"
    daemon eth0 --log-level debug
    wait_ac
    order dcd stick
    client eth0 persist maxfail 0 holdoff 1 lcp-echo-interval 1 lcp-echo-failure 10
    wait_session
    pings 20 1492
    # The line itself takes 17 ms longer (crates/proto/src/queue/simulation.rs), and what emulates it some more; with what
    # the driver would take it were 350 ms.
    hardly_waits 70 800000

    stick_ends nodcd 'DCD down'
    wait_log 60 daemon.log 'the carrier was lost'
    stick_ends pull 'pulled out'
    transfer both 100000

    local before
    before=$(mark stick.log)
    kill "$client"
    wait_log 60 stick.log 'DTR down' "$before"
}

# stick_ends ORDER DONE: the session ends as soon as the stick says that it is DONE, and another begins.
stick_ends() {
    local before begun ended
    before=$(mark client.log)
    order "$1" stick
    begun=$(when 60 stick.log "$2")
    ended=$(when 60 client.log 'LCP terminated by peer\|Modem hangup' "$before")
    # At once, and not after echoes that were lost.
    holds "$ended - $begun <= 3"
    [ "$1" != pull ] || order plug stick
    wait_session 60 "$before"
}

# line_cost OCTETS: sends random data to the far end; prints how many octets on the line an octet of IP packet costs.
line_cost() {
    transfer there "$1" >&2
    order count
    local count on_line in_packets
    count=$(wait_log 60 modem.log 'count to_modem=')
    on_line=${count#*to_modem=}
    on_line=${on_line%% *}
    in_packets=$(on isp cat /sys/class/net/ppp0/statistics/rx_bytes)
    echo "$on_line octets on the line for $in_packets of IP" >&2
    awk "BEGIN { print $on_line / $in_packets }"
}

# What must get through ---------------------------------------------------------------------------------------------

# Until the session carries something again, for what follows a flood.
settle() { on client ping -q -c 1 -i 0.2 -w 60 "$FAR_IP"; }

# pings COUNT SIZE: so many pings with SIZE octets of IP packet, unfragmented; none may be lost.
pings() {
    local pace=(-i 0.2)
    [ "$1" -lt 50 ] || pace=(-A)
    on client ping "${pace[@]}" -c "$1" -s "$(($2 - 28))" -M 'do' -W 5 "$FAR_IP" >ping.log
    answered "$1" ping.log || fail "pings of $2 octets were lost"
}

# answered COUNT LOG: whether all of so many pings were, but for the last three: ping(8) waits for those for two round
# trips or one interval, whichever is longer, and takes for lost what comes later.
answered() {
    awk -v count="$1" -F 'icmp_seq=' '
        / time=/ { came[$2 + 0] }
        END { for (n = 1; n <= count - 3; n++) if (!(n in came)) { print "ping " n " was lost"; lost = 1 }; exit lost }
    ' "$2"
}

# ping_beside_upload OCTETS: pings on the idle line, then while an upload of so many octets fills it; $idle and $busy are the
# median round trips, in milliseconds. Medians, as a guest is held up now and then by the machine it runs on.
ping_beside_upload() {
    local upload
    idle=$(median_ping 20 idle.log)
    transfer there "$1" &
    upload=$!
    wait_log 60 transfer.log listening
    until [ "$(on isp cat /sys/class/net/ppp0/statistics/rx_bytes)" -gt 100000 ]; do settle >/dev/null; done
    busy=$(median_ping 50 busy.log)
    kill -0 "$upload" || fail "the upload ended before the pings did"
    echo "idle: median $idle ms, $(grep ^rtt idle.log)"
    echo "during the upload: median $busy ms, $(grep ^rtt busy.log)"
    wait "$upload"
}

# hardly_waits MS OCTETS: a ping's median rises by less than so many milliseconds while an upload of so many octets fills
# the line. What holds up the guest only makes it more, so the best of three counts.
hardly_waits() {
    local try
    for try in 1 2 3; do
        ping_beside_upload "$2"
        if holds "$busy - $idle < $1"; then return; fi
    done
    fail "so in each of $try uploads"
}

# median_ping COUNT LOG: the median round trip of so many pings, in milliseconds; all must be answered.
median_ping() {
    on client ping -i 0.2 -c "$1" -W 5 "$FAR_IP" >"$2"
    answered "$1" "$2" >&2 || fail "pings were lost: $(grep loss "$2")"
    sed -n 's/.* time=\([0-9.]*\) ms$/\1/p' "$2" | sort -n | sed -n "$((($1 + 1) / 2))p"
}

# ping_through N HOST: HOST's session is one with the far end of modem number N, and no ping is lost.
ping_through() {
    on "$2" ping -A -c 20 -W 5 "$(far_ip "$1")" >"$2.ping"
    answered 20 "$2.ping" || fail "pings of $2 through modem $1 were lost"
}

ping6_peer() {
    local peer
    peer=$(sed -n 's/.*remote LL address //p' client.log | tail -n1)
    on client ping -6 -c 6 -i 0.2 -W 5 "$peer%ppp0" >ping6.log
    answered 6 ping6.log || fail "pings of $peer over IPv6 were lost"
}

# transfer ORDER OCTETS: over TCP from the client, see tests/guest/transfer.
transfer() {
    : >transfer.log
    ip netns exec isp "$guest/transfer" serve "$FAR_IP" 9 >transfer.log 2>&1 &
    local server=$!
    wait_log 60 transfer.log listening
    on client timeout 150 "$guest/transfer" "$1" "$FAR_IP" 9 "$2"
    wait_end 60 "$server"
}

# absent PATTERN LOG: no line matches.
absent() { if grep -e "$1" "$2"; then fail "/$1/ is in $2"; fi; }
