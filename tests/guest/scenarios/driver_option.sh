# shellcheck shell=bash
# The real option, the driver of most 3G and 4G sticks: it has no speeds to set, and tells of whole writes.
stick_session option
grep -q 'has no speeds' daemon.log || fail "the driver has a speed"
