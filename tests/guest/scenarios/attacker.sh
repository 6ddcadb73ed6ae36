# shellcheck shell=bash
# With an attacker on the segment, a session between two others:
#  - cannot be ended by the attacker's PADT;
#  - cannot be entered: LCP sent with its number from another MAC address never reaches the modem;
#  - does not notice 20000 random and broken frames, nor a flood of PADIs and PADRs from made-up addresses.
segment ac client attacker
session "${LAX[@]}"
ac=$(mac ac)
attack() { on attacker "$guest/attacker" eth0 "$@"; }

attack padt "$ac" "$(session_id)" 20
attack session "$ac" "$(session_id)" c02105050004 20
settle
attack flood "$ac" 2000 "${SEED:-$RANDOM}"
attack random "$ac" 20000 "${SEED:-$RANDOM}"
settle
pings 50 1492
kill -0 "$daemon"
absent 'rcvd \[LCP TermReq' far-end.log
absent 'rcvd \[LCP TermReq\|Modem hangup' client.log
[ "$(grep -c 'PPP session is' client.log)" = 1 ]
