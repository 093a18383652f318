use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::*;
use crate::rendering::{PIXELS, stream};

const IMAGE_LEN: usize = PIXELS * PIXELS * 3;

#[test]
fn the_bytes_of_a_seed_never_change() {
    let sha256 = |items, seed| {
        let digest = Sha256::digest(generate(items, seed).pixels);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let expected = "afcb95bdbda6a21d634fddf90b6d57d756137817918f7d11c8126a9f78405a3f";
    assert_eq!(sha256(0..30, 1), expected);
    let expected = "66d66072c66dfd8cc05870fa81f0b5b6ada7cf450b8fd853b4a48c68702e45fb";
    assert_eq!(sha256(17..43, 9), expected);
}

#[test]
fn a_seed_determines_the_images() {
    let images = generate(0..12, 5);
    assert_eq!(images, generate(0..12, 5));
    assert_ne!(images.pixels, generate(0..12, 6).pixels);
}

#[test]
fn an_image_does_not_depend_on_the_range() {
    let (whole, part) = (generate(0..20, 1), generate(7..15, 1));
    assert_eq!(part.labels, whole.labels[7..15]);
    assert!(part.pixels == whole.pixels[7 * IMAGE_LEN..15 * IMAGE_LEN]);
    assert_eq!(generate(3..3, 1), Images::default());
}

#[test]
fn no_two_images_are_equal() {
    let pixels = generate(0..24, 2).pixels;
    assert_eq!(pixels.len(), 24 * IMAGE_LEN);
    assert_eq!(pixels.chunks(IMAGE_LEN).collect::<BTreeSet<_>>().len(), 24);
}

#[test]
fn class_sizes_differ_by_at_most_one() {
    for count in [1, 5, 6, 100, 121] {
        let labels = generate(0..count, 9).labels;
        let sizes = [0, 1, 2, 3, 4, 5].map(|class| labels.iter().filter(|&&l| l == class).count());
        let balanced = count / 6..=count.div_ceil(6);
        assert!(sizes.iter().all(|size| balanced.contains(size)), "{count}: {sizes:?}");
    }
}

#[test]
fn the_seed_shuffles_the_labels() {
    let [one, other] = [1, 2].map(|seed| generate(0..60, seed).labels);
    assert_ne!(one, other);
    assert_ne!(one[..6], one[6..12]);
}

#[test]
fn every_raised_finger_adds_skin_to_the_image() {
    let areas = [0, 1, 2, 3, 4, 5].map(|digit| {
        let skin = |index| {
            let hand = hand(digit, &mut stream(3, index));
            hand.values.iter().filter(|sample| sample.is_skin()).count()
        };
        (0..20).map(skin).sum::<usize>() / 20
    });
    assert!(areas.windows(2).all(|pair| pair[0] + 100 < pair[1]), "{areas:?}");
}

#[test]
fn pixels_are_neither_constant_nor_saturated() {
    for image in generate(0..24, 4).pixels.chunks(IMAGE_LEN) {
        let clipped = image.iter().filter(|&&value| value == 0 || value == 255).count();
        let range = image.iter().max().zip(image.iter().min()).map(|(high, low)| high - low);
        assert!(clipped < IMAGE_LEN / 20, "{clipped} clipped values");
        assert!(range > Some(80), "range {range:?}");
    }
}
