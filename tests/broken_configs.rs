//! Invalid configs and overrides: exit code 2, the source line in the message, no files written.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::test_dir::{TINY, TestDir};

/// Name of the problem, text of `tiny.toml`, its replacement, and expected parts of the message.
type Edit<'a> = (&'a str, &'a str, &'a str, &'a [&'a str]);

impl TestDir {
    /// Asserts that the program fails with `code` and `words` in its message, and changes no file.
    #[track_caller]
    pub fn refuses(&self, args: &[&str], code: i32, words: &[&str]) {
        let before = self.contents("");
        self.trainer(args).refused(code, words);
        self.assert_unchanged("", &before);
    }

    /// Contents of every file under `directory`; those of a directory are empty.
    pub fn contents(&self, directory: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect_files(&self.path(directory), &mut files);
        files
    }

    /// Asserts that `directory` has these contents.
    #[track_caller]
    pub fn assert_unchanged(&self, directory: &str, before: &BTreeMap<PathBuf, Vec<u8>>) {
        let now = self.contents(directory);
        let names = before.keys().chain(now.keys());
        let changed: Vec<_> = names.filter(|name| before.get(*name) != now.get(*name)).collect();
        assert!(changed.is_empty(), "a failed command changed files: {changed:?}");
    }
}

fn collect_files(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
            files.insert(path, Vec::new());
        } else if !is_log_or_lock(&path) {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
}

/// Returns true for the files that a refused resume changes.
fn is_log_or_lock(path: &Path) -> bool {
    path.ends_with("run.log") || path.ends_with("lock")
}

/// Runs every test case, and panics with the names of those that failed.
pub fn run_cases<'a>(cases: impl IntoIterator<Item = (&'a str, impl FnOnce())>) {
    let mut failed = Vec::new();
    for (name, test) in cases {
        println!("case: {name}");
        if catch_unwind(AssertUnwindSafe(test)).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "these cases failed: {failed:?}");
}

fn refuse_each(edits: &[Edit]) {
    run_cases(edits.iter().map(|&(case, from, to, words)| {
        let test = move || {
            assert!(TINY.contains(from), "{from:?} is not in tiny.toml");
            let dir = TestDir::new();
            dir.write("tiny.toml", TINY.replacen(from, to, 1));
            dir.refuses(&["--config", "tiny.toml"], 2, words);
        };
        (case, test)
    }));
}

fn refuse_overrides(cases: &[(&str, &[&str])]) {
    run_cases(cases.iter().map(|&(assignment, words)| {
        let args = ["--config", "tiny.toml", "--set", assignment];
        (assignment, move || TestDir::new().refuses(&args, 2, words))
    }));
}

#[test]
fn a_file_that_is_not_a_config_is_rejected_with_a_remedy() {
    let cases: [(&str, &[&str]); 4] = [
        ("nowhere.toml", &["nowhere.toml", "No such file", "give the path of a TOML file"]),
        ("data", &["the config data: Is a directory", "give the path of a TOML file"]),
        ("latin.toml", &["latin.toml", "UTF-8", "give the path of a TOML file"]),
        ("empty.toml", &["empty.toml", "the key `name` is missing", "add it"]),
    ];
    let dir = TestDir::new();
    dir.write("latin.toml", b"name = \"h\xe4nde\"");
    dir.write("empty.toml", "");
    run_cases(cases.map(|(file, words)| {
        let dir = &dir;
        (file, move || dir.refuses(&["--config", file], 2, words))
    }));
}

#[test]
fn a_syntax_error_is_underlined() {
    refuse_each(&[
        ("unclosed table", "[split]", "[split", &["tiny.toml:8:7", "expected `]`", "8 | [split"]),
        (
            "unquoted text",
            "\"train.h5\"",
            "train h5",
            &["tiny.toml:5:9", "must be quoted", "5 | train"],
        ),
        (
            "unterminated text",
            "\"tiny\"",
            "\"tiny",
            &["tiny.toml:1:13", "1 | name", "expected `\"`"],
        ),
        (
            "a duplicate key",
            "epochs = 3",
            "epochs = 3\nepochs = 4",
            &["tiny.toml:19:1", "duplicate key", "19 | epochs = 4"],
        ),
        (
            "a duplicate table",
            "[training]",
            "[split]\n[training]",
            &["tiny.toml:17:2", "duplicate key", "17 | [split]"],
        ),
        ("no value", "epochs = 3", "epochs", &["tiny.toml:18:7", "expected `=`", "18 | epochs"]),
    ]);
}

