use crate::place::Place;

#[test]
fn the_help_of_each_command_is_as_recorded() {
    let place = Place::new();
    let commands: &[&[&str]] = &[
        &[],
        &["train"],
        &["evaluate"],
        &["predict"],
        &["gradcheck"],
        &["report"],
        &["sweep"],
        &["lr-find"],
        &["devices"],
        &["data", "synthesize"],
        &["config"],
        &["config", "check"],
        &["config", "show"],
        &["config", "schema"],
        &["config", "explain"],
        &["config", "diff"],
        &["config", "init"],
        &["data", "inspect"],
    ];
    for command in commands {
        let ran = place.succeed(&[*command, &["--help"]].concat());
        let name = ["help"].iter().chain(*command).copied().collect::<Vec<_>>().join("-");
        insta::assert_snapshot!(name, ran.stdout);
    }
}

#[test]
fn every_listed_device_can_be_used() {
    let place = Place::new();
    let devices = place.devices();
    assert!(!devices.is_empty());
    for device in devices {
        let ran = place.succeed(&["--config", "tiny.toml", "--device", &device]);
        assert!(ran.stdout.contains(&format!("on {device}\n")), "{}", ran.stdout);
    }
}

#[test]
fn without_a_device_the_first_listed_one_runs() {
    let place = Place::new();
    let first = place.devices().remove(0);
    let ran = place.succeed(&["--config", "tiny.toml"]);
    assert!(ran.stdout.contains(&format!("on {first}\n")), "{}", ran.stdout);
}
