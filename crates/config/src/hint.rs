//! Serde's words in the user's: what was expected, and which known name is meant.

/// What serde calls a type, and what a config's author calls it.
const TYPES: [(&str, &str); 11] = [
    ("struct ", "a table"),
    ("usize", "a whole number of at least 0"),
    ("u64", "a whole number of at least 0"),
    ("u32", "a whole number of at least 0"),
    ("f64", "a number"),
    ("f32", "a number"),
    ("a boolean", "`true` or `false`"),
    ("a string", "a string in quotes"),
    ("path string", "a path in quotes"),
    ("a sequence", "an array such as `[1, 2]`"),
    ("a map", "a table"),
];

/// Serde's `message`, with the remedy where one can be told.
pub fn explain(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return of_serde("key", rest);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return of_serde("choice", rest);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("the key {name} is missing: add it");
    }
    if message.starts_with("wanted string or table") {
        return "expected a choice: a word in quotes, or a table with one key such as `[optimizer.adam]`".into();
    }
    if message.starts_with("wanted exactly 1 element") || message.ends_with(" variant") {
        return "choose exactly one: a table with one key, such as `[optimizer.adam]`".into();
    }
    rename_types(message)
}

/// That `name` is none of the `known` ones, and which is meant.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(meant) => format!("unknown {what} `{name}`: did you mean `{meant}`?"),
        None => format!("unknown {what} `{name}`: known here are {}", list(known)),
    }
}

fn of_serde(what: &str, rest: &str) -> String {
    let mut names = rest.split('`').skip(1).step_by(2);
    let name = names.next().unwrap_or(rest);
    unknown(what, name, &names.collect::<Vec<_>>())
}

/// The one of `known` that is most like `name`, if any is.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let score = |candidate: &str| strsim::jaro_winkler(name, candidate);
    let best = known.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.75).then_some(best)
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn rename_types(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let found = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
    let found = found.trim_end_matches(" as i128");
    let plain = TYPES.iter().find(|(serde, _)| expected.starts_with(serde));
    format!("expected {}, found {found}", plain.map_or(expected, |(_, plain)| plain))
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest_known_one() {
        let message = "unknown field `learnin_rate`, expected one of `learning_rate`, `beta_1`";
        assert_eq!(explain(message), "unknown key `learnin_rate`: did you mean `learning_rate`?");
    }

    #[test]
    fn a_key_like_no_other_is_answered_with_all_of_them() {
        assert_eq!(
            explain("unknown field `zzz`, expected `hidden` or `activation`"),
            "unknown key `zzz`: known here are `hidden`, `activation`"
        );
    }

    #[test]
    fn a_wrong_type_is_told_in_words() {
        assert_eq!(
            explain("invalid type: string \"ten\", expected usize"),
            "expected a whole number of at least 0, found string \"ten\""
        );
    }

    #[test]
    fn a_value_is_not_taken_for_serdes_words() {
        let message = "invalid type: string \"a variant\", expected usize";
        assert!(explain(message).starts_with("expected a whole number"), "{}", explain(message));
    }
}
