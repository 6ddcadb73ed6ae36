#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bridge_fuzz::bodies::hdlc::deframer(octets));
