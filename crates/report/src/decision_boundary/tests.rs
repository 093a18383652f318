use std::fs;

use super::*;
use roxmltree::{Document, Node};
use tempfile::TempDir;

/// Returns two classes that are separated at `y = 0.25`, on a plane of 460 x 230 pixels.
fn half_planes() -> DecisionBoundary {
    let [columns, rows] = [20, 10];
    let upper = |cell: usize| {
        let y = ((cell / columns) as f32 + 0.5) / rows as f32;
        1.0 / (1.0 + (-40.0 * (y - 0.25)).exp())
    };
    let upper: Vec<f32> = (0..columns * rows).map(upper).collect();
    DecisionBoundary {
        x: [0.0, 2.0],
        y: [0.0, 1.0],
        columns,
        rows,
        probabilities: vec![upper.iter().map(|upper| 1.0 - upper).collect(), upper],
        classes: vec!["<lower>".to_owned(), "upper & \"above\"".to_owned()],
        train: vec![point([1.0, 0.5], 1), point([1.0, 1.5], 1)],
        test: vec![point([0.5, 0.0], 0)],
    }
}

fn point(at: [f32; 2], class: u32) -> BoundaryPoint {
    BoundaryPoint { at, class }
}

/// Draws a boundary and returns its SVG.
fn render(boundary: &DecisionBoundary) -> Result<String, ReportError> {
    let folder = TempDir::new().unwrap();
    draw_boundary(boundary, "Halves", &folder.path().join("picture"))?;
    Ok(fs::read_to_string(folder.path().join("picture.svg")).unwrap())
}

fn of_class<'a>(document: &'a Document, tag: &str, class: &str) -> Vec<Node<'a, 'a>> {
    let is = |node: &Node| node.has_tag_name(tag) && node.attribute("class") == Some(class);
    document.descendants().filter(is).collect()
}

#[test]
fn the_line_is_where_the_class_changes() {
    let svg = render(&half_planes()).unwrap();
    let document = Document::parse(&svg).unwrap();
    let path = of_class(&document, "path", "decision")[0].attribute("d").unwrap();
    let points = path.split(['M', 'L']).filter(|point| !point.is_empty());
    let points: Vec<Point> = points
        .map(|point| point.split_once(' ').unwrap())
        .map(|(x, y)| [x, y].map(|value| value.parse().unwrap()))
        .collect();
    assert!(points.iter().all(|[_, y]| (y - (280.0 - 0.25 * 230.0)).abs() < 0.02), "{points:?}");
    for edge in [64.0, 524.0] {
        assert!(points.iter().any(|[x, _]| *x == edge), "{points:?}");
    }
}

#[test]
fn points_are_drawn_on_the_plane_and_omitted_outside() {
    let svg = render(&half_planes()).unwrap();
    let document = Document::parse(&svg).unwrap();
    let positions = |class| -> Vec<[&str; 2]> {
        let groups = of_class(&document, "g", class);
        let circles = groups.iter().flat_map(|group| group.children().filter(Node::is_element));
        let small = circles.filter(|circle| circle.attribute("r") == Some("3.4"));
        small.map(|circle| ["cx", "cy"].map(|name| circle.attribute(name).unwrap())).collect()
    };
    assert_eq!(positions("train"), [["294.0", "165.0"]]);
    assert_eq!(positions("test"), [["179.0", "280.0"]]);
}

#[test]
fn names_of_classes_are_escaped() {
    let svg = render(&half_planes()).unwrap();
    let document = Document::parse(&svg).unwrap();
    for name in half_planes().classes {
        assert!(document.descendants().any(|node| node.text() == Some(&name)), "{name}");
    }
}

#[test]
fn equal_boundaries_give_equal_pictures() {
    let [one, other] = [0, 1].map(|_| render(&half_planes()).unwrap());
    assert!(one == other);
}

#[test]
fn a_grid_of_one_cell_and_one_class_can_be_drawn() {
    let whole = DecisionBoundary {
        columns: 1,
        rows: 1,
        y: [0.0, 1e9],
        probabilities: vec![vec![1.0]],
        classes: vec!["all".to_owned()],
        train: Vec::new(),
        test: Vec::new(),
        ..half_planes()
    };
    let svg = render(&whole).unwrap();
    assert!(svg.contains(r#"width="460" height="400""#) && !svg.contains("NaN"));
}

#[test]
fn a_contradictory_boundary_is_refused() {
    type Change = fn(&mut DecisionBoundary);
    let changes: [(&str, Change); 8] = [
        ("`x` is [1, 1]", |boundary| boundary.x = [1.0, 1.0]),
        ("`y` is", |boundary| boundary.y = [-1e308, 1e308]),
        ("0 columns", |boundary| boundary.columns = 0),
        ("for 20 x 11", |boundary| boundary.rows = 11),
        ("for 4611686018427387904 x 10", |boundary| boundary.columns = 1 << 62),
        ("2 probabilities for 3 classes", |boundary| boundary.classes.push("none".to_owned())),
        ("of `<lower>` is 7", |boundary| boundary.probabilities[0][3] = 7.0),
        ("of class 2 of 2", |boundary| boundary.test[0].class = 2),
    ];
    for (expected, change) in changes {
        let mut boundary = half_planes();
        change(&mut boundary);
        let error = render(&boundary).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn cells_have_the_colour_of_their_class_the_highest_row_first() {
    let pixels = mixed_colours(&[vec![1.0, 0.5, 0.0], vec![0.0, 0.5, 1.0]], 1);
    let [above, between, below] = [0, 3, 6].map(|at| &pixels[at..at + 3]);
    // The first class is blue, the second orange.
    assert!(above[0] > above[2] && below[2] > below[0], "{above:?} {below:?}");
    assert!(between.iter().all(|part| *part > 230), "{between:?}");
}
