use std::collections::BTreeSet;
use std::path::Path;

use data::{Examples, Fit, SplitKind};

use super::dataset_writer::{ConvertedDataset, DatasetWriter};
use super::error::{ConvertError, ProgressCallback};
use super::new_output::NewOutput;
use crate::manifest;
use crate::quality::inspection::{Finding, InspectedSplit, Problem, write_csv};

/// Name of the list of removed examples.
const REMOVED: &str = "removed.csv";

/// Copy of a data set without the examples whose problems falsify a score.
///
/// - Of equal examples in a part, the first is kept; if their labels differ, none is.
/// - Validation and test examples with a near-duplicate in an earlier part are removed, and the earlier part
///   stays as it is. Of equal examples of two parts with different labels, none is kept.
/// - Blank images are removed.
///
/// Suspect labels are kept: most of them have to be looked at.
pub struct Cleaning<'a> {
    /// The parts, as they were inspected.
    pub parts: Vec<InspectedSplit>,
    /// Class names, in the order of the labels.
    pub classes: &'a [String],
    /// Whether the data are synthetic.
    pub synthetic: bool,
    /// Fit of the images, if it is known.
    pub fit: Option<Fit>,
    /// Findings of the inspection.
    pub findings: Vec<Finding>,
}

impl Cleaning<'_> {
    /// Writes one file per part, a manifest and the list `removed.csv` to the new directory `out`. Returns
    /// the new data set and the findings for which examples were removed. Fails if no training example
    /// would be left, or files cannot be read or written.
    pub fn apply(
        mut self,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<(ConvertedDataset, Vec<Finding>), ConvertError> {
        let output = NewOutput::directory(out)?;
        self.findings.retain(|finding| finding.problem != Problem::SuspectLabel);
        let list = output.partial_of(Path::new(REMOVED));
        write_csv(&self.findings, &list).map_err(ConvertError::unwritable(&list))?;
        let first = self.parts.first().map(|part| &part.examples);
        let dataset = ConvertedDataset {
            shape: first.map_or([0; 3], |examples| examples.shape),
            are_images: first.is_some_and(Examples::are_images),
            classes: self.classes.to_vec(),
            synthetic: self.synthetic,
            ..ConvertedDataset::default()
        };
        let total = self.parts.iter().map(|part| part.examples.len()).sum();
        let mut writer = DatasetWriter::new(output, dataset, self.fit, total, progress);
        let removed = self.removed();
        for InspectedSplit { split, examples, indices } in &mut self.parts {
            manifest::number_examples(examples, split.as_str(), indices.iter().copied())?;
            let is_kept = |item: &usize| {
                indices.get(*item).is_some_and(|index| !removed.contains(&(*split, *index)))
            };
            let items: Vec<usize> = (0..examples.len()).filter(is_kept).collect();
            if !items.is_empty() {
                writer.write(*split, examples, &items)?;
            } else if *split == SplitKind::Train {
                let found = "would have no example: all are blank, or contradict an equal one";
                let path = out.join("train.h5");
                return Err(ConvertError::layout(&path, found, "correct their labels"));
            }
        }
        Ok((writer.finish()?, self.findings))
    }

    /// Part and index of the examples to remove.
    fn removed(&self) -> BTreeSet<(SplitKind, usize)> {
        let mut removed = BTreeSet::new();
        for finding in &self.findings {
            removed.insert((finding.part, finding.index));
            let contradict = match finding.problem {
                Problem::ConflictingLabels => true,
                Problem::ConflictingLabelsAcrossSplits => finding.distance == Some(0.0),
                _ => false,
            };
            if let (true, Some(part), Some(index)) =
                (contradict, finding.other_part, finding.other_index)
            {
                removed.insert((part, index));
            }
        }
        removed
    }
}