#[test]
fn a_deeply_nested_config_is_rejected_with_a_short_message() {
    let dir = TestDir::new();
    dir.write("deep.toml", format!("name = {}", "[".repeat(50_000)));
    let output = dir.trainer(&["--config", "deep.toml"]);
    output.refused(2, &["deep.toml:1:", "recurs"]);
    assert!(output.stderr.len() < 1000, "a message of {} bytes", output.stderr.len());
}

#[test]
fn an_unknown_key_gets_a_suggestion_in_every_table() {
    refuse_each(&[
        ("a table", "[split]", "[spilt]", &["tiny.toml:8:2", "`spilt`", "did you mean `split`?"]),
        (
            "dataset.hdf5",
            "directory =",
            "direktory =",
            &["tiny.toml:4:1", "`direktory`", "did you mean `directory`?"],
        ),
        (
            "split",
            "validation_fraction",
            "validation_faction",
            &["tiny.toml:9:1", "`validation_faction`", "did you mean `validation_fraction`?"],
        ),
        ("model.mlp", "hidden", "hiden", &["tiny.toml:12:1", "`hiden`", "did you mean `hidden`?"]),
        (
            "optimizer.adam",
            "learning_rate",
            "learnin_rate",
            &["tiny.toml:15:1", "`learnin_rate`", "did you mean `learning_rate`?"],
        ),
        (
            "training",
            "batch_size",
            "batchsize",
            &["tiny.toml:19:1", "`batchsize`", "did you mean `batch_size`?"],
        ),
        (
            "input",
            "[split]",
            "[input]\nnormalisation = \"none\"\n[split]",
            &["tiny.toml:9:1", "`normalisation`", "did you mean `normalization`?"],
        ),
        (
            "training.checkpoint",
            "[training]",
            "[training.checkpoint]\nkeep_lst = 1\n[training]",
            &["tiny.toml:18:1", "`keep_lst`", "did you mean `keep_last`?"],
        ),
        (
            "training.early_stopping",
            "[training]",
            "[training.early_stopping]\npatiense = 1\n[training]",
            &["tiny.toml:18:1", "`patiense`", "did you mean `patience`?"],
        ),
        (
            "schedule",
            "[training]",
            "[schedule]\nwarm_up_epochs = 1\n[training]",
            &["tiny.toml:18:1", "`warm_up_epochs`", "did you mean `warmup_epochs`?"],
        ),
    ]);
}

#[test]
fn an_unknown_choice_gets_a_suggestion() {
    refuse_each(&[
        ("model", "[model.mlp]", "[model.mpl]", &["tiny.toml:11:1", "`mpl`", "`mlp`"]),
        (
            "optimizer",
            "[optimizer.adam]",
            "[optimizer.adan]",
            &["tiny.toml:14:12", "did you mean `adam`?"],
        ),
        ("dataset", "[dataset.hdf5]", "[dataset.hdf]", &["tiny.toml:3:10", "did you mean `hdf5`?"]),
        (
            "schedule",
            "\n[dataset",
            "schedule.decay = \"cosin\"\n[dataset",
            &["tiny.toml:2:18", "did you mean `cosine`?"],
        ),
        (
            "activation",
            "[8]",
            "[8]\nactivation = \"rellu\"",
            &["tiny.toml:13:14", "`rellu`", "did you mean `relu`?"],
        ),
        (
            "on_missing",
            "\"test.h5\"",
            "\"test.h5\"\non_missing = \"synthesise\"",
            &["tiny.toml:7:14", "did you mean `synthesize`?"],
        ),
    ]);
}

#[test]
fn a_choice_requires_exactly_one_table() {
    refuse_each(&[
        (
            "two optimizers",
            "[training]",
            "[optimizer.sgd]\n[training]",
            &["tiny.toml:14:2", "choose exactly one"],
        ),
        (
            "two data sets",
            "[training]",
            "[dataset.synthetic]\n[training]",
            &["tiny.toml:3:2", "choose exactly one"],
        ),
        (
            "no model",
            "[model.mlp]\nhidden = [8]",
            "[model]",
            &["tiny.toml:11:1", "choose exactly one"],
        ),
        (
            "a name for a choice with required keys",
            "\n[dataset",
            "schedule.decay = \"step\"\n[dataset",
            &["tiny.toml:2:18", "schedule.decay", "`factor` is missing"],
        ),
        (
            "a number for a choice",
            "\n[dataset",
            "schedule.decay = 3\n[dataset",
            &["tiny.toml:2:18", "such as `[optimizer.adam]`"],
        ),
    ]);
}

