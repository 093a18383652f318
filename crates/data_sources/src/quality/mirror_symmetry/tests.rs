use std::path::Path;

use data::{SplitKind, Values};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::sources::{cats, hands};

/// Five rows of five pixels of each character, `#` for ink.
const GLYPHS: [(char, &str); 20] = [
    ('0', ".###. #...# #...# #...# .###."),
    ('1', ".##.. ..#.. ..#.. ..#.. .###."),
    ('2', "####. ....# .###. #.... #####"),
    ('3', "####. ....# .###. ....# ####."),
    ('4', "#..#. #..#. ##### ...#. ...#."),
    ('5', "##### #.... ####. ....# ####."),
    ('6', ".###. #.... ####. #...# .###."),
    ('7', "##### ....# ...#. ..#.. ..#.."),
    ('8', ".###. #...# .###. #...# .###."),
    ('9', ".###. #...# .#### ....# .###."),
    ('b', "#.... #.... ####. #...# ####."),
    ('d', "....# ....# .#### #...# .####"),
    ('R', "####. #...# ####. #..#. #...#"),
    ('K', "#...# #..#. ###.. #..#. #...#"),
    ('F', "##### #.... ####. #.... #...."),
    ('A', ".###. #...# ##### #...# #...#"),
    ('T', "##### ..#.. ..#.. ..#.. ..#.."),
    ('V', "#...# #...# .#.#. .#.#. ..#.."),
    ('H', "#...# #...# ##### #...# #...#"),
    ('X', "#...# .#.#. ..#.. .#.#. #...#"),
];

/// Images of each of `characters` in turn: rotated, sheared, moved, of random colours, and noisy.
fn written(characters: &str, count: usize, shape: [usize; 3], seed: u64) -> Examples {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let [height, width, channels] = shape;
    let classes = characters.chars().count();
    let mut pixels = Vec::new();
    for item in 0..count {
        let character = characters.chars().nth(item % classes).unwrap();
        let glyph = GLYPHS.iter().find(|(own, _)| *own == character).unwrap().1;
        let lines: Vec<&[u8]> = glyph.split(' ').map(str::as_bytes).collect();
        let mut within = |most: f32| rng.random_range(-most..=most);
        let (sine, cosine) = within(0.17).sin_cos();
        let (shear, size) = (within(0.2), 1.0 + within(0.15));
        let [right, down] = [within(0.08), within(0.08)];
        let dark = rng.random_bool(0.5);
        let colours: Vec<f32> = (0..channels).map(|_| rng.random_range(0.0..60.0)).collect();
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let x = (x as f32 + 0.5) / width as f32 - 0.5 - right;
            let y = (y as f32 + 0.5) / height as f32 - 0.5 - down;
            let (x, y) = ((cosine * x - sine * y) * size, (sine * x + cosine * y) * size);
            let at = |value: f32| ((value * 1.4 + 0.5) * 5.0).floor() as usize;
            let ink = lines.get(at(y)).and_then(|line| line.get(at(x + shear * y)));
            let is_ink = ink == Some(&b'#');
            for colour in &colours {
                let grey = if is_ink == dark { *colour } else { 255.0 - colour };
                pixels.push((grey + rng.random_range(-20.0..20.0)).clamp(0.0, 255.0) as u8);
            }
        }
    }
    Examples::images(shape, pixels, (0..count).map(|item| (item % classes) as u32).collect())
}

/// The same images, mirrored.
fn flipped(examples: &Examples) -> Examples {
    let [_, width, channels] = examples.shape;
    let Values::Pixels(pixels) = &examples.values else { panic!("no pixels") };
    let lines = pixels.chunks(width * channels);
    let pixels = lines.flat_map(|line| line.chunks(channels).rev().flatten()).copied();
    Examples { values: Values::Pixels(pixels.collect()), ..examples.clone() }
}

fn verdict(train: &Examples) -> MirrorVerdict {
    MirrorSymmetry::of(train).unwrap().verdict
}

