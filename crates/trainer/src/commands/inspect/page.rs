use std::path::{Path, PathBuf};

use artifacts::{BoundaryPoint, DecisionBoundary};
use data::{SplitKind, Values};
use data_sources::quality::inspection::{
    ChannelStatistics, DuplicatePair, ExampleLocation, InspectedSplit, Inspection,
};
use report::{
    DataCard, DataFinding, DataHistogram, DataImage, DataPage, DataPart, DataPreview,
    draw_inspection,
};

use super::Report;
use super::text::{about, agreement, distance, search_coverage};
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::text::escaped;

/// Maximum number of plotted points of a split, evenly spaced.
const MAX_POINTS: usize = 4000;
/// Maximum number of cards per finding.
const CARDS: usize = 40;
/// Maximum number of classes with example images, and of images per class.
const CLASSES: usize = 20;
const IMAGES: usize = 10;

/// Writes `inspection.html` into the directory `out` and returns its path.
pub fn write(report: &Report, out: &Path) -> Result<PathBuf, Failure> {
    let (inspection, parts) = (report.inspection, report.subject.parts.as_slice());
    let histograms = inspection.histograms(parts)?.into_iter();
    let channel = |of: &ChannelStatistics| [of.lowest, of.highest, of.mean, of.deviation];
    let splits = inspection.parts.iter().map(|part| DataPart {
        name: part.part.to_string(),
        origin: report.subject.origins.get(&part.part).map_or(String::new(), |it| escaped(it)),
        count: part.count,
        classes: part.classes.clone(),
        channels: part.channels.iter().map(channel).collect(),
    });
    let data = DataPage {
        title: escaped(&report.input),
        about: about(inspection),
        warning: report.subject.synthetic.then(|| SYNTHETIC_NOTICE.to_owned()),
        problems: report.problems.iter().chain(&inspection.warnings).cloned().collect(),
        findings: findings(parts, inspection)?,
        classes: inspection.classes.iter().map(|class| escaped(class)).collect(),
        parts: splits.collect(),
        unit: if inspection.are_images { "channel" } else { "feature" },
        histograms: histograms
            .map(|histogram| DataHistogram { range: histogram.range, parts: histogram.parts })
            .collect(),
        points: scatter_plot(parts, inspection)?,
        preview: preview(parts, inspection)?,
        sums: report.subject.sha256.clone().into_iter().collect(),
    };
    let page = out.join("inspection.html");
    draw_inspection(&data, &page)?;
    Ok(page)
}

