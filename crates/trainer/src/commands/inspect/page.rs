use std::path::{Path, PathBuf};

use artifacts::{BoundaryPoint, DecisionBoundary};
use data::{Examples, SplitKind};
use data_sources::quality::inspection::{
    ChannelStatistics, DuplicatePair, ExampleLocation, InspectedSplit, Inspection, SplitStatistics,
    SuspectLabels,
};
use report::{DataCard, DataFinding, DataHistogram, DataPage, DataPart, draw_inspection};

use super::Report;
use super::images::{captioned, preview};
use super::text::{about, agreement, distance, search_coverage};
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::text::escaped;

/// Maximum number of plotted points of a split.
const MAX_POINTS: usize = 4000;
/// Maximum number of cards per finding.
const CARDS: usize = 40;

/// Writes `inspection.html` into the directory `out` and returns its path.
pub fn write(parts: &[InspectedSplit], report: &Report, out: &Path) -> Result<PathBuf, Failure> {
    let inspection = report.inspection;
    let histograms = inspection.histograms(parts).map_err(|error| Failure::run(&error))?;
    let data = DataPage {
        title: escaped(&report.input),
        about: about(inspection),
        warning: report.synthetic.then(|| SYNTHETIC_NOTICE.to_owned()),
        problems: report.problems.iter().chain(&inspection.warnings).cloned().collect(),
        findings: findings(parts, inspection)?,
        classes: inspection.classes.iter().map(|class| escaped(class)).collect(),
        parts: inspection.parts.iter().map(|part| data_part(part, report)).collect(),
        unit: if inspection.are_images { "channel" } else { "feature" },
        histograms: histograms
            .into_iter()
            .map(|histogram| DataHistogram { range: histogram.range, parts: histogram.parts })
            .collect(),
        points: scatter_plot(parts, inspection)?,
        preview: if inspection.are_images { preview(parts, inspection)? } else { Vec::new() },
        sums: report.sha256.iter().map(|(set, sum)| (set.clone(), sum.clone())).collect(),
    };
    let page = out.join("inspection.html");
    draw_inspection(&data, &page).map_err(|error| Failure::run(&error))?;
    Ok(page)
}

fn data_part(part: &SplitStatistics, report: &Report) -> DataPart {
    let values = |of: &ChannelStatistics| [of.lowest, of.highest, of.mean, of.deviation];
    DataPart {
        name: part.part.to_string(),
        origin: report.origins.get(&part.part).map_or(String::new(), |origin| escaped(origin)),
        count: part.count,
        classes: part.classes.clone(),
        channels: part.channels.iter().map(values).collect(),
    }
}

/// Results of all checks.
fn findings(
    parts: &[InspectedSplit],
    inspection: &Inspection,
) -> Result<Vec<DataFinding>, Failure> {
    let mut findings = vec![
        near_duplicates(parts, inspection)?,
        conflicting_labels(parts, inspection)?,
        duplicates(parts, inspection)?,
    ];
    if inspection.are_images {
        findings.push(blank(parts, &inspection.blank)?);
    }
    if let Some(suspects) = &inspection.suspect_labels {
        findings.push(suspect_labels(parts, suspects)?);
    }
    findings.push(DataFinding {
        heading: "Corrupt examples",
        count: Some(0),
        summary: "every value and label was read and checked; a corrupt file is an error"
            .to_owned(),
        remedy: "",
        cards: Vec::new(),
    });
    Ok(findings)
}

fn near_duplicates(
    parts: &[InspectedSplit],
    inspection: &Inspection,
) -> Result<DataFinding, Failure> {
    Ok(DataFinding {
        heading: "Near-duplicates across splits",
        count: (parts.len() > 1).then_some(inspection.near_duplicates.len()),
        summary: search_coverage(inspection).to_owned(),
        remedy: "The test score counts images that the model was trained on. `trainer evaluate` also \
               reports the score without them. Remove them from the test set or from the training \
               set.",
        cards: cards(&inspection.near_duplicates, |pair| of_pair(parts, pair))?,
    })
}

fn conflicting_labels(
    parts: &[InspectedSplit],
    inspection: &Inspection,
) -> Result<DataFinding, Failure> {
    let pairs = inspection.duplicates.iter().chain(&inspection.near_duplicates);
    let conflicts: Vec<_> = pairs.filter(|pair| !pair.labels_agree()).collect();
    Ok(DataFinding {
        heading: "Conflicting labels",
        count: Some(conflicts.len()),
        summary: "equal or near-duplicate examples of different classes".to_owned(),
        remedy: "One label of each pair is wrong. Correct it in the file, or remove both examples.",
        cards: cards(&conflicts, |pair| of_pair(parts, pair))?,
    })
}

