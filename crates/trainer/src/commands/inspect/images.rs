//! Images of the inspection page.

use data::Values;
use data_sources::quality::inspection::{ExampleLocation, InspectedSplit, Inspection};
use report::{DataImage, DataPreview};

use crate::error::Failure;
use crate::text::escaped;

/// Maximum number of classes with example images, and of images per class.
const CLASSES: usize = 20;
const IMAGES: usize = 10;

/// Returns example images of each class, evenly spaced over the first split.
pub fn preview(
    parts: &[InspectedSplit],
    inspection: &Inspection,
) -> Result<Vec<DataPreview>, Failure> {
    let Some(part) = parts.first() else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for (class, name) in inspection.classes.iter().enumerate().take(CLASSES) {
        let labels = part.examples.labels.iter().enumerate();
        let of_class = labels.filter(|(_, label)| **label as usize == class);
        let items: Vec<usize> = of_class.map(|(item, _)| item).collect();
        let items = items.iter().step_by(items.len().div_ceil(IMAGES).max(1));
        let images = items.map(|&item| {
            let index = part.indices.get(item).copied().unwrap_or(item);
            image(part, item, [format!("{index}"), String::new()])
        });
        rows.push(DataPreview { class: escaped(name), images: images.collect::<Result<_, _>>()? });
    }
    Ok(rows)
}

/// Returns the image of `example`, captioned with its split, index and class.
pub fn captioned(
    parts: &[InspectedSplit],
    example: &ExampleLocation,
) -> Result<DataImage, Failure> {
    let class = escaped(&example.class);
    let captions = [format!("{} {}", example.part, example.index), format!("class {class}")];
    let part = parts.iter().find(|part| part.split == example.part);
    let part = part.ok_or_else(|| Failure::usage(format!("there is no {} set", example.part)))?;
    image(part, example.item, captions)
}

fn image(part: &InspectedSplit, item: usize, captions: [String; 2]) -> Result<DataImage, Failure> {
    let image = part.examples.select(&[item]);
    let image = image.in_memory(&[0]).map_err(|error| Failure::run(&error))?.0.into_owned();
    let pixels = if let Values::Pixels(pixels) = image.values { pixels } else { Vec::new() };
    Ok(DataImage { shape: image.shape, pixels, captions })
}
