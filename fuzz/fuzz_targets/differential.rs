#![no_main]

libfuzzer_sys::fuzz_target!(
    init: kiln_fuzz::second_reader::let_it_panic(),
    |text: &str| kiln_fuzz::second_reader::run(text)
);
