use super::*;
use roxmltree::Document;
use tempfile::TempDir;

/// The SVG of the curves of some lines.
fn drawn(lines: &str, title: &str) -> Result<String, ReportError> {
    let place = TempDir::new().unwrap();
    let [metrics, stem] = ["metrics.jsonl", "curves.of.run"].map(|name| place.path().join(name));
    fs::write(&metrics, lines).unwrap();
    draw_curves(&metrics, title, &stem)?;
    let png = fs::read(place.path().join("curves.of.run.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3, "nothing is left beside");
    Ok(fs::read_to_string(place.path().join("curves.of.run.svg")).unwrap())
}

fn row(epoch: usize, loss: f64, accuracy: f64) -> String {
    format!(
        "{{\"epoch\":{epoch},\"step\":7,\"train_loss\":{loss},\"train_accuracy\":{accuracy},\"validation_loss\":null}}\n"
    )
}

/// The points of the lines (`polyline`) or the bands (`polygon`), in pixels.
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
fn values_are_where_the_axes_say() {
    let lines = [row(300, 0.0, 1.0), row(100, 1.0, 0.0), row(200, 0.25, 0.5)].concat();
    let [loss, accuracy] = &points(&drawn(&lines, "").unwrap(), "polyline")[..] else {
        panic!("two curves")
    };
    assert_eq!(loss[..], [[62.0, 80.0], [257.0, 251.0], [452.0, 308.0]]);
    assert_eq!(accuracy[..], [[530.0, 308.0], [725.0, 194.0], [920.0, 80.0]]);
}

#[test]
fn every_epoch_of_a_short_run_is_a_point() {
    let lines = |loss| -> String { (1..=100).map(|epoch| row(epoch, loss, 0.9)).collect() };
    let validated = lines(0.5).replace("\"validation_loss\":null", "\"validation_loss\":0.6");
    let curves = points(&drawn(&validated, "").unwrap(), "polyline");
    assert_eq!(curves.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 100]);
}

#[test]
fn a_long_run_stays_small_and_keeps_its_extremes() {
    let loss = |epoch| if epoch == 17_003 { 9.0 } else { 0.3 + 0.1 * (epoch as f64).sin() };
    let lines: String = (1..=30_000).map(|epoch| row(epoch, loss(epoch), 0.9)).collect();
    let svg = drawn(&lines, "").unwrap();
    assert!(svg.len() < 100_000, "{}", svg.len());
    let (lines, bands) = (points(&svg, "polyline"), points(&svg, "polygon"));
    assert_eq!(lines[0].len(), 390, "one a pixel");
    let highest = bands[0].iter().map(|point| point[1]).fold(f64::INFINITY, f64::min);
    assert_eq!(highest, 102.8);
}

#[test]
fn a_loss_over_three_decades_has_a_logarithmic_axis() {
    let lines = [row(1, 1.0, 0.5), row(2, 0.03, 0.5), row(3, 0.001, 0.5), row(4, 0.0, 0.5)];
    let svg = drawn(&lines.concat(), "").unwrap();
    assert!(svg.contains("Loss (logarithmic)") && svg.contains("10⁻²"));
    assert_eq!(points(&svg, "polyline")[0][3], [452.0, 308.0], "0 lies on the edge");
    assert!(!drawn(&lines[..2].concat(), "").unwrap().contains("logarithmic"));
}

#[test]
fn few_or_no_epochs_make_a_picture() {
    assert_eq!(drawn("\n", "").unwrap().matches("no epoch yet").count(), 2);
    assert_eq!(drawn("{\"epoch\":1}\n", "").unwrap().matches("no value yet").count(), 2);
    let one = drawn(&row(1, 0.7, 0.4), "").unwrap();
    assert!(one.contains(r#"<circle cx="257.00""#), "{one}");
    let constant = [row(1, 0.7, 1.0), row(2, 0.7, 1.0)].concat();
    let svg = drawn(&constant, "").unwrap();
    assert!(svg.contains(">100<") && !svg.contains(">110<") && !svg.contains("NaN"));
}

#[test]
fn a_title_says_what_it_said() {
    let title = "a <b> & \"c\" \u{1} é";
    let svg = drawn("", title).unwrap();
    let document = Document::parse(&svg).unwrap();
    let texts = document.descendants().filter(|node| node.text() == Some("a <b> & \"c\"   é"));
    assert_eq!(texts.filter(|node| node.is_element()).count(), 2);
}

#[test]
fn equal_metrics_make_equal_pictures() {
    let place = TempDir::new().unwrap();
    let metrics = place.path().join("metrics.jsonl");
    fs::write(&metrics, [row(1, 0.7, 0.4), row(2, 0.3, 0.8)].concat()).unwrap();
    let pictures = ["one", "other"].map(|stem| {
        draw_curves(&metrics, "Curves", &place.path().join(stem)).unwrap();
        ["svg", "png"]
            .map(|ending| fs::read(place.path().join(stem).with_extension(ending)).unwrap())
    });
    assert!(pictures[0] == pictures[1]);
}

#[test]
fn errors_name_the_file_and_the_line() {
    let error = drawn(&[&row(1, 0.7, 0.4), "\n", "{\"epoch\":}"].concat(), "").unwrap_err();
    assert!(error.to_string().contains("metrics.jsonl, line 3: expected value"), "{error}");
    let place = TempDir::new().unwrap();
    let [metrics, stem] = ["metrics.jsonl", "no/curves"].map(|name| place.path().join(name));
    let error = draw_curves(&metrics, "", &stem).unwrap_err().to_string();
    assert!(error.contains(&format!("cannot read {}", metrics.display())), "{error}");
    fs::write(&metrics, "").unwrap();
    let error = draw_curves(&metrics, "", &stem).unwrap_err().to_string();
    assert!(error.contains(&format!("cannot write {}.svg", stem.display())), "{error}");
}
