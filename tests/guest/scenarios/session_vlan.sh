# shellcheck shell=bash
# On a VLAN interface:
#  - a session comes up and carries full-size pings and TCP;
#  - neither another VLAN on the same parent, nor the untagged parent, is offered anything;
#  - the other VLAN sees no PPPoE frame of the access concentrator.
wire ac client
vlan ac 7 8
vlan client 7 8
modem -- "${LAX[@]}"
daemon eth0.7
wait_ac eth0.7
capture client eth0.8 other-vlan.log "and ether src $(mac ac eth0.7)"
if on client "$guest/attacker" eth0.8 probe --wait 1; then fail "an offer on another VLAN"; fi
if on client "$guest/attacker" eth0 probe --wait 1; then fail "an offer on the untagged parent"; fi

client eth0.7
wait_session
pings 50 1492
transfer both 1000000
absent PPPoE other-vlan.log
