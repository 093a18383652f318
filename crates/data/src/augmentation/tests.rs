mod torchvision;

use std::collections::BTreeSet;

use config::Check;

use super::canvas::Canvas;
use super::geometry::Affine;
use super::*;
use crate::examples::{Examples, Values};
use crate::random::{self, BatchIndex};
use crate::statistics::{Normalization, Scaler};

const SHAPE: [usize; 3] = [8, 8, 3];

/// Twenty images with varied pixels.
fn images(shape: [usize; 3]) -> Examples {
    let count = 20 * shape.iter().product::<usize>();
    let pixels = (0..count).map(|at| (at * 101 % 251) as u8).collect();
    Examples::images(shape, pixels, (0..20).map(|item| item % 4).collect())
}

fn scaler(examples: &Examples) -> Scaler {
    Normalization::Standardize.fit(examples).unwrap().scaler()
}

/// Scaler that leaves pixels unchanged.
fn unscaled(examples: &Examples) -> Scaler {
    Normalization::None.fit(examples).unwrap().scaler()
}

/// All examples augmented by `list` in `epoch`.
fn changed(examples: &Examples, list: &[Augmentation], epoch: u64) -> Vec<f32> {
    let items: Vec<usize> = (0..examples.len()).collect();
    let augmenter = Augmenter::new(list, examples, 1).unwrap().unwrap();
    augmenter.inputs(examples, &items, &unscaled(examples), epoch, false).unwrap()
}

/// The first image of `examples` resampled by `map`.
fn mapped(examples: &Examples, map: Affine) -> Vec<f32> {
    let mut canvas = Canvas::default();
    let Values::Pixels(pixels) = &examples.values else { panic!("no images") };
    canvas.load(examples.row(pixels, 0), examples.shape);
    canvas.transform(map);
    let mut inputs = vec![0.0; examples.width()];
    canvas.store(&unscaled(examples), &mut inputs);
    inputs
}

/// The first image of `examples` with the pixel at `source(row, column)` at each position.
fn picked(examples: &Examples, source: impl Fn(i64, i64) -> (i64, i64)) -> Vec<f32> {
    let [height, width, channels] = examples.shape;
    let image = examples.gather(&[0]).unwrap();
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
    let pixel = |(row, column): (usize, usize)| {
        let (row, column) = source(row as i64, column as i64);
        let row = row.clamp(0, height as i64 - 1) as usize;
        let at = (row * width + column.clamp(0, width as i64 - 1) as usize) * channels;
        image[at..at + channels].to_vec()
    };
    places.flat_map(pixel).collect()
}

#[test]
fn augmentations_of_strength_0_change_no_bit() {
    use Augmentation::*;
    let nothing = [
        Rotate(0.0),
        Scale([1.0, 1.0]),
        Translate(0.0),
        Brightness(0.0),
        Contrast(0.0),
        Saturation(0.0),
        RandomErasing(super::RandomErasing { probability: 0.0, ..Default::default() }),
    ];
    for shape in [SHAPE, [7, 5, 3], [28, 28, 1]] {
        let examples = images(shape);
        let items = [3, 0, 19, 3];
        let list: Vec<_> = match shape[2] {
            3 => nothing.into_iter().chain([Hue(0.0)]).collect(),
            _ => nothing.to_vec(),
        };
        for normalization in [Normalization::None, Normalization::Standardize] {
            let scaler = normalization.fit(&examples).unwrap().scaler();
            let augmenter = Augmenter::new(&list, &examples, 1).unwrap().unwrap();
            let inputs = augmenter.inputs(&examples, &items, &scaler, 1, false).unwrap();
            assert_eq!(inputs, examples.inputs(&items, &scaler).unwrap(), "{shape:?}");
        }
    }
}

