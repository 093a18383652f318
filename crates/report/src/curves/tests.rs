use super::*;
use roxmltree::Document;

fn row(epoch: usize, loss: f64, accuracy: f64) -> EpochMetrics {
    EpochMetrics {
        epoch,
        step: 7 * epoch,
        learning_rate: 0.1,
        train_loss: loss,
        train_accuracy: accuracy,
        ..EpochMetrics::default()
    }
}

/// Returns the points of the lines (`polyline`) or the bands (`polygon`), in pixels.
fn points(svg: &str, tag: &str) -> Vec<Vec<[f64; 2]>> {
    let document = Document::parse(svg).unwrap();
    let points = document.descendants().filter(|node| node.has_tag_name(tag));
    let pair = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap();
        [x, y].map(|value| value.parse().unwrap())
    };
    points.map(|node| node.attribute("points").unwrap().split(' ').map(pair).collect()).collect()
}

#[test]
fn values_are_drawn_at_their_positions() {
    let rows = [row(100, 1.0, 0.0), row(200, 0.25, 0.5), row(300, 0.0, 1.0)];
    let [loss, accuracy] = &points(&compose(&rows, ""), "polyline")[..] else {
        panic!("two curves")
    };
    assert_eq!(loss[..], [[62.0, 80.0], [257.0, 251.0], [452.0, 308.0]]);
    assert_eq!(accuracy[..], [[530.0, 308.0], [725.0, 194.0], [920.0, 80.0]]);
}

#[test]
fn every_epoch_of_a_short_run_is_a_point() {
    let rows =
        (1..=100).map(|epoch| EpochMetrics { validation_loss: Some(0.6), ..row(epoch, 0.5, 0.9) });
    let curves = points(&compose(&rows.collect::<Vec<_>>(), ""), "polyline");
    assert_eq!(curves.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 100]);
}

#[test]
fn a_long_run_stays_small_and_keeps_its_extremes() {
    let loss = |epoch| if epoch == 17_003 { 9.0 } else { 0.3 + 0.1 * (epoch as f64).sin() };
    let rows: Vec<_> = (1..=30_000).map(|epoch| row(epoch, loss(epoch), 0.9)).collect();
    let svg = compose(&rows, "");
    assert!(svg.len() < 100_000, "{}", svg.len());
    let (lines, bands) = (points(&svg, "polyline"), points(&svg, "polygon"));
    assert_eq!(lines[0].len(), 390, "one per pixel");
    let highest = bands[0].iter().map(|point| point[1]).fold(f64::INFINITY, f64::min);
    assert_eq!(highest, 102.8);
}

#[test]
fn a_loss_over_three_decades_has_a_logarithmic_axis() {
    let rows = [row(1, 1.0, 0.5), row(2, 0.03, 0.5), row(3, 0.001, 0.5), row(4, 0.0, 0.5)];
    let svg = compose(&rows, "");
    assert!(svg.contains("Loss (logarithmic)") && svg.contains("10⁻²"));
    assert_eq!(points(&svg, "polyline")[0][3], [452.0, 308.0], "0 lies on the edge");
    assert!(!compose(&rows[..2], "").contains("logarithmic"));
}

#[test]
fn few_or_no_epochs_can_be_drawn() {
    assert_eq!(compose(&[], "").matches("no values yet").count(), 2);
    let one = compose(&[row(1, 0.7, 0.4)], "");
    assert!(one.contains(r#"<circle cx="257.00""#), "{one}");
    let svg = compose(&[row(1, 0.7, 1.0), row(2, 0.7, 1.0)], "");
    assert!(svg.contains(">100<") && !svg.contains(">110<") && !svg.contains("NaN"));
}

#[test]
fn titles_are_escaped() {
    let title = "a <b> & \"c\" \u{1} é";
    let svg = compose(&[], title);
    let document = Document::parse(&svg).unwrap();
    let texts = document.descendants().filter(|node| node.text() == Some("a <b> & \"c\"   é"));
    assert_eq!(texts.filter(|node| node.is_element()).count(), 2);
}
