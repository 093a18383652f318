//! Files that extend others.

use super::*;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

const RULES: Rules = Rules { choices: &["optimizer"], not_inherited: &["reference"] };

/// Folder of config files, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("config-{}-{number}", process::id()));
        fs::create_dir_all(folder.join("course")).unwrap();
        let folder = Self(folder.canonicalize().unwrap());
        files.iter().for_each(|(name, text)| fs::write(folder.0.join(name), text).unwrap());
        folder
    }

    /// Deserialises `a.toml`, or returns the error, in which the folder is called `configs`.
    fn read(&self, overrides: &[&str]) -> Result<Config, String> {
        let overrides: Vec<_> = overrides.iter().map(|text| (*text).to_owned()).collect();
        Document::read(&self.0.join("a.toml"), &overrides, RULES)
            .and_then(|document| document.deserialize())
            .map_err(|error| self.message(&error))
    }

    fn message(&self, error: &ConfigError) -> String {
        error.to_string().replace(&self.0.display().to_string(), "configs")
    }

    #[track_caller]
    fn refuses(&self, words: &[&str]) {
        let message = self.read(&[]).unwrap_err();
        for word in words {
            assert!(message.contains(word), "no {word:?} in:\n{message}");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Creates `a.toml` that extends `base.toml`.
fn pair(file: &str, base: &str) -> Folder {
    let file = format!("extends = \"base.toml\"\n{file}");
    Folder::with(&[("a.toml", &file), ("base.toml", base)])
}

/// Creates `count` bases of `a.toml`, each the base of the one before.
fn chain(count: usize) -> Folder {
    let folder = Folder::with(&[("a.toml", "extends = \"1.toml\"")]);
    for number in 1..count {
        let text = format!("extends = \"{}.toml\"", number + 1);
        fs::write(folder.0.join(format!("{number}.toml")), text).unwrap();
    }
    fs::write(folder.0.join(format!("{count}.toml")), TEXT).unwrap();
    folder
}

fn config(epochs: usize, learning_rate: f64) -> Result<Config, String> {
    Ok(Config { epochs, adam: Adam { learning_rate } })
}

#[test]
fn a_file_overrides_its_base_and_an_override_both() {
    let folder = pair("[adam]\nlearning_rate = 0.5", TEXT);
    assert_eq!(folder.read(&[]), config(3, 0.5));
    assert_eq!(folder.read(&["adam.learning_rate=0.1", "epochs=7"]), config(7, 0.1));
}

#[test]
fn a_base_is_relative_to_the_file_that_extends_it() {
    let folder = Folder::with(&[
        ("a.toml", "extends = \"course/b.toml\"\nepochs = 1"),
        ("course/b.toml", "extends = \"../c.toml\"\nepochs = 2\nadam.learning_rate = 0.2"),
        ("c.toml", TEXT),
    ]);
    assert_eq!(folder.read(&[]), config(1, 0.2));
}

#[test]
fn another_variant_than_that_of_the_base_replaces_it() {
    let folder = pair("[optimizer.sgd]\nmomentum = 0.9", "[optimizer.adam]\nbeta_1 = 0.5");
    let document = Document::read(&folder.0.join("a.toml"), &[], RULES).unwrap();
    let table: toml::Table = document.deserialize().unwrap();
    assert_eq!(table, toml::from_str("optimizer.sgd.momentum = 0.9").unwrap());
}

#[test]
fn a_choice_is_inherited_and_its_settings_merged() {
    let folder = pair("[optimizer.adam]\nbeta_1 = 0.5", "[optimizer.adam]\nlearning_rate = 1");
    let document = Document::read(&folder.0.join("a.toml"), &[], RULES).unwrap();
    let table: toml::Table = document.deserialize().unwrap();
    assert_eq!(
        table,
        toml::from_str("optimizer.adam = { learning_rate = 1, beta_1 = 0.5 }").unwrap()
    );
}

#[test]
fn errors_in_a_base_are_reported_there() {
    let unknown = TEXT.replace("learning_rate", "learnin_rate");
    pair("", &unknown).refuses(&[
        "configs/base.toml:4:1\n",
        "4 | learnin_rate = 1e-3\n",
        "unknown key",
    ]);
    pair("", "\n[adam").refuses(&["configs/base.toml:2:6\n", "2 | [adam"]);
    pair("", "epochs = -1")
        .refuses(&["configs/base.toml:1:10\n", "epochs: expected a non-negative integer"]);
}

#[test]
fn errors_in_a_file_with_a_base_are_reported_in_the_file() {
    pair("epoch = 1", TEXT).refuses(&["configs/a.toml:2:1\n", "unknown key `epoch`"]);
    pair("epoch = 1", "epoch = 2").refuses(&["configs/a.toml:2:1\n", "unknown key `epoch`"]);
    pair("epochs = -1", TEXT).refuses(&[
        "configs/a.toml:2:10\n",
        "epochs: expected a non-negative integer",
        "configs/base.toml:1:10\n",
        "- overridden value",
    ]);
    pair("", "epochs = 1").refuses(&["configs/a.toml:1:1\n", "the key `adam` is missing"]);
    pair("[epochs]", TEXT).refuses(&[
        "configs/a.toml:2:1\n",
        "^^^^^^^^ `epochs` is not a table in the config that this overrides",
        "configs/base.toml:1:10\n",
        "- not a table",
    ]);
}

#[test]
fn problems_are_reported_in_the_file_with_the_value() {
    let folder = pair("epochs = 0", TEXT);
    let document = Document::read(&folder.0.join("a.toml"), &[], Rules::default()).unwrap();
    let problem = |key: &str| Problem { key: key.into(), message: "is wrong".into() };
    let error = document.invalid(vec![problem("adam.learning_rate"), problem("epochs")]);
    let message = folder.message(&error);
    let expected = "invalid config: 2 problems\n \
         --> configs/a.toml:2:10\n  \
         |\n\
         2 | epochs = 0\n  \
         |          ^ epochs: is wrong\n  \
         |\n \
         ::: configs/base.toml:1:10\n  \
         |\n\
         1 | epochs = 3\n  \
         |          - overridden value\n\
         ...\n\
         4 | learning_rate = 1e-3\n  \
         |                 ^^^^ adam.learning_rate: is wrong";
    assert_eq!(message, expected);
}

#[test]
fn a_missing_base_is_underlined() {
    let folder = Folder::with(&[("a.toml", "extends = \"course/b.toml\"")]);
    assert_eq!(
        folder.read(&[]).unwrap_err(),
        "invalid config\n \
         --> configs/a.toml:1:11\n  \
         |\n\
         1 | extends = \"course/b.toml\"\n  \
         |           ^^^^^^^^^^^^^^^ extends: cannot read the base configs/course/b.toml: No such \
         file or directory (os error 2): write its path relative to this file"
    );
    fs::write(folder.0.join("course/b.toml"), b"a = \"\xff\"").unwrap();
    folder.refuses(&["configs/a.toml:1:11\n", "configs/course/b.toml: it is not UTF-8"]);
}

#[test]
fn a_base_must_be_a_path() {
    for (value, found) in [("3", "integer"), ("[\"b.toml\"]", "array"), ("{}", "table")] {
        Folder::with(&[("a.toml", &format!("extends = {value}"))]).refuses(&[
            "configs/a.toml:1:11\n",
            "extends: expected a path in quotes",
            &format!("found {found}"),
        ]);
    }
    Folder::with(&[("a.toml", "extends = \"\"")])
        .refuses(&["configs/a.toml:1:11\n", "extends: cannot"]);
}

#[test]
fn a_circular_chain_is_reported() {
    Folder::with(&[
        ("a.toml", "extends = \"course/b.toml\""),
        ("course/b.toml", "extends = \"../a.toml\""),
    ])
    .refuses(&[
        "configs/course/b.toml:1:11\n",
        "extends: these files extend each other, ",
        "configs/a.toml -> configs/course/b.toml -> configs/course/../a.toml: remove one",
    ]);
    Folder::with(&[("a.toml", "extends = \"a.toml\"")])
        .refuses(&["configs/a.toml -> configs/a.toml"]);
}

#[test]
fn eight_bases_are_read_and_a_ninth_is_refused() {
    assert_eq!(chain(8).read(&[]), config(3, 1e-3));
    chain(9).refuses(&["configs/8.toml:1:11\n", "extends: more than 8 bases", "merge some"]);
}

#[test]
fn only_a_file_and_only_its_top_can_extend_another() {
    let folder = pair("", TEXT);
    for argument in ["extends=base.toml", "extends.first=base.toml"] {
        let message = folder.read(&[argument]).unwrap_err();
        assert!(message.contains(&format!("override {argument}: only a file can")), "{message}");
    }
    pair("[adam]\nextends = \"b.toml\"", TEXT)
        .refuses(&["configs/a.toml:3:1\n", "unknown key `extends`"]);
}

#[test]
fn more_than_64_kib_of_text_are_refused() {
    let comment = |length| format!("#{}\n{TEXT}", " ".repeat(length - TEXT.len() - 2));
    let most = 64 << 10;
    assert_eq!(pair("epochs = 1", &comment(most - 100)).read(&["epochs=2"]), config(2, 1e-3));
    pair("", &comment(most + 1)).refuses(&[
        "configs/a.toml:1:11\n",
        "extends: cannot read the base configs/base.toml: it is larger than",
    ]);
    let message = "the config configs/a.toml is larger than 64 KiB with its bases and overrides";
    pair(&comment(most / 2), &comment(most / 2)).refuses(&[message]);
    let folder = Folder::with(&[("a.toml", &"\u{e9}".repeat(most))]);
    folder.refuses(&[message, "give the path of a TOML"]);
}

#[test]
fn a_base_that_is_not_a_file_is_refused_without_waiting() {
    for base in ["/dev/zero", "course", "."] {
        Folder::with(&[("a.toml", &format!("extends = {base:?}"))]).refuses(&[
            "configs/a.toml:1:11\n",
            "extends: cannot read the base",
            "it is not a file",
        ]);
    }
}

#[test]
fn any_file_may_start_with_a_byte_order_mark() {
    let folder = pair("", &format!("\u{feff}{TEXT}"));
    assert_eq!(folder.read(&["epochs=4"]), config(4, 1e-3));
}

#[test]
fn keys_that_are_not_inherited_are_ignored_in_a_base() {
    let base = "epochs = 3\n[reference]\nscore = 1\n[adam]\nlearning_rate = 0.5\n";
    let table = |folder: &Folder| {
        let document = Document::read(&folder.0.join("a.toml"), &[], RULES).unwrap();
        document.deserialize::<toml::Table>().unwrap()
    };
    let without = table(&pair("", base));
    assert!(!without.contains_key("reference") && without.contains_key("epochs"), "{without}");
    let own = table(&pair("[reference]\nother = 2", base));
    assert_eq!(own["reference"].as_table().unwrap().keys().collect::<Vec<_>>(), ["other"]);
}

#[test]
fn each_value_is_commented_with_its_origin() {
    let folder = Folder::with(&[
        ("base.toml", "epochs = 3\n\n[optimizer.adam]\nbeta = 0.5\nrate = 1.0\n"),
        ("a.toml", "extends = \"base.toml\"\n\noptimizer.adam.rate = 0.1\n"),
    ]);
    let overrides = ["seed=4".to_owned()];
    let document = Document::read(&folder.0.join("a.toml"), &overrides, RULES).unwrap();
    let resolved =
        "epochs = 3\nseed = 4\n\n[optimizer.adam]\nbeta = 0.5\nrate = 0.1\nslow = true\n";
    let commented =
        document.with_origins(resolved).replace(&folder.0.display().to_string(), "configs");
    let expected = "epochs = 3   # configs/base.toml:1, extended\n\
                    seed = 4     # override\n\
                    \n\
                    [optimizer.adam]\n\
                    beta = 0.5   # configs/base.toml:4, extended\n\
                    rate = 0.1   # configs/a.toml:3\n\
                    slow = true  # default\n";
    assert_eq!(commented, expected);
}