#[test]
fn a_value_of_the_wrong_type_is_underlined_with_the_expected_type() {
    refuse_each(&[
        (
            "text for a number",
            "1e-2",
            "\"fast\"",
            &["tiny.toml:15:17", "\"fast\"", "expected a number"],
        ),
        (
            "a fraction for a count",
            "epochs = 3",
            "epochs = 2.5",
            &["tiny.toml:18:10", "`2.5`", "expected a non-negative integer"],
        ),
        (
            "a negative count",
            "batch_size = 16",
            "batch_size = -16",
            &["tiny.toml:19:14", "`-16`", "expected a non-negative integer"],
        ),
        ("a number for a name", "\"tiny\"", "7", &["tiny.toml:1:8", "`7`", "a string in quotes"]),
        ("a number for a path", "\"train.h5\"", "7", &["tiny.toml:5:9", "`7`", "a path in quotes"]),
        ("a number for an array", "[8]", "8", &["tiny.toml:12:10", "`8`", "such as `[1, 2]`"]),
        (
            "a number for a boolean",
            "[optimizer.adam]\nlearning_rate = 1e-2",
            "[optimizer.sgd]\nnesterov = 1",
            &["tiny.toml:15:12", "`1`", "`true` or `false`"],
        ),
        (
            "a table for a number",
            "fraction = 0.2",
            "fraction = {}",
            &["tiny.toml:9:23", "expected a number"],
        ),
        (
            "a seed too large for any integer",
            "\n[dataset",
            "seed = 99999999999999999999\n[dataset",
            &["tiny.toml:2:8", "`99999999999999999999`", "expected a non-negative integer"],
        ),
    ]);
}

#[test]
fn a_learning_rate_must_be_positive_and_finite_in_single_precision() {
    let rate = "learning_rate = 1e-2";
    let words = ["tiny.toml:15:17", "optimizer.adam.learning_rate", "greater than 0"];
    refuse_each(&[
        ("not a number", rate, "learning_rate = nan", &words),
        ("infinite", rate, "learning_rate = inf", &words),
        ("negative", rate, "learning_rate = -1e-3", &words),
        ("zero", rate, "learning_rate = 0", &words),
        ("too large", rate, "learning_rate = 1e39", &words[..2]),
    ]);
}

#[test]
fn the_decay_rates_of_adam_must_be_below_one_in_single_precision() {
    let rate = "learning_rate = 1e-2";
    refuse_each(&[
        ("one", rate, "beta_1 = 1", &["tiny.toml:15:10", "optimizer.adam.beta_1", "less than 1"]),
        (
            "one in single precision",
            rate,
            "beta_2 = 0.99999999999",
            &["tiny.toml:15:10", "optimizer.adam.beta_2", "less than 1"],
        ),
        (
            "epsilon of zero",
            rate,
            "epsilon = 0",
            &["tiny.toml:15:11", "epsilon", "0 is not between"],
        ),
    ]);
}

