use std::path::{Path, PathBuf};

use dataset::{ChannelFacts, Doubts, InspectedPart, Inspection, Pair, PartFacts, Place};
use report::{Boundary, DataCard, DataFinding, DataHistogram, DataPage, DataPart, draw_inspection};

use super::Report;
use super::pictures::{PAIRS, placed, preview};
use super::text::{about, distance, doubted, looked_for};
use crate::commands::STAND_IN;
use crate::error::Failure;
use crate::pictures::points;

/// Draws everything into one page, and tells where it is.
pub fn draw(parts: &[InspectedPart], report: &Report, out: &Path) -> Result<PathBuf, Failure> {
    let inspection = report.inspection;
    let histograms = inspection.histograms(parts).map_err(|error| Failure::run(&error))?;
    let data = DataPage {
        title: report.input.clone(),
        about: about(inspection),
        warning: report.stand_in.then(|| STAND_IN.to_owned()),
        problems: report.problems.clone(),
        findings: findings(parts, inspection)?,
        classes: inspection.classes.clone(),
        parts: inspection.parts.iter().map(|part| data_part(part, report)).collect(),
        unit: if inspection.are_images { "channel" } else { "feature" },
        histograms: histograms
            .into_iter()
            .map(|histogram| DataHistogram { range: histogram.range, parts: histogram.parts })
            .collect(),
        points: plane(parts, inspection)?,
        preview: if inspection.are_images { preview(parts, inspection)?.rows } else { Vec::new() },
        sums: report.sha256.iter().map(|(set, sum)| (set.clone(), sum.clone())).collect(),
    };
    let page = out.join("inspection.html");
    draw_inspection(&data, &page).map_err(|error| Failure::run(&error))?;
    Ok(page)
}

fn data_part(part: &PartFacts, report: &Report) -> DataPart {
    let values = |of: &ChannelFacts| [of.lowest, of.highest, of.mean, of.deviation];
    DataPart {
        name: part.part.to_owned(),
        origin: report.origins.get(part.part).cloned().unwrap_or_default(),
        count: part.count,
        classes: part.classes.clone(),
        channels: part.channels.iter().map(values).collect(),
    }
}

/// All that was looked for.
fn findings(parts: &[InspectedPart], inspection: &Inspection) -> Result<Vec<DataFinding>, Failure> {
    let twins = DataFinding {
        heading: "Twins across parts",
        count: (parts.len() > 1).then_some(inspection.twins.len()),
        told: looked_for(inspection),
        next: "A model is not tested on what it was trained on: the score on these images says \
               nothing of new ones. `trainer evaluate` also tells the score without them. Take \
               them out of the test set, or out of the training set.",
        cards: cards(&inspection.twins, |pair| of_pair(parts, pair))?,
    };
    let pairs = inspection.duplicates.iter().chain(&inspection.twins);
    let torn: Vec<Pair> = pairs.filter(|pair| !pair.is_of_one_class()).cloned().collect();
    let torn = DataFinding {
        heading: "Two labels",
        count: Some(torn.len()),
        told: "examples that are one, but of two classes".to_owned(),
        next: "One label of each pair is wrong. Correct it in the file, or take both examples out.",
        cards: cards(&torn, |pair| of_pair(parts, pair))?,
    };
    let equal = DataFinding {
        heading: "Equal examples within a part",
        count: Some(inspection.duplicates.len()),
        told: "the same values to the last bit".to_owned(),
        next: "Each counts as often as it is there, in training and in scores. Where that is not \
               meant, leave one.",
        cards: cards(&inspection.duplicates, |pair| of_pair(parts, pair))?,
    };
    let mut findings = vec![twins, torn, equal];
    if inspection.are_images {
        findings.push(blank(parts, &inspection.blank)?);
    }
    if let Some(doubts) = &inspection.doubts {
        findings.push(doubtful(parts, doubts)?);
    }
    findings.push(DataFinding {
        heading: "Corrupt examples",
        count: Some(0),
        told: "every value and label was read and checked; a file with a corrupt one is refused"
            .to_owned(),
        next: "",
        cards: Vec::new(),
    });
    Ok(findings)
}