#[test]
fn flips_right_angles_and_whole_pixels_are_exact() {
    for (shape, last) in [(SHAPE, 7), ([9, 9, 1], 8), ([64, 64, 3], 63)] {
        let images = images(shape);
        let of = |map| mapped(&images, map);
        let same = |map, source: fn(i64, i64, i64) -> (i64, i64)| {
            assert_eq!(of(map), picked(&images, |row, column| source(row, column, last)));
        };
        same(Affine::flip_horizontal(), |row, column, last| (row, last - column));
        same(Affine::flip_vertical(), |row, column, last| (last - row, column));
        same(Affine::rotate(90.0), |row, column, last| (column, last - row));
        same(Affine::rotate(180.0), |row, column, last| (last - row, last - column));
        same(Affine::rotate(-90.0), |row, column, last| (last - column, row));
        same(Affine::translate(2.0, -3.0), |row, column, _| (row + 3, column - 2));
    }
}

#[test]
fn consecutive_geometric_changes_are_one_resampling_in_order() {
    let images = images(SHAPE);
    let map = Affine::translate(2.0, 0.0).then(Affine::rotate(90.0));
    // Moved to the right, then rotated so that the right side becomes the top.
    assert_eq!(mapped(&images, map), picked(&images, |row, column| (column, 7 - row - 2)));
    let half = Affine::translate(0.5, 0.0);
    assert_eq!(mapped(&images, half.then(half)), picked(&images, |row, column| (row, column - 1)));
}

#[test]
fn an_enlarged_image_is_interpolated_between_its_pixels() {
    let examples = Examples::images([2, 2, 1], vec![0, 100, 200, 40], vec![0]);
    let doubled = mapped(&examples, Affine::scale(2.0));
    // A quarter of the way in from each side.
    assert_eq!(doubled, [58.75, 76.25, 126.25, 78.75]);
}

/// Maps sampled by the first of `list` for many images.
fn shifts(list: &[Augmentation], epochs: u64) -> Vec<Affine> {
    let draws = (0..epochs).flat_map(|epoch| (0..50).map(move |item| (epoch, item)));
    let maps = draws.map(|(epoch, item)| {
        let mut rng = random::of_image(1, epoch, item);
        list[0].map([64, 64], &mut rng).unwrap()
    });
    maps.collect()
}

#[test]
fn sampled_parameters_fill_their_range_uniformly() {
    let degrees = |map: &Affine| map.y[0].atan2(map.x[0]).to_degrees();
    let moved = |map: &Affine| map.x[2] / 64.0;
    let factor = |map: &Affine| 1.0 / map.x[0];
    let whole = |map: &Affine| map.y[2];
    type Of = fn(&Affine) -> f64;
    let cases: [(Augmentation, Of, [f64; 2]); 4] = [
        (Augmentation::Rotate(15.0), degrees, [-15.0, 15.0]),
        (Augmentation::Translate(0.1), moved, [-0.1, 0.1]),
        (Augmentation::Scale([0.8, 1.2]), factor, [0.8, 1.2]),
        (Augmentation::Crop(4), whole, [-4.0, 4.0]),
    ];
    for (augmentation, of, [least, most]) in cases {
        let values: Vec<f64> = shifts(&[augmentation], 100).iter().map(of).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let (middle, range) = ((least + most) / 2.0, most - least);
        assert!((mean - middle).abs() < 0.03 * range, "{augmentation:?}: {mean}");
        let [low, high] = [f64::min as fn(f64, f64) -> f64, f64::max]
            .map(|extreme| values.iter().copied().reduce(extreme).unwrap());
        assert!(low >= least - 1e-6 && low < least + 0.02 * range, "{augmentation:?}: {low}");
        assert!(high <= most + 1e-6 && high > most - 0.02 * range, "{augmentation:?}: {high}");
    }
}

#[test]
fn half_of_all_images_are_flipped() {
    let flipped = shifts(&[Augmentation::FlipHorizontal], 100);
    let flipped = flipped.iter().filter(|map| map.x[0] < 0.0).count();
    assert!((2350..2650).contains(&flipped), "{flipped} of 5000");
}

