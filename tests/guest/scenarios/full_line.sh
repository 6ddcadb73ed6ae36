# shellcheck shell=bash
# On a line of 460,800 b/s that an upload fills, a ping takes less than 30 ms longer than on the idle line, no LCP echo is
# lost, and the upload arrives whole.
#
# Medians are compared, as a guest is held up now and then by the machine it runs on; both means are told. What the mean
# is on a machine that never does is measured in virtual time (crates/proto/src/queue/simulation.rs).
wire ac client
modem --line-rate 460800 -- "${LAX[@]}"
daemon eth0 --line-rate 460800 --log-level debug
wait_ac
client eth0 lcp-echo-interval 1 lcp-echo-failure 2
wait_session

# median COUNT LOG: the median round trip of so many pings, in milliseconds; all must be answered.
median() {
    on client ping -i 0.2 -c "$1" -W 5 "$FAR_IP" >"$2"
    grep -q ' 0% packet loss' "$2" || fail "pings were lost: $(grep loss "$2")"
    sed -n 's/.* time=\([0-9.]*\) ms$/\1/p' "$2" | sort -n | sed -n "$((($1 + 1) / 2))p"
}

idle=$(median 20 idle.log)
transfer there 800000 &
upload=$!
wait_log 20 transfer.log listening
until [ "$(on isp cat /sys/class/net/ppp0/statistics/rx_bytes)" -gt 100000 ]; do settle >/dev/null; done
busy=$(median 50 busy.log)
kill -0 "$upload" || fail "the upload ended before the pings did"
echo "idle: median $idle ms, $(grep ^rtt idle.log)"
echo "during the upload: median $busy ms, $(grep ^rtt busy.log)"
wait "$upload"
holds "$busy - $idle < 30"
# The last echo may still be under way.
asked=$(grep -c 'host sent .*EchoReq' daemon.log)
answered=$(grep -c 'modem sent .*EchoRep' daemon.log)
echo "$asked LCP echoes, $answered answered"
holds "$asked > 10 && $asked - $answered <= 1"
