//! PPP control packets in pppd's notation, for people.