#[test]
fn brightness_scales_contrast_keeps_the_mean_grey_and_both_are_clamped() {
    let examples = Examples::images([1, 2, 3], vec![100, 50, 20, 60, 90, 120], vec![0]);
    let of = |augmentation: Augmentation, epoch| changed(&examples, &[augmentation], epoch);
    let luma = |pixels: &[f32]| {
        let grey = |pixel: &[f32]| 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
        (grey(&pixels[..3]) + grey(&pixels[3..])) / 2.0
    };
    let before = examples.gather(&[0]).unwrap();
    for epoch in 0..50 {
        let brighter = of(Augmentation::Brightness(0.3), epoch);
        let factor = brighter[0] / before[0];
        assert!((0.7..=1.3).contains(&factor), "{factor}");
        brighter.iter().zip(&before).for_each(|(a, b)| assert!((a - factor * b).abs() < 1e-3));
        let clearer = of(Augmentation::Contrast(0.3), epoch);
        assert!((luma(&clearer) - luma(&before)).abs() < 1e-3);
        let factor = (clearer[0] - clearer[1]) / (before[0] - before[1]);
        assert!((0.7..=1.3).contains(&factor), "{factor}");
    }
    let white = Examples::images([1, 1, 1], vec![255], vec![0]);
    assert!(
        (0..20).all(|epoch| changed(&white, &[Augmentation::Brightness(0.5)], epoch)[0] <= 255.0)
    );
}

#[test]
fn saturation_keeps_the_grey_value_of_each_pixel_and_grey_images() {
    let examples = Examples::images([1, 2, 3], vec![120, 100, 80, 60, 90, 120], vec![0]);
    let grey = |pixel: &[f32]| 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
    let before = examples.gather(&[0]).unwrap();
    let mut factors = BTreeSet::new();
    for epoch in 0..200 {
        let changed = changed(&examples, &[Augmentation::Saturation(0.4)], epoch);
        for (pixel, before) in changed.chunks(3).zip(before.chunks(3)) {
            assert!((grey(pixel) - grey(before)).abs() < 1e-3);
        }
        let factor = (changed[0] - changed[2]) / (before[0] - before[2]);
        assert!((0.6..=1.4).contains(&factor), "{factor}");
        factors.insert((factor * 100.0) as u32);
    }
    assert!(factors.first() < Some(&65) && factors.last() > Some(&135), "{factors:?}");
    let grey = images([8, 8, 1]);
    let unchanged = grey.gather(&(0..20).collect::<Vec<_>>()).unwrap();
    assert_eq!(changed(&grey, &[Augmentation::Saturation(0.4)], 1), unchanged);
}

#[test]
fn an_erased_rectangle_has_the_mean_of_the_training_set() {
    let examples = images([16, 20, 3]);
    let mean = Normalization::Standardize.fit(&examples).unwrap().shift;
    let erasing = RandomErasing { probability: 1.0, area: [0.1, 0.2], ..Default::default() };
    let erased = changed(&examples, &[Augmentation::RandomErasing(erasing)], 1);
    let before = examples.gather(&(0..20).collect::<Vec<_>>()).unwrap();
    for (image, before) in erased.chunks(960).zip(before.chunks(960)) {
        let pixels = image.chunks(3).zip(before.chunks(3)).enumerate();
        let erased = pixels.filter(|(_, (pixel, before))| pixel != before);
        let erased: Vec<_> = erased.map(|(at, (pixel, _))| (at / 20, at % 20, pixel)).collect();
        assert!(erased.iter().all(|(_, _, pixel)| *pixel == mean));
        let sides = [0, 1].map(|side| {
            let places = erased.iter().map(|(row, column, _)| [*row, *column][side]);
            places.collect::<BTreeSet<_>>().len()
        });
        assert_eq!(erased.len(), sides[0] * sides[1]);
        assert!((0.08..0.22).contains(&(erased.len() as f64 / 320.0)), "{sides:?}");
    }
}

#[test]
fn operations_change_grey_and_tiny_images_within_the_range_of_pixels() {
    for shape in [SHAPE, [8, 8, 1], [1, 1, 3], [2, 5, 1], [33, 20, 3]] {
        for augmentation in [
            Augmentation::TrivialAugment,
            Augmentation::RandomResizedCrop(RandomResizedCrop::default()),
            Augmentation::RandomErasing(RandomErasing::default()),
        ] {
            let examples = images(shape);
            let values: Vec<f32> =
                (0..20).flat_map(|epoch| changed(&examples, &[augmentation], epoch)).collect();
            let within = values.iter().all(|value| (0.0..=255.0).contains(value));
            assert!(within, "{augmentation:?} {shape:?}");
        }
    }
}