#[test]
fn counts_and_fractions_out_of_range_are_rejected_with_the_range() {
    refuse_each(&[
        (
            "no epochs",
            "epochs = 3",
            "epochs = 0",
            &["tiny.toml:18:10", "training.epochs", "0 is not", "between 1 and"],
        ),
        (
            "an empty batch",
            "batch_size = 16",
            "batch_size = 0",
            &["tiny.toml:19:14", "training.batch_size", "0 is not", "between 1 and"],
        ),
        (
            "a batch that is too large",
            "batch_size = 16",
            "batch_size = 1000000000",
            &["tiny.toml:19:14", "training.batch_size", "1000000000 is not", "between 1 and"],
        ),
        (
            "nothing left to train on",
            "fraction = 0.2",
            "fraction = 1.0",
            &["tiny.toml:9:23", "split.validation_fraction", "1 is not", "less than 1"],
        ),
        (
            "a negative fraction",
            "fraction = 0.2",
            "fraction = -0.1",
            &["tiny.toml:9:23", "split.validation_fraction", "-0.1 is not", "at least 0"],
        ),
        (
            "a layer without units",
            "[8]",
            "[8, 0]",
            &["tiny.toml:12:10", "model.mlp.hidden", "between 1 and 65536"],
        ),
        (
            "too many layers",
            "[8]",
            &format!("[{}]", "1, ".repeat(1001)),
            &["tiny.toml:12:10", "model.mlp.hidden", "1001 layers are given; at most 1000"],
        ),
        (
            "a layer too wide",
            "[8]",
            "[8, 65537]",
            &["tiny.toml:12:10", "model.mlp.hidden", "between 1 and 65536"],
        ),
        (
            "no checkpoint kept",
            "[training]",
            "[training.checkpoint]\nkeep_last = 0\n[training]",
            &["tiny.toml:18:13", "training.checkpoint.keep_last", "0 is not", "between 1 and"],
        ),
        (
            "no patience",
            "[training]",
            "[training.early_stopping]\npatience = 0\n[training]",
            &["tiny.toml:18:12", "training.early_stopping.patience", "0 is not", "between 1 and"],
        ),
        (
            "a final fraction above one",
            "[training]",
            "[schedule.decay.cosine]\nfinal_fraction = 1.5\n[training]",
            &["tiny.toml:18:18", "schedule.decay.cosine.final_fraction", "1.5 is not", "0 and 1"],
        ),
    ]);
}

#[test]
fn invalid_keys_of_the_course_experiments_are_rejected() {
    let training = |table: &str| format!("{table}\n[training]");
    let objective = training("[objective]\nl2 = -1.0");
    let clipping = training("[training.gradient_clipping]\nnorm = 0.0");
    let both = training("[training.gradient_clipping]\nnorm = 1.0\nvalue = 1.0");
    let step = training("[schedule.decay.step]\nevery_epochs = 2");
    let reference = training("[reference]\nsource = \"a\"\ntolerance = 2.0");
    refuse_each(&[
        (
            "a dropout without its layer",
            "[8]",
            "[8]\ndropout = [0.1, 0.2]",
            &["tiny.toml:13:11", "model.mlp.dropout", "2 probabilities for 1 hidden layers"],
        ),
        (
            "a dropout of one",
            "[8]",
            "[8]\ndropout = [1.0]",
            &["tiny.toml:13:11", "model.mlp.dropout", "less than 1"],
        ),
        (
            "a negative slope below zero",
            "[8]",
            "[8]\nnegative_slope = -0.1",
            &["tiny.toml:13:18", "-0.1 is not between 0 and 1"],
        ),
        (
            "a momentum of one",
            "[optimizer.adam]\nlearning_rate = 1e-2",
            "[optimizer.sgd]\nmomentum = 1.0",
            &["tiny.toml:15:12", "optimizer.sgd.momentum", "less than 1"],
        ),
        (
            "nesterov without momentum",
            "[optimizer.adam]\nlearning_rate = 1e-2",
            "[optimizer.sgd]\nnesterov = true",
            &["tiny.toml:15:12", "needs `momentum`"],
        ),
        ("a negative penalty", "[training]", &objective, &["tiny.toml:18:6", "objective.l2"]),
        ("a norm of zero", "[training]", &clipping, &["tiny.toml:18:8", "greater than 0"]),
        ("two kinds of clipping", "[training]", &both, &["choose exactly one"]),
        ("a step without its factor", "[training]", &step, &["`factor` is missing", "add it"]),
        (
            "a tolerance above one",
            "[training]",
            &reference,
            &["19 | tolerance = 2.0", "reference.tolerance", "2 is not between 0 and 1"],
        ),
        (
            "an accumulation of zero",
            "epochs = 3",
            "epochs = 3\naccumulation = 0",
            &["tiny.toml:19:16", "training.accumulation", "between 1 and"],
        ),
        (
            "a report every zero epochs",
            "epochs = 3",
            "epochs = 3\nreport_every_epochs = 0",
            &["tiny.toml:19:23", "training.report_every_epochs", "between 1 and"],
        ),
    ]);
}

