use std::collections::BTreeMap;

use data::{Examples, LoadedDataset, SplitConfig, SplitKind, Values};

use super::*;
use crate::sources::hands;

const NAMES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];

fn inspected(parts: &[InspectedSplit]) -> Inspection {
    Inspection::of(parts, &NAMES.map(String::from)).unwrap()
}

fn pixels(examples: &mut Examples) -> &mut [u8] {
    match &mut examples.values {
        Values::Pixels(pixels) => pixels,
        _ => panic!("no pixels"),
    }
}

/// Replaces the image at `to` of one set with that at `from` of another.
fn put((to_set, to): (&mut Examples, usize), (from_set, from): (&Examples, usize)) {
    let image = from_set.select(&[from]);
    let width = from_set.width();
    let Values::Pixels(image) = image.values else { panic!("no pixels") };
    pixels(to_set)[to * width..][..width].copy_from_slice(&image);
}

fn pairs(pairs: &[DuplicatePair]) -> Vec<(SplitKind, usize, SplitKind, usize)> {
    let locations = pairs.iter().map(|pair| (&pair.example, &pair.of));
    locations.map(|(example, of)| (example.part, example.index, of.part, of.index)).collect()
}

#[test]
fn synthetic_data_have_no_problems() {
    let train = InspectedSplit::whole(SplitKind::Train, hands(0..120, 1));
    let inspection =
        inspected(&[train, InspectedSplit::whole(SplitKind::Test, hands(120..150, 1))]);
    assert_eq!(inspection.problems(), [""; 0]);
    assert_eq!((inspection.duplicates.len(), inspection.blank.len()), (0, 0));
    assert_eq!(inspection.parts[1].classes, [5; 6]);
}

#[test]
fn equal_examples_are_located_by_split_and_index_in_its_file() {
    let (mut train, mut test) = (hands(0..60, 1), hands(60..80, 1));
    let source = train.clone();
    put((&mut test, 3), (&source, 7));
    put((&mut train, 50), (&source, 7));
    train.labels[50] = (train.labels[7] + 1) % 6;
    test.labels[3] = train.labels[7];
    let train =
        InspectedSplit { split: SplitKind::Train, examples: train, indices: (100..160).collect() };
    let inspection = inspected(&[train, InspectedSplit::whole(SplitKind::Test, test)]);
    assert_eq!(pairs(&inspection.duplicates), [(SplitKind::Train, 150, SplitKind::Train, 107)]);
    assert_eq!(pairs(&inspection.near_duplicates), [(SplitKind::Test, 3, SplitKind::Train, 107)]);
    assert_eq!(inspection.near_duplicates[0].distance, 0.0);
    let problems = inspection.problems();
    assert_eq!(
        problems,
        [
            "1 test example has a near-duplicate in the train set",
            "1 pair of equal or near-duplicate examples has conflicting labels"
        ]
    );
}

#[test]
fn blank_images_are_listed() {
    let mut train = hands(0..12, 1);
    let width = train.width();
    pixels(&mut train)[2 * width..3 * width].fill(200);
    let inspection = inspected(&[InspectedSplit::whole(SplitKind::Train, train)]);
    assert_eq!(inspection.blank.iter().map(|location| location.index).collect::<Vec<_>>(), [2]);
}

#[test]
fn statistics_of_each_channel_are_computed() {
    let pixels = vec![0, 5, 10, 5, 20, 5, 30, 5];
    let train = Examples::images([2, 2, 2], pixels, vec![1]);
    let inspection = inspected(&[InspectedSplit::whole(SplitKind::Train, train)]);
    let [first, second] = inspection.parts[0].channels[..] else { panic!("two channels") };
    assert_eq!((first.lowest, first.highest, first.mean), (0.0, 30.0, 15.0));
    assert!((first.deviation - 125.0_f32.sqrt()).abs() < 1e-4);
    assert_eq!((second.lowest, second.highest, second.deviation), (5.0, 5.0, 0.0));
}

