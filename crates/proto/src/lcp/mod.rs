//! Mediation between the two ends' LCP (RFC 1661; RFC 1662 §6-7; RFC 2516 §7).