#[test]
fn a_hue_rotation_keeps_greys_and_luma() {
    let examples = Examples::images([1, 2, 3], vec![90, 90, 90, 120, 100, 80], vec![0]);
    let mut differ = BTreeSet::new();
    for epoch in 0..50 {
        let turned = changed(&examples, &[Augmentation::Hue(180.0)], epoch);
        turned[..3].iter().for_each(|grey| assert!((grey - 90.0).abs() < 0.1, "{turned:?}"));
        let luma = 0.299 * turned[3] + 0.587 * turned[4] + 0.114 * turned[5];
        assert!((luma - 103.7).abs() < 0.1, "{turned:?}");
        differ.insert(turned[3].to_bits());
    }
    assert!(differ.len() > 45);
}

#[test]
fn a_cut_square_has_the_mean_of_the_training_set() {
    let examples = images([16, 16, 3]);
    let mean = Normalization::Standardize.fit(&examples).unwrap().shift;
    let cut = changed(&examples, &[Augmentation::Cutout(6)], 1);
    let before = examples.gather(&(0..20).collect::<Vec<_>>()).unwrap();
    for (image, before) in cut.chunks(768).zip(before.chunks(768)) {
        let pixels = image.chunks(3).zip(before.chunks(3));
        let filled = pixels.filter(|(pixel, before)| pixel != before);
        let filled: Vec<_> = filled.map(|(pixel, _)| pixel).collect();
        // A quarter of the square at least lies within.
        assert!((9..=36).contains(&filled.len()), "{}", filled.len());
        assert!(filled.iter().all(|pixel| *pixel == mean));
    }
}

/// Everything but mixing.
fn everything() -> Vec<Augmentation> {
    vec![
        Augmentation::RandomResizedCrop(RandomResizedCrop::default()),
        Augmentation::TrivialAugment,
        Augmentation::FlipHorizontal,
        Augmentation::Rotate(15.0),
        Augmentation::Scale([0.9, 1.1]),
        Augmentation::Translate(0.1),
        Augmentation::Brightness(0.2),
        Augmentation::Hue(10.0),
        Augmentation::Crop(2),
        Augmentation::Contrast(0.2),
        Augmentation::Saturation(0.3),
        Augmentation::RandomErasing(RandomErasing::default()),
        Augmentation::Cutout(3),
        Augmentation::FlipVertical,
    ]
}

#[test]
fn an_augmented_image_does_not_depend_on_its_batch() {
    let examples = images(SHAPE);
    let scaler = scaler(&examples);
    let augmenter = Augmenter::new(&everything(), &examples, 1).unwrap().unwrap();
    let of = |items: &[usize], epoch, parallel| {
        augmenter.inputs(&examples, items, &scaler, epoch, parallel).unwrap()
    };
    let all: Vec<usize> = (0..20).rev().collect();
    let together = of(&all, 3, false);
    assert_eq!(together, of(&all, 3, true));
    let alone: Vec<f32> = all.iter().flat_map(|&item| of(&[item], 3, false)).collect();
    assert_eq!(together, alone);
    assert_ne!(together, of(&all, 4, false));
    let other = Augmenter::new(&everything(), &examples, 2).unwrap().unwrap();
    assert_ne!(together, other.inputs(&examples, &all, &scaler, 3, false).unwrap());
    assert!(together.iter().all(|value| value.is_finite()));
}

/// Images of 64 pixels that are all the number of the image, mixed.
fn mixed(augmentation: Augmentation, step: u64, count: usize) -> (Vec<f32>, Mix) {
    let examples = images([8, 8, 1]);
    let augmenter = Augmenter::new(&[augmentation], &examples, 1).unwrap().unwrap();
    let mut inputs: Vec<f32> = (0..count * 64).map(|at| (at / 64) as f32).collect();
    let labels: Vec<u32> = (0..count as u32).collect();
    let batch = BatchIndex { step, micro_batch: 0 };
    let mix = augmenter.mix(&mut inputs, [8, 8, 1], &labels, batch).unwrap();
    (inputs, mix)
}