#[test]
fn invalid_settings_of_generated_points_are_rejected() {
    let points = "[dataset.points]\nshape = \"moons\"";
    let files = "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\ntest = \"test.h5\"";
    let cases: [(&str, &[&str]); 5] = [
        ("shape = \"flower\"\ntrain = 3", &["tiny.toml:5:9", "3 is odd"]),
        ("factor = 0.5", &["tiny.toml:5:10", "only `shape = \"circles\"` has a factor"]),
        ("seed = 4294967295", &["tiny.toml:5:8", "between 0 and 4294967294"]),
        ("noise = -1", &["tiny.toml:5:9", "-1 is not between 0 and 10"]),
        ("shape = \"moon\"", &["tiny.toml:4:9", "did you mean `moons`?"]),
    ];
    for (line, words) in cases {
        let own = format!("[dataset.points]\n{line}");
        let more = format!("{points}\n{line}");
        let text = if line.starts_with("shape") { own } else { more };
        refuse_each(&[(line, files, &text, words)]);
    }
}

#[test]
fn extends_cannot_be_set_by_an_override() {
    let words = ["extends", "only a file can extend another"];
    TestDir::new().refuses(&["--config", "tiny.toml", "--set", "extends=a.toml"], 2, &words);
}

#[test]
fn a_name_must_be_a_valid_directory_name() {
    let long = format!("\"{}\"", "n".repeat(65));
    let names = ["\"\"", "\"../tiny\"", "\"/tmp/tiny\"", "\"a b\"", "\"tiny\\u0000\"", &long];
    for name in names {
        let words = ["tiny.toml:1:8", name, "1 to 64 letters, digits, `-` or `_`"];
        refuse_each(&[(name, "\"tiny\"", name, &words)]);
    }
}

#[test]
fn a_missing_key_or_table_is_named() {
    refuse_each(&[
        ("the name", "name = \"tiny\"", "", &["tiny.toml", "`name` is missing", "add it"]),
        (
            "a table",
            "[model.mlp]\nhidden = [8]",
            "",
            &["tiny.toml", "the key `model` is missing", "add it"],
        ),
        (
            "a key of a table",
            "epochs = 3",
            "",
            &["tiny.toml:17:1", "`epochs` is missing", "add it"],
        ),
        (
            "a file of the data set",
            "train = \"train.h5\"",
            "",
            &["tiny.toml:3:", "`train` is missing", "add it"],
        ),
    ]);
}

#[test]
fn contradictory_keys_are_rejected() {
    refuse_each(&[
        (
            "early stopping without a validation set",
            "[split]\nvalidation_fraction = 0.2",
            "[training.early_stopping]\npatience = 2",
            &["tiny.toml:8:", "training.early_stopping", "set `split.validation_fraction`"],
        ),
        (
            "a validation file and a fraction",
            "\"test.h5\"",
            "\"test.h5\"\nvalidation = \"validation.h5\"",
            &["tiny.toml:10:23", "split.validation_fraction", "remove this key or that file"],
        ),
        (
            "a reference test accuracy without a test set",
            "test = \"test.h5\"\n",
            "[reference]\nsource = \"a book\"\ntest_accuracy = 0.9\n",
            &["tiny.toml:8:17", "reference.test_accuracy", "no test set", "`split.test_fraction`"],
        ),
        (
            "a test set and a fraction",
            "fraction = 0.2",
            "fraction = 0.2\ntest_fraction = 0.2",
            &["tiny.toml:10:17", "split.test_fraction", "has a test set of its own"],
        ),
    ]);
}

#[test]
fn all_problems_of_a_config_are_shown_at_once() {
    let dir = TestDir::new();
    let text = TINY.replace("epochs = 3", "epochs = 0").replace("1e-2", "-1");
    dir.write("tiny.toml", text.replace("[8]", "[0]"));
    let words =
        ["3 problems", "tiny.toml:12:10", "12 | hidden", "15 | learning_rate", "18 | epochs"];
    dir.refuses(&["--config", "tiny.toml"], 2, &words);
    let text = TINY.replace("[8]", "[8").replace("1e-2", "\"fast\"");
    dir.write("tiny.toml", text.replace("batch_size", "bs"));
    let words = [
        "3 problems",
        "tiny.toml:12:10",
        "`]` is missing",
        "15 | learning_rate",
        "expected a number",
        "19 | bs",
        "did you mean `batch_size`?",
    ];
    dir.refuses(&["--config", "tiny.toml"], 2, &words);
}