/// Results of all checks.
fn findings(
    parts: &[InspectedSplit],
    inspection: &Inspection,
) -> Result<Vec<DataFinding>, Failure> {
    let pairs = inspection.duplicates.iter().chain(&inspection.near_duplicates);
    let conflicts: Vec<_> = pairs.filter(|pair| !pair.labels_agree()).collect();
    let mut findings = vec![
        DataFinding {
            heading: "Near-duplicates across splits",
            count: (parts.len() > 1).then_some(inspection.near_duplicates.len()),
            summary: search_coverage(inspection).to_owned(),
            remedy: "The test score counts images that the model was trained on. `trainer evaluate` also \
                     reports the score without them. Remove them from the test set or from the training \
                     set.",
            cards: cards(&inspection.near_duplicates, |pair| of_pair(parts, pair))?,
        },
        DataFinding {
            heading: "Conflicting labels",
            count: Some(conflicts.len()),
            summary: "equal or near-duplicate examples of different classes".to_owned(),
            remedy: "One label of each pair is wrong. Correct it in the file, or remove both examples.",
            cards: cards(&conflicts, |pair| of_pair(parts, pair))?,
        },
        DataFinding {
            heading: "Duplicates within a split",
            count: Some(inspection.duplicates.len()),
            summary: "examples with identical values".to_owned(),
            remedy: "Each copy counts in training and in scores. Unless that is intended, keep one.",
            cards: cards(&inspection.duplicates, |pair| of_pair(parts, pair))?,
        },
    ];
    if inspection.are_images {
        findings.push(DataFinding {
            heading: "Blank images",
            count: Some(inspection.blank.len()),
            summary: "all pixels are equal".to_owned(),
            remedy: "They contain no information. Check how they were made, and remove them.",
            cards: cards(&inspection.blank, |example| card(parts, &[example], Vec::new()))?,
        });
    }
    if let Some(suspects) = &inspection.suspect_labels {
        findings.push(DataFinding {
            heading: "Suspect labels",
            count: suspects.is_reliable().then_some(suspects.listed.len()),
            summary: agreement(suspects),
            remedy: "Each image on the left is close to images of another class. Check its label, and \
                     correct it in the file if it is wrong.",
            cards: cards(&suspects.listed, |suspect| {
                let (example, nearest) = (&suspect.example, &suspect.nearest);
                let of_nearest = escaped(&nearest.class);
                let words = vec![
                    format!("labelled {}", escaped(&example.class)),
                    format!("its 5 nearest training images are labelled {of_nearest}"),
                    distance(suspect.distance),
                ];
                card(parts, &[example, nearest], words)
            })?,
        });
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

fn of_pair(parts: &[InspectedSplit], pair: &DuplicatePair) -> Result<DataCard, Failure> {
    let mut words = vec![distance(pair.distance)];
    if !pair.labels_agree() {
        let labels = [&pair.example, &pair.of].map(|example| escaped(&example.class));
        words.push(format!("conflicting labels: {}", labels.join(" and ")));
    }
    card(parts, &[&pair.example, &pair.of], words)
}

/// Cards of the first of `all`.
fn cards<T>(
    all: &[T],
    card: impl Fn(&T) -> Result<DataCard, Failure>,
) -> Result<Vec<DataCard>, Failure> {
    all.iter().take(CARDS).map(card).collect()
}

/// A card that shows examples as images, or as text for points.
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

/// Example images of each class, evenly spaced over the first split; none of points.
fn preview(parts: &[InspectedSplit], inspection: &Inspection) -> Result<Vec<DataPreview>, Failure> {
    let Some(part) = parts.first().filter(|_| inspection.are_images) else {
        return Ok(Vec::new());
    };
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

/// The image of `example`, captioned with its split, index and class.
fn captioned(parts: &[InspectedSplit], example: &ExampleLocation) -> Result<DataImage, Failure> {
    let class = escaped(&example.class);
    let captions = [format!("{} {}", example.part, example.index), format!("class {class}")];
    let part = parts.iter().find(|part| part.split == example.part);
    let part = part.ok_or_else(|| Failure::usage(format!("there is no {} set", example.part)))?;
    image(part, example.item, captions)
}

fn image(part: &InspectedSplit, item: usize, captions: [String; 2]) -> Result<DataImage, Failure> {
    let image = part.examples.select(&[item]).in_memory(&[0])?.0.into_owned();
    let pixels = if let Values::Pixels(pixels) = image.values { pixels } else { Vec::new() };
    Ok(DataImage { shape: image.shape, pixels, captions })
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
    for InspectedSplit { split, examples, .. } in parts {
        let step = examples.len().div_ceil(MAX_POINTS).max(1);
        let items: Vec<usize> = (0..examples.len()).step_by(step).collect();
        let features = examples.gather(&items)?;
        let points = features.as_chunks::<2>().0.iter().zip(examples.labels_at(&items));
        let plotted = if *split == SplitKind::Train { &mut train } else { &mut test };
        plotted.extend(points.map(|(&at, class)| BoundaryPoint { at, class }));
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

/// Range of the values of a feature, with a margin.
fn range(inspection: &Inspection, feature: usize) -> [f64; 2] {
    let facts = inspection.parts.iter().filter_map(|part| part.channels.get(feature));
    let [low, high] = facts.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], facts| {
        [low.min(facts.lowest.into()), high.max(facts.highest.into())]
    });
    let margin = (0.05 * (high - low)).max(1e-3);
    [low - margin, high + margin]
}
