#![no_main]

#[path = "../targets/experiment.rs"]
mod experiment;
#[path = "../targets/image.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target::read(bytes));
