use std::collections::BTreeSet;

use data::{Origin, Values};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::quality::inspection::{InspectedSplit, Inspection};
use crate::sources::hands;

/// 200 groups of 1 to 12 near-duplicates: hands with other brightness, contrast and noise. Returns the
/// group of each image too.
fn bursts() -> (Examples, Vec<usize>) {
    let scenes = hands(0..200, 6);
    let Values::Pixels(pixels) = &scenes.values else { panic!("no pixels") };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut burst, mut labels, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for scene in 0..200 {
        for _ in 0..rng.random_range(1..=12) {
            let (factor, offset) = (rng.random_range(0.8..1.0), rng.random_range(0.0..12.0_f32));
            burst.extend(scenes.row(pixels, scene).iter().map(|&pixel| {
                (f32::from(pixel) * factor + offset + rng.random_range(-4.0..4.0)) as u8
            }));
            labels.push(scenes.labels[scene]);
            groups.push(scene);
        }
    }
    (Examples::images(scenes.shape, burst, labels), groups)
}

fn source(train: Examples) -> LoadedDataset {
    LoadedDataset::of_training_set(train, (0..6).map(|class| class.to_string()).collect())
}

fn config(validation_fraction: f64, test_fraction: f64) -> SplitConfig {
    SplitConfig { validation_fraction, test_fraction, ..SplitConfig::default() }
}

#[test]
fn no_image_has_a_near_duplicate_in_another_part_of_any_split() {
    let (images, groups) = bursts();
    let count = images.len();
    let mut memberships = BTreeSet::new();
    for (seed, validation, test) in
        [(1, 0.1, 0.1), (2, 0.1, 0.1), (3, 0.05, 0.0), (4, 0.3, 0.3), (5, 0.0, 0.02)]
    {
        let config = config(validation, test);
        let parts = InspectedSplit::of(source(images.clone()), &config, seed).unwrap();
        for part in &parts {
            let own: BTreeSet<usize> = part.indices.iter().map(|&item| groups[item]).collect();
            let members = groups.iter().filter(|group| own.contains(group)).count();
            assert_eq!(members, part.indices.len(), "seed {seed}: a group is in several parts");
            let fraction = config.fraction(part.split);
            // Within half of a group of each class.
            let difference = part.examples.len() as f64 - fraction * count as f64;
            assert!(difference.abs() < 6.0 * 6.0, "{}: {difference}", part.split);
            memberships.insert(part.indices.clone());
        }
        let classes = source(images.clone()).classes;
        assert_eq!(Inspection::of(&parts, &classes).unwrap().problems(), [""; 0], "seed {seed}");
    }
    assert_eq!(memberships.len(), 3 + 3 + 2 + 3 + 2, "every seed has a split of its own");
}

#[test]
fn membership_does_not_depend_on_the_order_of_the_examples() {
    let (images, _) = bursts();
    let splitting =
        |images| Splitting::of_run(&config(0.1, 0.2), 7).divide(&source(images)).unwrap().indices;
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(3));
    let shuffled = splitting(images.select(&order));
    let ordered = splitting(images);
    for (shuffled, ordered) in
        [(shuffled.validation, ordered.validation), (shuffled.test, ordered.test)]
    {
        let mut restored: Vec<usize> = shuffled.iter().map(|&item| order[item]).collect();
        restored.sort_unstable();
        assert_eq!(restored, ordered);
    }
}

#[test]
fn added_images_move_few_others() {
    let images = hands(0..600, 2);
    let test = |count: usize| {
        let images = images.select(&(0..count).collect::<Vec<_>>());
        Splitting::of_run(&config(0.0, 0.2), 1).divide(&source(images)).unwrap().indices.test
    };
    let (before, after) = (test(570), test(600));
    let left = before.iter().filter(|item| !after.contains(item)).count();
    let entered = after.iter().filter(|&&item| item < 570 && !before.contains(&item)).count();
    assert!(left + entered <= 12, "{left} left, {entered} entered");
}

/// Hands with files `<label>_<person>_<number>.jpg`, ten of each person.
fn named() -> Examples {
    let mut images = hands(0..120, 3);
    let origin = |(item, label): (usize, &u32)| Origin {
        file: format!("{label}_p{}_{item}.jpg", item / 10).into(),
        sha256: [item as u8; 32],
        group: None,
    };
    images.origins = images.labels.iter().enumerate().map(origin).collect();
    images
}

#[test]
fn files_of_one_group_stay_in_one_part() {
    let persons = |pattern: &str| {
        let group_pattern = Some(pattern.to_owned());
        let config = SplitConfig { group_pattern, ..config(0.2, 0.2) };
        let division = Splitting::of_run(&config, 1).divide(&source(named())).unwrap();
        [division.indices.train, division.indices.validation, division.indices.test]
            .map(|items| items.iter().map(|item| item / 10).collect::<BTreeSet<usize>>())
    };
    for pattern in ["_(p[0-9]+)_", "^([0-9])_(?<group>[^_]+)_"] {
        let [train, validation, test] = persons(pattern);
        assert!(!validation.is_empty() && !test.is_empty());
        assert_eq!(train.len() + validation.len() + test.len(), 12, "{pattern}");
    }
    let config = SplitConfig { group_pattern: Some("(.)".to_owned()), ..config(0.2, 0.2) };
    let refused = Splitting::of_run(&config, 1).divide(&source(hands(0..60, 3))).unwrap_err();
    assert!(refused.to_string().contains("`split.group_pattern` finds groups in file names"));
}

#[test]
fn membership_follows_the_files_where_they_are_known() {
    let images = named();
    let mut brighter = images.clone();
    if let Values::Pixels(pixels) = &mut brighter.values {
        pixels.iter_mut().for_each(|pixel| *pixel = pixel.saturating_add(3));
    }
    let test = |images| {
        Splitting::of_run(&config(0.0, 0.2), 1).divide(&source(images)).unwrap().indices.test
    };
    assert_eq!(test(images.clone()), test(brighter.clone()));
    images.origins.iter().for_each(drop);
    brighter.origins.clear();
    assert_ne!(test(images), test(brighter));
}

#[test]
fn a_class_whose_only_group_is_too_large_stays_in_train_with_a_warning() {
    let train = Examples::features(
        1,
        (0..40).map(|item| if item % 2 == 0 { 0.5 } else { item as f32 }).collect(),
        (0..40).map(|item| item % 2).collect(),
    );
    let division = Splitting::of_run(&config(0.2, 0.0), 1).divide(&source(train)).unwrap();
    assert!(division.indices.validation.iter().all(|item| item % 2 == 1));
    let warnings = division.warnings();
    assert!(warnings[0].starts_with("20 of 40 examples are one group"), "{warnings:?}");
    assert!(warnings[1].starts_with("the validation set has no examples of 0"), "{warnings:?}");
}

#[test]
fn a_run_divides_near_duplicates_only_if_nothing_else_can_be_held_out() {
    // One picture per class, ten times each.
    let images = hands(0..6, 3);
    let images = images.select(&(0..60).map(|item| item % 6).collect::<Vec<_>>());
    let config = config(0.2, 0.0);
    let splitting = Splitting::of_run(&config, 1);
    assert!(splitting.divide(&source(images.clone())).is_err());
    let (split, warnings) = splitting.apply(source(images)).unwrap();
    assert_eq!((split.train.len(), split.validation.unwrap().len()), (48, 12));
    assert!(warnings[0].starts_with("all images of every class are near-dup"), "{warnings:?}");
}