#[test]
fn histograms_of_all_splits_have_the_same_range_and_count_every_value() {
    let pixels = |pixels| {
        InspectedSplit::whole(SplitKind::Train, Examples::images([1, 2, 2], pixels, vec![0]))
    };
    let parts = [pixels(vec![0, 255, 7, 8]), pixels(vec![128, 1, 128, 2])];
    let histograms = inspected(&parts).histograms(&parts).unwrap();
    let filled = |bins: &[u64]| -> Vec<(usize, u64)> {
        bins.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect()
    };
    assert_eq!(histograms.len(), 2);
    assert_eq!(filled(&histograms[0].parts[0]), [(0, 2)]);
    assert_eq!(filled(&histograms[1].parts[0]), [(1, 1), (31, 1)]);
    assert_eq!(filled(&histograms[0].parts[1]), [(16, 2)]);

    let points =
        |values| InspectedSplit::whole(SplitKind::Train, Examples::features(1, values, vec![0, 0]));
    let parts = [points(vec![-1.0, 0.0]), points(vec![3.0, 3.0])];
    let histograms = inspected(&parts).histograms(&parts).unwrap();
    assert_eq!(histograms[0].range, [-1.0, 3.0]);
    assert_eq!(filled(&histograms[0].parts[0]), [(0, 1), (8, 1)]);
    assert_eq!(filled(&histograms[0].parts[1]), [(31, 2)]);
}

#[test]
fn equal_points_are_near_duplicates_and_close_ones_are_not() {
    let train = Examples::features(2, vec![0.0, 1.0, 2.0, 3.0], vec![0, 1]);
    let test = Examples::features(2, vec![2.0, 3.0, 2.0, 3.000_001], vec![0, 1]);
    let parts = [
        InspectedSplit::whole(SplitKind::Train, train),
        InspectedSplit::whole(SplitKind::Test, test),
    ];
    let inspection = inspected(&parts);
    assert_eq!(pairs(&inspection.near_duplicates), [(SplitKind::Test, 0, SplitKind::Train, 1)]);
    assert_eq!(inspection.problems().len(), 2);
    assert_eq!(inspection.suspect_labels, None);
}

/// Ten versions of each of 18 images, three per class: nine others confirm each label.
fn versions() -> Examples {
    let images = hands(0..18, 4);
    let mut all = images.select(&(0..180).map(|item| item % 18).collect::<Vec<_>>());
    let width = all.width();
    for (at, pixel) in pixels(&mut all).iter_mut().enumerate() {
        let noise = (at * (at / width + 7)) % 11;
        *pixel = pixel.saturating_add(noise as u8);
    }
    all
}

#[test]
fn a_label_that_all_neighbours_contradict_is_listed() {
    let mut train = versions();
    train.labels[13] = (train.labels[13] + 1) % 6;
    let suspect_labels =
        inspected(&[InspectedSplit::whole(SplitKind::Train, train)]).suspect_labels.unwrap();
    assert_eq!(suspect_labels.searched, 180);
    let listed: Vec<_> =
        suspect_labels.listed.iter().map(|suspect| suspect.example.index).collect();
    assert_eq!(listed, [13]);
}

#[test]
fn no_label_is_listed_if_many_labels_are_wrong() {
    let mut train = versions();
    // One version of each image.
    for item in (0..18).map(|image| image + 18 * (image % 10)) {
        train.labels[item] = (train.labels[item] + 1) % 6;
    }
    let suspect_labels =
        inspected(&[InspectedSplit::whole(SplitKind::Train, train)]).suspect_labels.unwrap();
    assert!(
        suspect_labels.listed.is_empty() && !suspect_labels.is_reliable(),
        "{suspect_labels:?}"
    );
}

#[test]
fn held_out_splits_keep_the_indices_in_the_file() {
    let train = hands(0..60, 1);
    let source = LoadedDataset {
        train: train.clone(),
        validation: None,
        test: Some(hands(60..72, 1)),
        classes: NAMES.map(String::from).to_vec(),
        synthetic: false,
        sha256: BTreeMap::new(),
        fit: None,
        notes: Vec::new(),
        warnings: Vec::new(),
    };
    let split = SplitConfig { validation_fraction: 0.2, ..SplitConfig::default() };
    let parts = InspectedSplit::of(source, &split, 1).unwrap();
    let names: Vec<_> = parts.iter().map(|part| (part.split, part.examples.len())).collect();
    assert_eq!(names, [(SplitKind::Train, 48), (SplitKind::Validation, 12), (SplitKind::Test, 12)]);
    for part in &parts[..2] {
        assert_eq!(part.examples, train.select(&part.indices), "{}", part.split);
    }
    assert_eq!(parts[2].indices, (0..12).collect::<Vec<_>>());
}