#[test]
fn an_unknown_device_in_a_config_lists_those_of_this_build() {
    let to = "device = \"abacus\"\n[dataset";
    refuse_each(&[("device", "\n[dataset", to, &["`abacus`", "use flex, ndarray"])]);
}

#[test]
fn a_malformed_override_is_rejected() {
    refuse_overrides(&[
        ("training.epochs", &["training.epochs: there is no `=`", "KEY=VALUE"]),
        ("training.epochs.first=1", &["`epochs` is not a table", "tiny.toml:18:10"]),
        ("=5", &["override =5", "write for example"]),
        ("training epochs=5", &["override training epochs=5", "write for example"]),
        ("#seed=5", &["override #seed=5", "write for example"]),
        ("[training] # epochs=5", &["override [training] # epochs=5", "write for example"]),
    ]);
}

#[test]
fn an_invalid_value_in_an_override_is_reported_with_the_override() {
    refuse_overrides(&[
        (
            "optimizer.adam.learnin_rate=1",
            &["optimizer.adam.learnin_rate = 1", "did you mean `learning_rate`?"],
        ),
        (
            "training.epochs=many",
            &["training.epochs = \"many\"", "expected a non-negative integer"],
        ),
        ("training.epochs=", &["training.epochs = \"\"", "expected a non-negative integer"]),
        ("training.epochs=0", &["training.epochs = 0", "between 1 and"]),
        ("model=mpl", &["unknown choice `mpl`", "`mlp`, `cnn`, `resnet`"]),
        ("dataset=hdf5", &["dataset = \"hdf5\"", "the key `directory` is missing"]),
        ("epochs=3", &["epochs = 3", "did you mean `training.epochs`?"]),
        ("lr=1e-3", &["did you mean `optimizer.adam.learning_rate`?"]),
        ("optimizer.adam.lr=1e-3", &["did you mean `learning_rate`?"]),
        ("bs=8", &["did you mean `training.batch_size`?"]),
        ("training.wd=0.1", &["did you mean `optimizer.adamw.weight_decay`?"]),
        ("momentum=0.9", &["did you mean `optimizer.sgd.momentum`?"]),
        ("training=3", &["training = 3", "`3`", "expected a table"]),
    ]);
}

#[test]
fn a_diverging_run_fails_before_it_saves_a_checkpoint() {
    let one_step = ["training.epochs=1", "training.batch_size=64"].map(|key| ["--set", key]);
    let rate = ["--set", "optimizer.adam.learning_rate=1e37"];
    let args = [["--config", "tiny.toml"], rate].concat();
    let cases = [("several steps", args.clone()), ("one step", [args, one_step.concat()].concat())];
    run_cases(cases.iter().map(|(case, args)| {
        let test = move || {
            let dir = TestDir::new();
            dir.trainer(args).refused(1, &["NaN", "lower the learning rate", "no checkpoint yet"]);
            assert_eq!(dir.names("runs/tiny/checkpoints"), [""; 0]);
        };
        (*case, test)
    }));
}

#[test]
fn a_run_whose_rollbacks_do_not_help_fails_with_the_original_error() {
    let dir = TestDir::new();
    let rate = ["--set", "optimizer.adam.learning_rate=1e37"];
    let back = ["--set", "training.on_nan=rollback"];
    let output = dir.trainer(&[&["--config", "tiny.toml"][..], &rate, &back].concat());
    output.refused(
        1,
        &["NaN", "epoch 1", "with half the learning rate (rollback 10)", "lower the learning rate"],
    );
    assert_eq!(dir.names("runs/tiny/checkpoints"), ["epoch-000001-step-000000"]);
    assert_eq!(dir.read("runs/tiny/metrics.jsonl"), "");
}

#[test]
fn synthetic_data_require_a_test_file_and_no_validation_file() {
    refuse_each(&[
        (
            "no test file",
            "test = \"test.h5\"",
            "on_missing = \"synthesize\"",
            &["tiny.toml:6:14", "dataset.hdf5.on_missing", "set `test`"],
        ),
        (
            "a validation file",
            "test = \"test.h5\"",
            "test = \"test.h5\"\nvalidation = \"v.h5\"\non_missing = \"synthesize\"",
            &["tiny.toml:8:14", "dataset.hdf5.on_missing", "set `test` but not `validation`"],
        ),
    ]);
}
