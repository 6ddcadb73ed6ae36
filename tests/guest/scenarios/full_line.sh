# shellcheck shell=bash
# On a line of 460,800 b/s that an upload fills, a ping hardly takes longer than on the idle line, no LCP echo is lost,
# and the upload arrives whole.
#
# Medians are compared; both means are told. What the mean is on a machine that is never held up is measured in virtual
# time (crates/proto/src/queue/simulation.rs).
wire ac client
modem --line-rate 460800 -- "${LAX[@]}"
daemon eth0 --line-rate 460800 --log-level debug
wait_ac
client eth0 lcp-echo-interval 1 lcp-echo-failure 2
wait_session

hardly_waits 30 800000
# The last echo may still be under way.
asked=$(grep -c 'host sent .*EchoReq' daemon.log)
answered=$(grep -c 'modem sent .*EchoRep' daemon.log)
echo "$asked LCP echoes, $answered answered"
holds "$asked > 10 && $asked - $answered <= 1"
