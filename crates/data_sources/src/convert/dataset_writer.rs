use std::path::PathBuf;

use data::{Examples, Fit, SplitKind};
use data_hdf5::FileContents;
use serde::Serialize;

use super::error::{ConvertError, ProgressCallback, report_progress};
use super::new_output::NewOutput;
use crate::manifest::{self, ManifestRow, manifest_path};
use crate::quality::{GroupStatistics, MissingClass, class_counts};

/// One split of a converted data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConvertedSplit {
    /// The split.
    pub part: SplitKind,
    /// Its file or folder.
    pub path: PathBuf,
    /// Number of examples.
    pub count: usize,
    /// Number of examples of each class, in the order of the labels.
    pub classes: Vec<usize>,
}

/// Groups of near-duplicates, each kept in one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateGroups {
    /// Number and sizes of the groups.
    #[serde(flatten)]
    pub statistics: GroupStatistics,
    /// Classes missing from a split because their groups are larger than the held-out fraction.
    pub missing_classes: Vec<MissingClass>,
}

/// A data set that a conversion wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConvertedDataset {
    /// Shape of an example: `[height, width, channels]` of images, `[1, 1, count]` of features.
    pub shape: [usize; 3],
    /// Whether the examples are images.
    pub are_images: bool,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether the data are synthetic.
    pub synthetic: bool,
    /// The splits.
    pub parts: Vec<ConvertedSplit>,
    /// Groups of near-duplicates, each kept in one split; `None` if they were not searched for.
    pub duplicate_groups: Option<DuplicateGroups>,
}

/// Writer of a data set: an HDF5 file for each part, and a manifest.
pub struct DatasetWriter<'a, 'w> {
    output: NewOutput,
    pub dataset: ConvertedDataset,
    fit: Option<Fit>,
    rows: Vec<ManifestRow>,
    /// Number of examples written, and of all.
    done: [usize; 2],
    pub progress: &'a mut ProgressCallback<'w>,
}

impl<'a, 'w> DatasetWriter<'a, 'w> {
    /// Starts to write `dataset`, without parts, of `total` examples.
    pub fn new(
        output: NewOutput,
        dataset: ConvertedDataset,
        fit: Option<Fit>,
        total: usize,
        progress: &'a mut ProgressCallback<'w>,
    ) -> Self {
        Self { output, dataset, fit, rows: Vec::new(), done: [0, total], progress }
    }

    /// Writes the `examples` at `items`, which have origins, to the file of `split`.
    pub fn write(
        &mut self,
        split: SplitKind,
        examples: &Examples,
        items: &[usize],
    ) -> Result<(), ConvertError> {
        let Self { output, dataset, progress, done: [done, total], .. } = self;
        let path = output.file_of(split);
        let contents = FileContents {
            split,
            count: items.len(),
            shape: dataset.shape,
            are_images: dataset.are_images,
            fit: self.fit,
            classes: &dataset.classes,
            synthetic: dataset.synthetic,
        };
        let written = contents.write(&output.partial_of(&path), |range| {
            report_progress(progress, "writing examples", *done, *total)?;
            *done += range.len();
            let (block, rows) = examples.in_memory(items.get(range).unwrap_or_default())?;
            Ok::<_, ConvertError>(block.select(&rows))
        });
        written.map_err(|error| error.at(&path))?;
        let labels = examples.labels_at(items);
        let origins = items.iter().filter_map(|&item| examples.origins.get(item));
        let described = origins.zip(&labels).enumerate();
        self.rows.extend(described.map(|(index, (origin, &label))| {
            ManifestRow::new(split, index, origin, label, &dataset.classes)
        }));
        let classes = class_counts(&labels, dataset.classes.len());
        dataset.parts.push(ConvertedSplit { part: split, path, count: items.len(), classes });
        Ok(())
    }

    /// Writes the manifest, and moves everything to its final path.
    pub fn finish(self) -> Result<ConvertedDataset, ConvertError> {
        let path = manifest_path(&self.output.partial_of(&self.output.file_of(SplitKind::Train)));
        manifest::write(&path, self.rows).map_err(ConvertError::unwritable(&path))?;
        self.output.finish()?;
        Ok(self.dataset)
    }
}
