//! Rewrites the messages of serde for the author of a config, with suggestions for typos.

/// Names of types in serde's messages and in ours.
const TYPES: [(&str, &str); 11] = [
    ("struct ", "a table"),
    ("usize", "a non-negative integer"),
    ("u64", "a non-negative integer"),
    ("u32", "a non-negative integer"),
    ("f64", "a number"),
    ("f32", "a number"),
    ("a boolean", "a boolean, `true` or `false`"),
    ("a string", "a string in quotes"),
    ("path string", "a path in quotes"),
    ("a sequence", "an array such as `[1, 2]`"),
    ("a map", "a table"),
];

/// Rewrites the `message` of serde, with a remedy where possible.
pub fn explain(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown_in("key", rest);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown_in("choice", rest);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("the key {name} is missing: add it");
    }
    if message.starts_with("wanted string or table") {
        return "expected a choice: a string, or a table with one key such as `[optimizer.adam]`"
            .into();
    }
    if message.starts_with("wanted exactly 1 element") || message.ends_with(" variant") {
        return "choose exactly one: a table with one key, such as `[optimizer.adam]`".into();
    }
    rename_types(message)
}

/// Returns the message that `name` is not one of the `known` ones, with the most similar one.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let synonym = known.iter().copied().find(|known| *known == canonical(name));
    match synonym.or_else(|| nearest(name, known)) {
        Some(similar) => format!("unknown {what} `{name}`: did you mean `{similar}`?"),
        None => format!("unknown {what} `{name}`: expected one of {}", list(known)),
    }
}

fn unknown_in(what: &str, rest: &str) -> String {
    let mut names = rest.split('`').skip(1).step_by(2);
    let name = names.next().unwrap_or(rest);
    unknown(what, name, &names.collect::<Vec<_>>())
}

/// Returns the most similar one of the `known` names, if any is similar.
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
    let invalid = ["invalid type: ", "invalid value: "];
    let invalid = invalid.iter().find_map(|prefix| message.strip_prefix(prefix));
    let Some((found, expected)) = invalid.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let found = found.trim_end_matches(" as i128");
    let plain = TYPES.iter().find(|(serde, _)| expected.starts_with(serde));
    format!("expected {}, found {found}", plain.map_or(expected, |(_, plain)| plain))
}

/// Names of a key elsewhere, and its name here.
const SYNONYMS: [(&[&str], &str); 28] = [
    (&["lr", "learningrate", "base_lr", "init_lr", "alpha", "step_size"], "learning_rate"),
    (&["wd", "decay_rate", "weightdecay"], "weight_decay"),
    (&["bs", "batch", "batchsize", "minibatch_size"], "batch_size"),
    (&["epoch", "num_epochs", "n_epochs", "max_epochs", "nb_epoch"], "epochs"),
    (&["beta1", "betas", "rho"], "beta_1"),
    (&["beta2"], "beta_2"),
    (&["eps"], "epsilon"),
    (&["optim", "opt", "optimiser"], "optimizer"),
    (&["arch", "architecture", "net", "network"], "model"),
    (&["data", "datasets"], "dataset"),
    (&["augment", "augmentations", "aug", "transforms"], "augmentation"),
    (&["scheduler", "lr_scheduler", "lr_schedule"], "schedule"),
    (&["warmup", "warmup_steps", "num_warmup_epochs"], "warmup_epochs"),
    (&["loss", "criterion", "regularization"], "objective"),
    (&["hidden_size", "hidden_sizes", "hidden_layers", "units"], "hidden"),
    (&["dropout_rate", "drop_rate", "p_dropout"], "dropout"),
    (&["activation_fn", "nonlinearity"], "activation"),
    (&["smoothing", "label_smooth"], "label_smoothing"),
    (&["clip", "grad_clip", "clip_grad", "clipnorm", "max_grad_norm"], "gradient_clipping"),
    (&["random_seed", "random_state", "rng_seed"], "seed"),
    (&["val_split", "val_fraction", "validation_split"], "validation_fraction"),
    (&["test_split", "test_size"], "test_fraction"),
    (&["accumulate", "grad_accum", "gradient_accumulation_steps"], "accumulation"),
    (&["num_workers", "n_workers"], "workers"),
    (&["normalize", "standardize"], "normalization"),
    (&["std", "stdev", "standard_deviation"], "deviation"),
    (&["ratio", "aspect_ratio"], "aspect"),
    (&["val", "valid", "validation_set"], "validation"),
];

/// Returns the name here of a key that is called `name` elsewhere.
pub fn canonical(name: &str) -> &str {
    let name_of = |(names, own): &(&[&str], &'static str)| names.contains(&name).then_some(*own);
    SYNONYMS.iter().find_map(name_of).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn the_most_similar_key_is_suggested_for_a_misspelt_one() {
        let message = "unknown field `learnin_rate`, expected one of `learning_rate`, `beta_1`";
        assert_eq!(explain(message), "unknown key `learnin_rate`: did you mean `learning_rate`?");
    }

    #[test]
    fn all_keys_are_listed_if_none_is_similar() {
        assert_eq!(
            explain("unknown field `zzz`, expected `hidden` or `activation`"),
            "unknown key `zzz`: expected one of `hidden`, `activation`"
        );
    }

    #[test]
    fn a_wrong_type_is_reported_with_the_expected_one() {
        assert_eq!(
            explain("invalid type: string \"ten\", expected usize"),
            "expected a non-negative integer, found string \"ten\""
        );
    }

    #[test]
    fn a_value_that_looks_like_a_message_of_serde_is_not_rewritten() {
        let message = "invalid type: string \"a variant\", expected usize";
        assert!(
            explain(message).starts_with("expected a non-negative integer"),
            "{}",
            explain(message)
        );
    }
}