#[test]
fn mixup_mixes_pairs_in_one_proportion() {
    for (step, count) in (0..20).zip([10, 7, 2, 1].into_iter().cycle()) {
        let (inputs, mix) = mixed(Augmentation::Mixup(0.4), step, count);
        for (item, image) in inputs.chunks(64).enumerate() {
            let other = mix.others[item];
            assert_eq!(mix.others[other as usize], item as u32);
            let expected = mix.share * item as f64 + (1.0 - mix.share) * f64::from(other);
            assert!(image.iter().all(|value| (f64::from(*value) - expected).abs() < 1e-5));
        }
        let alone = mix.others.iter().enumerate().filter(|(item, other)| *item as u32 == **other);
        assert_eq!(alone.count(), count % 2);
    }
}

#[test]
fn cutmix_replaces_the_reported_share_of_each_image() {
    let mut shares = BTreeSet::new();
    for step in 0..50 {
        let (inputs, mix) = mixed(Augmentation::Cutmix(1.0), step, 6);
        for (item, image) in inputs.chunks(64).enumerate() {
            let own = image.iter().filter(|value| **value == item as f32).count();
            let other = image.iter().filter(|value| **value == mix.others[item] as f32).count();
            assert_eq!(own + other, 64);
            assert!((own as f64 / 64.0 - mix.share).abs() < 1e-9);
        }
        shares.insert((mix.share * 64.0) as u32);
    }
    assert!(shares.len() > 10);
    for augmentation in [Augmentation::Mixup(0.01), Augmentation::Cutmix(0.01)] {
        assert!((0..500).all(|step| (0.0..=1.0).contains(&mixed(augmentation, step, 2).1.share)));
    }
    assert_eq!(mixed(Augmentation::Cutmix(1.0), 3, 6), mixed(Augmentation::Cutmix(1.0), 3, 6));
    assert_ne!(mixed(Augmentation::Cutmix(1.0), 3, 6), mixed(Augmentation::Cutmix(1.0), 4, 6));
}

#[test]
fn augmentations_that_do_not_suit_the_images_are_refused() {
    let grey = images([8, 8, 1]);
    let features = Examples::features(2, vec![0.0; 4], vec![0, 1]);
    for (list, examples, word) in [
        (&[Augmentation::Hue(10.0)][..], &grey, "grey"),
        (&[Augmentation::Cutout(8)], &grey, "cutout = 8"),
        (&[Augmentation::Crop(9)], &grey, "crop = 9"),
        (&[Augmentation::FlipHorizontal], &features, "2 features"),
    ] {
        let error = Augmentation::check_against(list, examples).unwrap_err().to_string();
        assert!(error.contains(word) && error.contains("`augmentation`"), "{error}");
    }
    Augmentation::check_against(&everything(), &images(SHAPE)).unwrap();
    Augmentation::check_against(&[], &features).unwrap();
}

#[test]
fn invalid_values_are_reported_with_their_index_in_the_list() {
    use Augmentation::*;
    let crop = super::RandomResizedCrop { area: [0.5, 0.1], ..Default::default() };
    let erasing = super::RandomErasing { aspect: [2.0, 1.0], ..Default::default() };
    let list = [
        Rotate(10.0),
        Scale([1.2, 0.9]),
        Mixup(0.2),
        RandomResizedCrop(crop),
        RandomErasing(erasing),
        Cutmix(1.0),
    ];
    let mut check = Check::default();
    Augmentation::check_all(&list, &mut check);
    let keys: Vec<_> = check.into_problems().into_iter().map(|problem| problem.key).collect();
    let expected = [
        "augmentation.1.scale",
        "augmentation.2.mixup",
        "augmentation.3.random_resized_crop.area",
        "augmentation.4.random_erasing.aspect",
    ];
    assert_eq!(keys, expected);
}
