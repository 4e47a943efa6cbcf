#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| kiln_fuzz::patch::run(text));
