# shellcheck shell=bash
# What the mediator saves: passed on unchanged, the far end's wish for an asyncmap is refused by the client, as
# RFC 2516 section 7 has it, so every control octet stays escaped: random data costs over 12 % more.
wire ac client
modem -- "${STRICT[@]}"
daemon eth0 --lcp transparent
wait_ac
client eth0
wait_session
wait_log 60 client.log 'sent \[LCP ConfRej .*asyncmap'
cost=$(line_cost 4000000)
holds "$cost > 1.12"
