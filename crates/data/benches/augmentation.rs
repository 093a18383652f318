//! Images per second and core of each augmentation and of whole lists, for images of 64x64x3 and 128x128x3.
//!
//!     cargo bench -p trainer-data --bench augmentation

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a program")]

use std::error::Error;
use std::fs;

use trainer_data::{
    Augmentation, Augmenter, Examples, Normalization, RandomErasing, RandomResizedCrop,
};

const IMAGES: usize = 256;
const ROUNDS: u64 = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let all = lists();
    println!("images per second and core, mean of {ROUNDS} rounds");
    for side in [64, 128] {
        let pixels = (0..IMAGES * side * side * 3).map(|at| (at * at / 7 % 251) as u8).collect();
        let images = Examples::images([side, side, 3], pixels, vec![0; IMAGES]);
        println!("\n{side}x{side}x3");
        for (name, list) in &all {
            println!("{name:44} {:8.0}", speed(&images, list)?);
        }
    }
    Ok(())
}

fn lists() -> Vec<(&'static str, Vec<Augmentation>)> {
    let crop = Augmentation::RandomResizedCrop(RandomResizedCrop::default());
    let erasing = Augmentation::RandomErasing(RandomErasing::default());
    let with = |first: Augmentation| {
        let rest = [
            Augmentation::FlipHorizontal,
            Augmentation::Brightness(0.2),
            Augmentation::Contrast(0.2),
            Augmentation::Saturation(0.2),
            erasing,
        ];
        [first].into_iter().chain(rest).collect()
    };
    vec![
        ("flip_horizontal", vec![Augmentation::FlipHorizontal]),
        ("random_resized_crop", vec![crop]),
        ("brightness", vec![Augmentation::Brightness(0.2)]),
        ("contrast", vec![Augmentation::Contrast(0.2)]),
        ("saturation", vec![Augmentation::Saturation(0.2)]),
        ("random_erasing", vec![erasing]),
        ("trivial_augment", vec![Augmentation::TrivialAugment]),
        ("crop, flip, colours, erasing", with(crop)),
        ("trivial_augment, flip, colours, erasing", with(Augmentation::TrivialAugment)),
    ]
}

/// Seconds of processor time of this thread, which other programs do not change much.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = statistics.split(' ').next().ok_or("no time")?;
    Ok(1e-9 * nanoseconds.parse::<f64>()?)
}

/// Images per second of processor time.
fn speed(images: &Examples, list: &[Augmentation]) -> Result<f64, Box<dyn Error>> {
    let scaler = Normalization::Standardize.fit(images)?.scaler();
    let augmenter = Augmenter::new(list, images, 1)?.ok_or("an empty list")?;
    let items: Vec<usize> = (0..images.len()).collect();
    let start = processor_seconds()?;
    for epoch in 0..ROUNDS {
        std::hint::black_box(augmenter.inputs(images, &items, &scaler, epoch, false)?);
    }
    Ok((ROUNDS as usize * images.len()) as f64 / (processor_seconds()? - start))
}
