use std::path::{Path, PathBuf};

use dataset::{InspectedPart, Inspection, Pair, Place, Values};
use report::{ReportError, Sheet, SheetCell, SheetRow, draw_sheet};

use crate::error::Failure;

/// The most classes and images of a class that are drawn.
const CLASSES: usize = 20;
const IMAGES: usize = 10;
/// The most pairs that are.
pub const PAIRS: usize = 40;
/// So many pairs stand side by side.
const ABREAST: usize = 4;

/// Draws some images of each class, and the twins side by side; the pictures that it has drawn.
pub fn draw(
    parts: &[InspectedPart],
    inspection: &Inspection,
    out: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let sheets =
        [("preview", preview(parts, inspection)?), ("twins", twins(parts, &inspection.twins)?)];
    let drawn = sheets.map(|(name, sheet)| {
        let stem = out.join(name);
        draw_sheet(&sheet, &stem).map(|()| stem.with_extension("png"))
    });
    let drawn = drawn.into_iter().collect::<Result<_, ReportError>>();
    drawn.map_err(|error| Failure::run(&error))
}

/// A row a class, with images evenly over the first part.
pub fn preview(parts: &[InspectedPart], inspection: &Inspection) -> Result<Sheet, Failure> {
    let Some(part) = parts.first() else {
        return Ok(Sheet { title: "no images".to_owned(), rows: Vec::new() });
    };
    let mut rows = Vec::new();
    for (class, name) in inspection.classes.iter().enumerate().take(CLASSES) {
        let labels = part.examples.labels.iter().enumerate();
        let of_class = labels.filter(|(_, label)| **label as usize == class);
        let items: Vec<usize> = of_class.map(|(item, _)| item).collect();
        let items = items.iter().step_by(items.len().div_ceil(IMAGES).max(1));
        let cells = items.map(|&item| {
            let index = part.indices.get(item).copied().unwrap_or(item);
            cell(part, item, [format!("{index}"), String::new()])
        });
        let cells = cells.collect::<Result<_, _>>()?;
        rows.push(SheetRow { label: name.clone(), groups: vec![cells] });
    }
    let shown = match inspection.classes.len() {
        count if count > CLASSES => format!(", the first {CLASSES} of {count} classes"),
        count => format!(", {count} classes"),
    };
    Ok(Sheet { title: format!("{} set{shown}", part.name), rows })
}

/// Pairs side by side, some of them abreast.
fn twins(parts: &[InspectedPart], twins: &[Pair]) -> Result<Sheet, Failure> {
    let title = match twins.len() {
        0 => "no image has a twin in another part".to_owned(),
        1 => "1 image has a twin in another part".to_owned(),
        count if count > PAIRS => {
            format!("the first {PAIRS} of {count} images with a twin in another part")
        }
        count => format!("{count} images with a twin in another part"),
    };
    let mut rows = Vec::new();
    for pairs in twins.iter().take(PAIRS).collect::<Vec<_>>().chunks(ABREAST) {
        let groups = pairs.iter().map(|pair| {
            [&pair.example, &pair.of].into_iter().map(|place| placed(parts, place)).collect()
        });
        let groups = groups.collect::<Result<_, _>>()?;
        rows.push(SheetRow { label: String::new(), groups });
    }
    Ok(Sheet { title, rows })
}

/// The image at a place, with its part, its index and its class below.
pub fn placed(parts: &[InspectedPart], place: &Place) -> Result<SheetCell, Failure> {
    let captions = [format!("{} {}", place.part, place.index), format!("class {}", place.class)];
    let part = parts.iter().find(|part| part.name == place.part);
    let part = part.ok_or_else(|| Failure::usage(format!("there is no part {}", place.part)))?;
    cell(part, place.item, captions)
}

fn cell(part: &InspectedPart, item: usize, captions: [String; 2]) -> Result<SheetCell, Failure> {
    let image = part.examples.select(&[item]);
    let image = image.in_memory(&[0]).map_err(|error| Failure::run(&error))?.0.into_owned();
    let pixels = if let Values::Pixels(pixels) = image.values { pixels } else { Vec::new() };
    Ok(SheetCell { shape: image.shape, pixels, captions })
}
