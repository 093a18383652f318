use super::*;

fn chart(scale: Scale, values: &[f64]) -> Chart {
    let points = values.iter().enumerate().map(|(at, value)| [at as f64 + 1.0, *value]).collect();
    Chart::over_epochs("a", "A", scale, vec![Line::new("line", points, 0)])
}

/// The points of the first line as a page has them.
fn in_page(chart: &Chart) -> Vec<Vec<f64>> {
    let json = serde_json::to_value(chart).unwrap();
    serde_json::from_value(json["lines"][0]["points"].clone()).unwrap()
}

#[test]
fn a_page_has_the_values_of_a_chart_with_six_digits() {
    let columns = in_page(&chart(Scale::Free, &[0.123_456_789, 2e-9]));
    assert_eq!(columns, [[1.0, 2.0], [0.123_457, 2e-9]]);
}

#[test]
fn a_page_has_means_of_neighbours_of_many_values() {
    let values: Vec<f64> = (0..10_000).map(f64::from).collect();
    let columns = in_page(&chart(Scale::Free, &values));
    assert_eq!((columns[0].len(), columns[1][0], columns[0][0]), (2000, 2.0, 3.0));
}

#[test]
fn a_learning_rate_shows_four_decades_below_its_maximum() {
    let values = [1e-2, 1e-4, 1e-12];
    let svg = |scale| chart(scale, &values).svg();
    assert!(svg(Scale::Free).contains("10⁻¹²") && !svg(Scale::Decades).contains("10⁻¹²"));
    assert!(svg(Scale::Decades).contains("10⁻⁶"));
}

#[test]
fn hidden_lines_are_only_in_the_page() {
    let mut chart = chart(Scale::Percent, &[50.0, 60.0]);
    chart.lines[0].style = Style::Hidden;
    assert!(!chart.svg().contains("<polyline") && chart.svg().contains("no values yet"));
    assert!(serde_json::to_string(&chart).unwrap().contains(r#""style":"hidden""#));
}

#[test]
fn marks_are_lines_with_a_name() {
    let mut chart = chart(Scale::Free, &[1.0, 2.0, 3.0]);
    chart.marks.push((2.0, "best".to_owned()));
    let svg = chart.svg();
    assert!(svg.contains("M254.0 278.0L254.0 44.0") && svg.contains(">best</text>"), "{svg}");
}