fn blank(parts: &[InspectedPart], blank: &[Place]) -> Result<DataFinding, Failure> {
    Ok(DataFinding {
        heading: "Blank images",
        count: Some(blank.len()),
        told: "every pixel is the same".to_owned(),
        next: "There is nothing to learn from them. See how they were made, and take them out.",
        cards: cards(blank, |place| card(parts, &[place], Vec::new()))?,
    })
}

/// Images whose label all images around contradict.
fn doubtful(parts: &[InspectedPart], doubts: &Doubts) -> Result<DataFinding, Failure> {
    Ok(DataFinding {
        heading: "Labels worth a look",
        count: doubts.are_founded().then_some(doubts.listed.len()),
        told: doubted(doubts),
        next: "Each image on the left is near images of another class. Look which label it \
               should have, and correct it in the file if it is wrong.",
        cards: cards(&doubts.listed, |doubt| {
            let (example, nearest) = (&doubt.example, &doubt.nearest);
            let words = vec![
                format!("labelled {}", example.class),
                format!("its 5 nearest training images are labelled {}", nearest.class),
                distance(doubt.distance),
            ];
            card(parts, &[example, nearest], words)
        })?,
    })
}

fn of_pair(parts: &[InspectedPart], pair: &Pair) -> Result<DataCard, Failure> {
    let torn = (!pair.is_of_one_class())
        .then(|| format!("two labels: {} and {}", pair.example.class, pair.of.class));
    let words = [distance(pair.distance)].into_iter().chain(torn).collect();
    card(parts, &[&pair.example, &pair.of], words)
}

/// A card for each of the first of `all`.
fn cards<T>(
    all: &[T],
    card: impl Fn(&T) -> Result<DataCard, Failure>,
) -> Result<Vec<DataCard>, Failure> {
    all.iter().take(PAIRS).map(card).collect()
}

/// Examples with their images, or else named.
fn card(
    parts: &[InspectedPart],
    places: &[&Place],
    words: Vec<String>,
) -> Result<DataCard, Failure> {
    let are_images = parts.iter().all(|part| part.examples.are_images());
    let names = places
        .iter()
        .filter(|_| !are_images)
        .map(|place| format!("{} {} (class {})", place.part, place.index, place.class));
    let words = names.chain(words).collect();
    let shown = places.iter().filter(|_| are_images);
    let images = shown.map(|place| placed(parts, place)).collect::<Result<_, _>>()?;
    Ok(DataCard { images, words })
}

/// The points where they have two features.
fn plane(parts: &[InspectedPart], inspection: &Inspection) -> Result<Option<Boundary>, Failure> {
    if inspection.are_images || inspection.shape[2] != 2 {
        return Ok(None);
    }
    let of = |train: bool| {
        let parts = parts.iter().filter(|part| (part.name == "train") == train);
        let points = parts.map(|part| {
            let all: Vec<usize> = (0..part.examples.len()).collect();
            let read = part.examples.in_memory(&all).map_err(|error| Failure::run(&error))?;
            Ok(points(&read.0))
        });
        let points: Result<Vec<_>, Failure> = points.collect();
        points.map(|points| points.concat())
    };
    Ok(Some(Boundary {
        x: range(inspection, 0),
        y: range(inspection, 1),
        columns: 0,
        rows: 0,
        probabilities: Vec::new(),
        classes: inspection.classes.clone(),
        train: of(true)?,
        test: of(false)?,
    }))
}

/// From the lowest to the highest value of a feature, with a margin.
fn range(inspection: &Inspection, feature: usize) -> [f64; 2] {
    let facts = inspection.parts.iter().filter_map(|part| part.channels.get(feature));
    let [low, high] = facts.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], facts| {
        [low.min(facts.lowest.into()), high.max(facts.highest.into())]
    });
    let margin = (0.05 * (high - low)).max(1e-3);
    [low - margin, high + margin]
}
