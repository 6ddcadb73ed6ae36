# shellcheck shell=bash
# Once the far end's asyncmap 0 is agreed, random data costs less than 1.5 % on the serial line, framing and escapes
# together: octets on the line against octets of the IP packets they carry.
wire ac client
session "${STRICT[@]}"
cost=$(line_cost 4000000)
holds "$cost < 1.015"