fn duplicates(parts: &[InspectedSplit], inspection: &Inspection) -> Result<DataFinding, Failure> {
    Ok(DataFinding {
        heading: "Duplicates within a split",
        count: Some(inspection.duplicates.len()),
        summary: "examples with identical values".to_owned(),
        remedy: "Each copy counts in training and in scores. Unless that is intended, keep one.",
        cards: cards(&inspection.duplicates, |pair| of_pair(parts, pair))?,
    })
}

fn blank(parts: &[InspectedSplit], blank: &[ExampleLocation]) -> Result<DataFinding, Failure> {
    Ok(DataFinding {
        heading: "Blank images",
        count: Some(blank.len()),
        summary: "all pixels are equal".to_owned(),
        remedy: "They contain no information. Check how they were made, and remove them.",
        cards: cards(blank, |example| card(parts, &[example], Vec::new()))?,
    })
}

/// Images whose nearest training images all have another label.
fn suspect_labels(
    parts: &[InspectedSplit],
    suspects: &SuspectLabels,
) -> Result<DataFinding, Failure> {
    Ok(DataFinding {
        heading: "Suspect labels",
        count: suspects.is_reliable().then_some(suspects.listed.len()),
        summary: agreement(suspects),
        remedy: "Each image on the left is close to images of another class. Check its label, and \
               correct it in the file if it is wrong.",
        cards: cards(&suspects.listed, |suspect| {
            let (example, nearest) = (&suspect.example, &suspect.nearest);
            let words = vec![
                format!("labelled {}", escaped(&example.class)),
                format!("its 5 nearest training images are labelled {}", escaped(&nearest.class)),
                distance(suspect.distance),
            ];
            card(parts, &[example, nearest], words)
        })?,
    })
}

fn of_pair(parts: &[InspectedSplit], pair: &DuplicatePair) -> Result<DataCard, Failure> {
    let mut words = vec![distance(pair.distance)];
    if !pair.labels_agree() {
        let labels = [&pair.example, &pair.of].map(|example| escaped(&example.class));
        words.push(format!("conflicting labels: {}", labels.join(" and ")));
    }
    card(parts, &[&pair.example, &pair.of], words)
}

/// Creates cards for the first of `all`.
fn cards<T>(
    all: &[T],
    card: impl Fn(&T) -> Result<DataCard, Failure>,
) -> Result<Vec<DataCard>, Failure> {
    all.iter().take(CARDS).map(card).collect()
}

/// Creates a card that shows examples as images, or as text for points.
fn card(
    parts: &[InspectedSplit],
    examples: &[&ExampleLocation],
    lines: Vec<String>,
) -> Result<DataCard, Failure> {
    let are_images = parts.iter().all(|part| part.examples.are_images());
    let names = examples.iter().filter(|_| !are_images).map(|example| {
        format!("{} {} (class {})", example.part, example.index, escaped(&example.class))
    });
    let lines = names.chain(lines).collect();
    let shown = examples.iter().filter(|_| are_images);
    let images = shown.map(|example| captioned(parts, example)).collect::<Result<_, _>>()?;
    Ok(DataCard { images, lines })
}

/// The points of a data set with two features.
fn scatter_plot(
    parts: &[InspectedSplit],
    inspection: &Inspection,
) -> Result<Option<DecisionBoundary>, Failure> {
    if inspection.are_images || inspection.shape[2] != 2 {
        return Ok(None);
    }
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for part in parts {
        let points = if part.split == SplitKind::Train { &mut train } else { &mut test };
        points.extend(sampled_points(&part.examples)?);
    }
    Ok(Some(DecisionBoundary {
        x: range(inspection, 0),
        y: range(inspection, 1),
        columns: 0,
        rows: 0,
        probabilities: Vec::new(),
        classes: inspection.classes.iter().map(|class| escaped(class)).collect(),
        train,
        test,
    }))
}

/// At most [`MAX_POINTS`] examples of two features, evenly spaced.
fn sampled_points(examples: &Examples) -> Result<Vec<BoundaryPoint>, Failure> {
    let step = examples.len().div_ceil(MAX_POINTS).max(1);
    let items: Vec<usize> = (0..examples.len()).step_by(step).collect();
    let features = examples.gather(&items).map_err(|error| Failure::run(&error))?;
    let points = features.as_chunks::<2>().0.iter().zip(examples.labels_at(&items));
    Ok(points.map(|(&at, class)| BoundaryPoint { at, class }).collect())
}

/// Range of the values of a feature, with a margin.
fn range(inspection: &Inspection, feature: usize) -> [f64; 2] {
    let facts = inspection.parts.iter().filter_map(|part| part.channels.get(feature));
    let [low, high] = facts.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], facts| {
        [low.min(facts.lowest.into()), high.max(facts.highest.into())]
    });
    let margin = (0.05 * (high - low)).max(1e-3);
    [low - margin, high + margin]
}
