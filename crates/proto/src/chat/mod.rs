//! chat(8) scripts and their conversation with a modem.
