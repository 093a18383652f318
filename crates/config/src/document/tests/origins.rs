//! Where values come from.

use super::*;

#[track_caller]
fn shows(text: &str, resolved: &str, expected: &str) {
    assert_eq!(document(text, &[]).unwrap().with_origins(resolved), expected);
}

#[test]
fn a_list_is_shown_with_the_place_where_it_begins_and_tables_of_one_with_their_own() {
    let text = "list = [\n  { a = 1 },\n  { a = 2 },\n]\n";
    shows(text, "list = [{ a = 1 }, { a = 2 }]\n", "list = [{ a = 1 }, { a = 2 }]  # a.toml:1\n");
    let tables = "[[list]]\na = 1  # a.toml:2\n\n[[list]]\na = 2  # a.toml:3\n";
    shows(text, "[[list]]\na = 1\n\n[[list]]\na = 2\n", tables);
}

#[test]
fn what_only_the_table_above_says_is_a_default() {
    shows("[adam]\n", "[adam]\nrate = 1\n", "[adam]\nrate = 1  # default\n");
    shows("adam = 1\n", "[adam]\nrate = 1\n", "[adam]\nrate = 1  # default\n");
}
