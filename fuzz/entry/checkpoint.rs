#![no_main]

#[path = "../targets/fixture.rs"]
mod fixture;
#[path = "../targets/checkpoint.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target::read(bytes));
