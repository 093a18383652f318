use crate::place::Place;

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
