use crate::test_dir::TestDir;

#[test]
fn every_listed_device_can_be_used() {
    let dir = TestDir::new();
    let devices = dir.devices();
    assert!(!devices.is_empty());
    for device in devices {
        let output = dir.succeed(&["--config", "tiny.toml", "--device", &device]);
        assert!(output.stdout.contains(&format!("on {device}\n")), "{}", output.stdout);
    }
}

#[test]
fn without_a_device_the_first_listed_one_runs() {
    let dir = TestDir::new();
    let first = dir.devices().remove(0);
    let output = dir.succeed(&["--config", "tiny.toml"]);
    assert!(output.stdout.contains(&format!("on {first}\n")), "{}", output.stdout);
}
