//! Origins of values.

use super::*;

#[track_caller]
fn shows(text: &str, resolved: &str, expected: &str) {
    assert_eq!(document(text, &[]).unwrap().with_origins(resolved), expected);
}

#[test]
fn an_array_has_the_line_of_its_start_and_its_tables_their_own() {
    let text = "list = [\n  { a = 1 },\n  { a = 2 },\n]\n";
    shows(text, "list = [{ a = 1 }, { a = 2 }]\n", "list = [{ a = 1 }, { a = 2 }]  # a.toml:1\n");
    let tables = "[[list]]\na = 1  # a.toml:2\n\n[[list]]\na = 2  # a.toml:3\n";
    shows(text, "[[list]]\na = 1\n\n[[list]]\na = 2\n", tables);
}

#[test]
fn a_key_that_is_missing_in_its_table_is_a_default() {
    shows("[adam]\n", "[adam]\nrate = 1\n", "[adam]\nrate = 1  # default\n");
    shows("adam = 1\n", "[adam]\nrate = 1\n", "[adam]\nrate = 1  # default\n");
}
