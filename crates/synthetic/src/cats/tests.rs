use super::*;

const IMAGE_LEN: usize = PIXELS * PIXELS * 3;

fn rows(images: &Images) -> impl Iterator<Item = (u32, &[u8])> {
    images.labels.iter().copied().zip(images.pixels.chunks(IMAGE_LEN))
}

/// Mean of the values at each position.
fn mean<'a>(rows: impl Iterator<Item = &'a [u8]>) -> Vec<f64> {
    let (mut sum, mut count) = (vec![0.0; IMAGE_LEN], 0.0);
    for row in rows {
        count += 1.0;
        sum.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sum.iter().map(|sum| sum / count).collect()
}

fn squared_distance(row: &[u8], mean: &[f64]) -> f64 {
    row.iter().zip(mean).map(|(&value, mean)| (f64::from(value) - mean).powi(2)).sum()
}

#[test]
fn a_seed_determines_the_images() {
    let images = generate(0..12, 5);
    assert_eq!(images, generate(0..12, 5));
    assert_ne!(images.pixels, generate(0..12, 6).pixels);
}

#[test]
fn two_of_every_five_images_are_cats_in_random_order() {
    let [one, other] = [1, 2].map(|seed| generate(0..50, seed).labels);
    assert!(one.chunks(5).all(|group| group.iter().sum::<u32>() == 2), "{one:?}");
    assert_ne!(one, other);
    assert_ne!(one[..25], one[25..]);
}

#[test]
fn pixels_are_neither_constant_nor_saturated() {
    let images = generate(0..24, 4);
    for (_, image) in rows(&images) {
        let clipped = image.iter().filter(|&&value| value == 0 || value == 255).count();
        let range = image.iter().max().zip(image.iter().min()).map(|(high, low)| high - low);
        assert!(clipped < IMAGE_LEN / 20, "{clipped} clipped values");
        assert!(range > Some(80), "range {range:?}");
    }
}

#[test]
fn mean_brightness_does_not_separate_the_classes() {
    let images = generate(0..400, 3);
    let brightness = |image: &[u8]| image.iter().map(|&value| u32::from(value)).sum::<u32>();
    let mut sorted: Vec<_> =
        rows(&images).map(|(label, image)| (brightness(image), label)).collect();
    sorted.sort_unstable();
    // Correct predictions of the best threshold, in either direction.
    let mut correct = images.labels.iter().filter(|&&label| label == 1).count();
    let mut best = 0;
    for (_, label) in sorted {
        if label == 0 {
            correct += 1
        } else {
            correct -= 1
        }
        best = best.max(correct).max(400 - correct);
    }
    assert!(best < 270, "{best} of 400");
}

#[test]
fn a_nearest_mean_classifier_beats_chance() {
    let (train, test) = (generate(0..400, 1), generate(400..600, 1));
    let means = [0, 1].map(|class| {
        mean(rows(&train).filter(|(label, _)| *label == class).map(|(_, image)| image))
    });
    // Share of correct predictions per class; a constant prediction scores 0.5 on average.
    let recall = [0, 1].map(|class| {
        let of_class: Vec<_> = rows(&test).filter(|(label, _)| *label == class).collect();
        let correct = of_class.iter().filter(|(_, image)| {
            let [non_cat, cat] = [0, 1].map(|i: usize| squared_distance(image, &means[i]));
            (cat < non_cat) == (class == 1)
        });
        correct.count() as f64 / of_class.len() as f64
    });
    let balanced = f64::midpoint(recall[0], recall[1]);
    assert!((0.55..0.8).contains(&balanced), "{recall:?}");
}
