use serde_json::json;

use super::*;

fn manual() -> Manual {
    let string = |name: &str, meaning: &str| json!({ "type": "string", "const": name, "description": meaning });
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
    let changes = [string("flip", "Turned."), choice("rotate", json!({ "type": "number" }))];
    Manual::of(&json!({
        "type": "object",
        "required": ["epochs"],
        "properties": {
            "epochs": { "type": "integer", "description": "Number | of epochs." },
            "changes": { "type": "array", "description": "The changes.", "items": { "oneOf": changes } },
            "optimizer": { "description": "The optimizer.", "oneOf": [choice("adam", adam)] },
            "sgd": { "type": "object", "properties": { "rate": { "type": "number" } } },
            "size": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "integer" } },
            "ends": { "oneOf": [string("never", "Disabled."), { "type": "array", "description": "Some.", "items": { "type": "number" } }] },
        },
    }))
}

#[test]
fn every_key_has_its_type_and_default() {
    let manual = manual();
    let entry = |key| {
        let entry = manual.get(key).unwrap();
        (entry.kind.as_str(), entry.default.as_deref(), entry.required)
    };
    assert_eq!(entry("epochs"), ("integer", None, true));
    assert_eq!(entry("optimizer"), ("single-key table", None, false));
    assert_eq!(entry("optimizer.adam.rate"), ("number", Some("0.001"), false));
    assert_eq!(entry("size"), ("array of 2 integers", None, false));
    assert_eq!(entry("ends"), ("string, or array of numbers", None, false));
    assert_eq!(entry("changes"), ("array of choices", None, false));
}

#[test]
fn the_range_of_a_number_is_part_of_its_type() {
    let share = json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 });
    let manual = Manual::of(&json!({ "properties": {
        "share": share,
        "shares": { "type": "array", "items": share },
        "either": { "oneOf": [{ "type": "string", "const": "none" }, { "type": "array", "items": share }] },
    } }));
    let kind = |key| manual.get(key).unwrap().kind.as_str();
    assert_eq!(kind("share"), "number, at least 0 and less than 1");
    assert_eq!(kind("shares"), "array of numbers, each at least 0 and less than 1");
    assert_eq!(kind("either"), "string, or array of numbers, each at least 0 and less than 1");
}

#[test]
fn the_description_of_a_variant_precedes_that_of_its_table() {
    let manual = manual();
    let adam = manual.get("optimizer.adam").unwrap();
    assert_eq!((adam.description.as_str(), adam.details.as_str()), ("The choice adam.", "Adam."));
    assert_eq!(manual.get("changes.rotate").unwrap().description, "The choice rotate.");
    let names = |key| {
        let choices = manual.get(key).unwrap().choices.iter();
        choices.map(|choice| choice.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("changes"), ["\"flip\""]);
    assert_eq!(names("ends"), ["\"never\"", "array of numbers"]);
}

#[test]
fn indices_of_arrays_are_ignored() {
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
fn keys_that_end_with_an_unknown_key_or_the_most_similar_one_are_suggested() {
    let manual = manual();
    assert_eq!(manual.suggestions("rate"), ["optimizer.adam.rate", "sgd.rate"]);
    assert_eq!(manual.suggestions("optimiser.adam.rate"), ["optimizer.adam.rate"]);
    assert!(manual.suggestions("zzz").is_empty());
}

#[test]
fn the_page_has_a_section_for_each_table_and_escapes_bars() {
    let page = manual().markdown();
    for line in [
        "| `epochs` | integer | required | Number \\| of epochs. |",
        "## optimizer.adam\n\nThe choice adam.\n\nAdam.\n",
        "| `rate` | number | `0.001` | The rate. |",
        "## changes\n\nThe changes.\n\n- `\"flip\"`: Turned.\n\n| Key",
        "| `ends` | string, or array of numbers |  | <br>`\"never\"`: Disabled.<br>`array of numbers`: Some. |",
    ] {
        assert!(page.contains(line), "no {line:?} in:\n{page}");
    }
}
