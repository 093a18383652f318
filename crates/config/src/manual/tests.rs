use serde_json::json;

use super::*;

fn manual() -> Manual {
    let word = |name: &str, meaning: &str| json!({ "type": "string", "const": name, "description": meaning });
    let choice = |name: &str, inner: Value| {
        json!({
            "type": "object", "description": format!("The choice {name}."), "required": [name],
            "properties": { name: inner },
        })
    };
    let adam = json!({
        "type": "object", "description": "Adam.",
        "properties": { "rate": { "type": "number", "default": 1e-3, "description": "The rate." } },
    });
    let changes = [word("flip", "Turned."), choice("rotate", json!({ "type": "number" }))];
    Manual::of(&json!({
        "type": "object",
        "required": ["epochs"],
        "properties": {
            "epochs": { "type": "integer", "description": "How | often." },
            "changes": { "type": "array", "description": "What changes.", "items": { "oneOf": changes } },
            "optimizer": { "description": "How.", "oneOf": [choice("adam", adam)] },
            "sgd": { "type": "object", "properties": { "rate": { "type": "number" } } },
            "size": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "integer" } },
            "ends": { "oneOf": [word("never", "Not at all."), { "type": "array", "description": "Some.", "items": { "type": "number" } }] },
        },
    }))
}

#[test]
fn every_key_is_told_with_its_kind_and_default() {
    let manual = manual();
    let told = |key| {
        let entry = manual.get(key).unwrap();
        (entry.kind.as_str(), entry.default.as_deref(), entry.required)
    };
    assert_eq!(told("epochs"), ("whole number", None, true));
    assert_eq!(told("optimizer"), ("table of one key", None, false));
    assert_eq!(told("optimizer.adam.rate"), ("number", Some("0.001"), false));
    assert_eq!(told("size"), ("list of 2 whole numbers", None, false));
    assert_eq!(told("ends"), ("word, or list of numbers", None, false));
    assert_eq!(told("changes"), ("list of choices", None, false));
}

#[test]
fn the_range_of_a_number_is_part_of_its_kind() {
    let share = json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 });
    let manual = Manual::of(&json!({ "properties": {
        "share": share,
        "shares": { "type": "array", "items": share },
        "either": { "oneOf": [{ "type": "string", "const": "none" }, { "type": "array", "items": share }] },
    } }));
    let kind = |key| manual.get(key).unwrap().kind.as_str();
    assert_eq!(kind("share"), "number, at least 0 and less than 1");
    assert_eq!(kind("shares"), "list of numbers, each at least 0 and less than 1");
    assert_eq!(kind("either"), "word, or list of numbers, each at least 0 and less than 1");
}

#[test]
fn a_choice_is_told_by_its_own_words_before_those_of_what_is_in_it() {
    let manual = manual();
    let adam = manual.get("optimizer.adam").unwrap();
    assert_eq!((adam.description.as_str(), adam.details.as_str()), ("The choice adam.", "Adam."));
    assert_eq!(manual.get("changes.rotate").unwrap().description, "The choice rotate.");
    let names = |key| {
        let choices = manual.get(key).unwrap().choices.iter();
        choices.map(|choice| choice.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("changes"), ["\"flip\""]);
    assert_eq!(names("ends"), ["\"never\"", "list of numbers"]);
}

#[test]
fn a_place_in_a_list_is_passed_over() {
    assert_eq!(manual().get("changes.3.rotate").unwrap().key, "changes.rotate");
}

#[test]
fn only_the_keys_directly_in_a_table_are_below_it() {
    let manual = manual();
    let below = |key| manual.below(key).map(|entry| entry.key.clone()).collect::<Vec<_>>();
    assert_eq!(below("optimizer"), ["optimizer.adam"]);
    assert_eq!(below(""), ["changes", "ends", "epochs", "optimizer", "sgd", "size"]);
}

#[test]
fn a_key_that_is_none_is_taken_for_what_ends_with_it_or_is_most_like_it() {
    let manual = manual();
    assert_eq!(manual.meant("rate"), ["optimizer.adam.rate", "sgd.rate"]);
    assert_eq!(manual.meant("optimiser.adam.rate"), ["optimizer.adam.rate"]);
    assert!(manual.meant("zzz").is_empty());
}

#[test]
fn the_page_has_a_table_for_each_table_with_its_words_and_without_stray_bars() {
    let page = manual().markdown();
    for line in [
        "| `epochs` | whole number | required | How \\| often. |",
        "## optimizer.adam\n\nThe choice adam.\n\nAdam.\n",
        "| `rate` | number | `0.001` | The rate. |",
        "## changes\n\nWhat changes.\n\n- `\"flip\"`: Turned.\n\n| Key",
        "| `ends` | word, or list of numbers |  | <br>`\"never\"`: Not at all.<br>`list of numbers`: Some. |",
    ] {
        assert!(page.contains(line), "no {line:?} in:\n{page}");
    }
}
