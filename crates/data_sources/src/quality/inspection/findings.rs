use std::io;
use std::path::Path;

use data::SplitKind;
use serde::Serialize;

use super::{DuplicatePair, ExampleLocation, Inspection};

/// An example with a problem: a line of a CSV file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Part of the example.
    pub part: SplitKind,
    /// Index in the file of the part.
    pub index: usize,
    /// File of the example, if it is known.
    pub file: Option<String>,
    /// Name of its class.
    pub class: String,
    /// The problem.
    pub problem: Problem,
    /// Part of the other example of a pair.
    pub other_part: Option<SplitKind>,
    /// Index of the other example.
    pub other_index: Option<usize>,
    /// File of the other example, if it is known.
    pub other_file: Option<String>,
    /// Class of the other example.
    pub other_class: Option<String>,
    /// Distance of the pair, as a fraction of the median distance between images of the data set.
    pub distance: Option<f32>,
}

/// Problem of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// It is equal to another example of its part.
    Duplicate,
    /// It is equal to another example of its part that has another label.
    ConflictingLabels,
    /// It is equal to or a near-duplicate of an example of another part.
    NearDuplicateAcrossSplits,
    /// It is equal to or a near-duplicate of an example of another part that has another label.
    ConflictingLabelsAcrossSplits,
    /// All its pixels are equal.
    Blank,
    /// Images that are close have another label.
    SuspectLabel,
}

impl Inspection {
    /// All examples with problems.
    pub fn findings(&self) -> Vec<Finding> {
        let of_pair = |pair: &DuplicatePair, [agree, conflict]: [Problem; 2]| {
            let problem = if pair.labels_agree() { agree } else { conflict };
            Finding::new(&pair.example, problem, Some((&pair.of, pair.distance)))
        };
        let across = self.near_duplicates.iter().map(|pair| {
            let problems =
                [Problem::NearDuplicateAcrossSplits, Problem::ConflictingLabelsAcrossSplits];
            of_pair(pair, problems)
        });
        let duplicates = self.duplicates.iter();
        let duplicates =
            duplicates.map(|pair| of_pair(pair, [Problem::Duplicate, Problem::ConflictingLabels]));
        let blank = self.blank.iter().map(|example| Finding::new(example, Problem::Blank, None));
        let suspects = self.suspect_labels.iter().flat_map(|suspects| &suspects.listed);
        let suspects = suspects.map(|suspect| {
            let nearest = Some((&suspect.nearest, suspect.distance));
            Finding::new(&suspect.example, Problem::SuspectLabel, nearest)
        });
        across.chain(duplicates).chain(blank).chain(suspects).collect()
    }
}

/// Writes findings as a CSV file. Fails if the file cannot be written.
pub fn write_csv(findings: &[Finding], path: &Path) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_path(path)?;
    writer.write_record([
        "part",
        "index",
        "file",
        "class",
        "problem",
        "other_part",
        "other_index",
        "other_file",
        "other_class",
        "distance",
    ])?;
    for finding in findings {
        writer.serialize(finding)?;
    }
    writer.flush()
}

impl Finding {
    /// `other` is the other example of a pair and its distance.
    fn new(
        example: &ExampleLocation,
        problem: Problem,
        other: Option<(&ExampleLocation, f32)>,
    ) -> Self {
        let (other, distance) = other.unzip();
        Self {
            part: example.part,
            index: example.index,
            file: example.file.clone(),
            class: example.class.clone(),
            problem,
            other_part: other.map(|other| other.part),
            other_index: other.map(|other| other.index),
            other_file: other.and_then(|other| other.file.clone()),
            other_class: other.map(|other| other.class.clone()),
            distance,
        }
    }
}
