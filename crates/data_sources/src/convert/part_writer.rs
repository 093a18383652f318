use std::path::Path;

use data::{Examples, Fit, SplitKind};
use data_hdf5::FileContents;

use super::error::ConvertError;
use super::progress::{ProgressCallback, report_progress};
use crate::manifest::{self, ManifestRow};

/// Writer of selected examples to the HDF5 files of parts.
pub struct PartWriter<'a, 'w> {
    /// Class names, in the order of the labels.
    pub classes: &'a [String],
    /// Whether the data are synthetic.
    pub synthetic: bool,
    /// Fit of the images, if it is known.
    pub fit: Option<Fit>,
    /// Number of examples written.
    pub done: usize,
    /// Number of all examples.
    pub total: usize,
    /// Progress of the conversion.
    pub progress: &'a mut ProgressCallback<'w>,
}

impl PartWriter<'_, '_> {
    /// Writes the `examples` at `items` to the file of `split` at `path`, and returns their rows of the
    /// manifest.
    pub fn write(
        &mut self,
        path: &Path,
        split: SplitKind,
        examples: &Examples,
        items: &[usize],
    ) -> Result<Vec<ManifestRow>, ConvertError> {
        let Self { classes, synthetic, fit, done, total, progress } = self;
        let contents = FileContents {
            split,
            count: items.len(),
            shape: examples.shape,
            are_images: examples.are_images(),
            fit: *fit,
            classes,
            synthetic: *synthetic,
        };
        contents.write(path, |range| {
            report_progress(progress, "writing examples", *done, *total)?;
            *done += range.len();
            let chosen = items.get(range).unwrap_or_default();
            let (block, rows) = examples.in_memory(chosen)?;
            Ok::<_, ConvertError>(block.select(&rows))
        })?;
        let origins = items.iter().filter_map(|&item| examples.origins.get(item));
        let described = origins.zip(examples.labels_at(items));
        Ok(manifest::rows(split, described, classes).collect())
    }
}

/// Writes a manifest.
pub fn write_manifest(path: &Path, rows: Vec<ManifestRow>) -> Result<(), ConvertError> {
    manifest::write(path, rows.into_iter()).map_err(ConvertError::unwritable(path))
}