#[test]
fn mirrored_digits_and_letters_are_not_recognised() {
    for (characters, shape) in [
        ("0123456789", [28, 28, 1]),
        ("0123456789", [64, 48, 3]),
        ("0123456789", [8, 8, 1]),
        ("RKF25", [64, 64, 3]),
    ] {
        let found = MirrorSymmetry::of(&written(characters, 300, shape, 1)).unwrap();
        assert_eq!(found.verdict, MirrorVerdict::Asymmetric, "{characters} {shape:?} {found:?}");
        assert!(found.mirrored < found.recognized / 2.0 + 0.2, "{found:?}");
    }
}

#[test]
fn two_classes_that_mirror_each_other_are_enough_to_refuse_a_flip() {
    let found = MirrorSymmetry::of(&written("bdATVHX08", 360, [64, 64, 3], 2)).unwrap();
    assert_eq!((found.verdict, found.lost), (MirrorVerdict::Asymmetric, vec![0, 1]));
}

#[test]
fn photographs_and_symmetric_signs_are_recognised_mirrored() {
    let symmetric = written("ATVHX08", 280, [64, 64, 3], 3);
    for train in [hands(0..300, 1), cats(0..300, 1), symmetric] {
        let found = MirrorSymmetry::of(&train).unwrap();
        assert_eq!(found.verdict, MirrorVerdict::Symmetric, "{found:?}");
        assert!(found.mirrored > found.recognized - 0.1, "{found:?}");
        assert_eq!(found.images, train.len());
    }
}

#[test]
fn letters_that_occur_mirrored_too_keep_their_class() {
    let letters = written("RKF", 240, [48, 48, 1], 4);
    let mirrored = flipped(&letters);
    let (Values::Pixels(one), Values::Pixels(other)) = (&letters.values, &mirrored.values) else {
        panic!("no pixels")
    };
    let labels = [letters.labels.clone(), mirrored.labels.clone()].concat();
    let both = Examples::images(letters.shape, [&one[..], other].concat(), labels);
    assert_eq!(verdict(&letters), MirrorVerdict::Asymmetric);
    assert_eq!(verdict(&both), MirrorVerdict::Symmetric);
}

#[test]
fn few_images_and_features_leave_it_unknown() {
    let few = written("0123456789", 30, [64, 64, 3], 1);
    let of_many_classes = written("ATVHX08", 60, [64, 64, 3], 1);
    let features = Examples::features(2, vec![0.5; 400], vec![0; 200]);
    let none = Examples::images([8, 8, 3], vec![], vec![]);
    for train in [few, of_many_classes, features, none] {
        assert_eq!(verdict(&train), MirrorVerdict::Unknown);
    }
    let blank = Examples::images([8, 8, 1], vec![7; 64 * 80], (0..80).map(|i| i % 2).collect());
    assert_ne!(verdict(&blank), MirrorVerdict::Asymmetric);
}

#[test]
fn the_descriptor_of_a_mirrored_image_is_computed_from_its_own() {
    for shape in [[64, 64, 3], [28, 28, 1], [8, 8, 1], [50, 37, 3]] {
        let images = written("2R", 2, shape, 5);
        let all = descriptors(&images, &[0, 1]).unwrap();
        let expected = descriptors(&flipped(&images), &[0, 1]).unwrap();
        for (descriptor, expected) in all.iter().zip(&expected) {
            let pairs = mirrored(descriptor).into_iter().zip(expected);
            pairs.for_each(|(one, other)| assert!((one - other).abs() < 1e-3, "{shape:?}"));
        }
    }
}

#[test]
#[ignore = "needs the data of the course"]
fn hand_signs_and_cats_keep_their_class() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    for file in ["signs/train_signs.h5", "cat/train_catvnoncat.h5"] {
        let train = data_hdf5::read(&directory.join(file), SplitKind::Train).unwrap().examples;
        let found = MirrorSymmetry::of(&train).unwrap();
        println!("{file}: {found:?}");
        assert_eq!(found.verdict, MirrorVerdict::Symmetric, "{file}: {found:?}");
    }
}
