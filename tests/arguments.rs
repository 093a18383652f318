//! Positional configs, names of runs, short options.

use crate::test_dir::TestDir;

#[test]
fn a_config_is_an_argument_or_an_option() {
    let dir = TestDir::new();
    let epoch = ["--epochs", "1", "--ui", "plain"];
    let shown = |args: &[&str]| {
        let output = dir.succeed(&[args, &epoch].concat()).stdout;
        output
            .lines()
            .find(|line| line.starts_with("epoch 1/1"))
            .unwrap()
            .chars()
            .take(40)
            .collect::<String>()
    };
    let option = shown(&["--config", "tiny.toml"]);
    assert_eq!(shown(&["train", "tiny.toml"]), option);
    assert_eq!(shown(&["train", "--config", "tiny.toml"]), option);
    assert_eq!(dir.names("runs"), ["tiny", "tiny-2", "tiny-3"]);
    for command in ["gradcheck", "lr-find"] {
        let short = if command == "gradcheck" { "--samples" } else { "--steps" };
        let by_argument = dir.succeed(&[command, "tiny.toml", short, "10"]).stdout;
        let by_option = dir.succeed(&[command, "--config", "tiny.toml", short, "10"]).stdout;
        assert_eq!(by_argument, by_option);
    }
    let both = ["train", "tiny.toml", "--config", "tiny.toml"];
    dir.refuses(&both, 2, &["[CONFIG]", "--config <FILE>"]);
}

#[test]
fn a_run_is_named_by_its_directory_or_its_name_everywhere() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml", "--epochs", "1", "--runs", "mine"]);
    dir.succeed(&["train", "tiny.toml", "--epochs", "2"]);
    dir.succeed(&["train", "tiny.toml", "--epochs", "2"]);
    dir.succeed(&["data", "export", "data/test.h5", "--out", "photos", "--flat"]);
    let image = dir.names("photos").remove(0);
    let image = format!("photos/{image}");
    let pairs = [
        (vec!["evaluate", "tiny"], vec!["evaluate", "runs/tiny"]),
        (vec!["predict", "tiny", &image], vec!["predict", "runs/tiny/", &image]),
        (vec!["report", "tiny"], vec!["report", "runs/tiny"]),
        (vec!["report", "tiny", "tiny-2"], vec!["report", "runs/tiny", "runs/tiny-2"]),
        (vec!["model", "summary", "tiny"], vec!["model", "summary", "runs/tiny"]),
        (vec!["config", "show", "runs/tiny"], vec!["config", "show", "runs/tiny/config.toml"]),
        (vec!["--resume", "tiny"], vec!["--resume", "runs/tiny"]),
        (vec!["evaluate", "tiny", "--runs", "mine"], vec!["evaluate", "mine/tiny"]),
    ];
    for (name, directory) in pairs {
        assert_eq!(dir.trainer(&name).stdout, dir.succeed(&directory).stdout, "{name:?}");
    }
    // Exits with 1: the images of a class are similar.
    let inspected = ["tiny", "runs/tiny"].map(|run| dir.trainer(&["data", "inspect", run]).stdout);
    assert!(inspected[0].starts_with("runs/tiny: ") && inspected[0] == inspected[1]);
    // The working directory may have a folder of the same name.
    std::fs::create_dir(dir.path("tiny")).unwrap();
    dir.succeed(&["evaluate", "tiny"]);
}

#[test]
fn resume_takes_a_name_a_directory_or_a_config() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml", "--epochs", "1"]);
    for (number, args) in [
        vec!["--resume", "tiny"],
        vec!["train", "--resume", "runs/tiny"],
        vec!["train", "tiny.toml", "--resume"],
        vec!["train", "--resume", "tiny.toml"],
        vec!["--config", "tiny.toml", "--resume", "tiny"],
    ]
    .into_iter()
    .enumerate()
    {
        let epochs = (number + 2).to_string();
        let output = dir.succeed(&[&args[..], &["--epochs", &epochs]].concat());
        let resumed = format!("resuming runs/tiny after epoch {}", number + 1);
        assert!(output.stdout.contains(&resumed), "{args:?}: {}", output.stdout);
    }
}

#[test]
fn a_finished_run_that_is_resumed_is_left_as_it_is() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml"]);
    let before = dir.contents("runs");
    let output = dir.succeed(&["--resume", "tiny"]);
    assert!(output.stdout.contains("after 3 of 3 epochs: there is nothing to do"), "{output:#?}");
    assert!(output.stdout.contains("trainer --resume runs/tiny --epochs 6"), "{output:#?}");
    dir.assert_unchanged("runs", &before);
}

#[test]
fn a_fast_dev_run_tests_everything_and_keeps_nothing() {
    let dir = TestDir::new();
    let before = dir.contents("");
    let output = dir.succeed(&["train", "tiny.toml", "--fast-dev-run"]);
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert!(output.stdout.starts_with("everything works: tiny"), "{}", output.stdout);
    dir.assert_unchanged("", &before);
    let rate = ["--set", "optimizer.adam.learning_rate=1e37"];
    let output = dir.trainer(&[&["--config", "tiny.toml", "--fast-dev-run"][..], &rate].concat());
    output.refused(1, &["lower the learning rate"]);
    dir.assert_unchanged("", &before);
}

#[test]
fn cpu_is_the_best_processor() {
    let dir = TestDir::new();
    let on = |device: &str| {
        dir.succeed(&["train", "tiny.toml", "--epochs", "1", "--device", device]).stdout
    };
    let shown = on("cpu");
    assert!(shown.contains(&format!("on {}\n", dir.devices()[0])), "{shown}");
    dir.succeed(&["evaluate", "tiny", "--device", "cpu"]);
    dir.succeed(&["lr-find", "tiny.toml", "--steps", "10", "--device", "cpu"]);
}

#[test]
fn a_warm_up_longer_than_the_run_is_limited_with_a_warning() {
    let dir = TestDir::new();
    let args = ["train", "tiny.toml", "--set", "schedule.warmup_epochs=5"];
    let output = dir.succeed(&args);
    assert!(
        output.stderr.contains("the warm-up of 5 epochs is not shorter than the run"),
        "{output:#?}"
    );
}

#[test]
fn a_choice_by_its_name_has_its_defaults() {
    let dir = TestDir::new();
    let show =
        |args: &[&str]| dir.succeed(&[&["config", "show", "tiny.toml"], args].concat()).stdout;
    let shown = show(&["--set", "model=resnet", "--set", "optimizer=sgd"]);
    assert!(shown.contains("[model.resnet]\n") && shown.contains("[optimizer.sgd]\n"), "{shown}");
    assert!(!shown.contains("hidden") && !shown.contains("adam"), "{shown}");
    let text = dir.read("tiny.toml").replace("[optimizer.adam]\nlearning_rate = 1e-2\n", "");
    dir.write("named.toml", format!("optimizer = \"adamw\"\n{text}"));
    let shown = dir.succeed(&["config", "show", "named.toml"]).stdout;
    assert!(shown.contains("[optimizer.adamw]\n"), "{shown}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_home_directory_in_an_argument_is_expanded() {
    let dir = TestDir::new();
    let home = dir.path("home");
    std::fs::create_dir(&home).unwrap();
    for (args, run) in [(&["--run-dir", "~/one"][..], "one"), (&["--run-dir=~/two"], "two")] {
        let args = [&["train", "tiny.toml", "--epochs", "1"], args].concat();
        let output = dir.command(&args).env("HOME", &home).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(home.join(run).join("report.html").is_file());
    }
    assert!(!dir.path("~").exists());
}
