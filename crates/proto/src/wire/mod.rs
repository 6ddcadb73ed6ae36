//! Octets to types and back: Ethernet, PPPoE discovery and session, LCP. No state, no policy.
