use super::*;
use resvg::tiny_skia::Pixmap;
use roxmltree::{Document, Node};
use tempfile::TempDir;

/// Two classes that part at `y = 0.25`, on a plane of 460 x 230 pixels.
fn half_planes() -> Boundary {
    let [columns, rows] = [20, 10];
    let upper = |cell: usize| {
        let y = ((cell / columns) as f32 + 0.5) / rows as f32;
        1.0 / (1.0 + (-40.0 * (y - 0.25)).exp())
    };
    let upper: Vec<f32> = (0..columns * rows).map(upper).collect();
    Boundary {
        x: [0.0, 2.0],
        y: [0.0, 1.0],
        columns,
        rows,
        probabilities: vec![upper.iter().map(|upper| 1.0 - upper).collect(), upper],
        classes: vec!["<lower>".to_owned(), "upper & \"above\"".to_owned()],
        train: vec![Point { at: [1.0, 0.5], class: 1 }, Point { at: [1.0, 1.5], class: 1 }],
        test: vec![Point { at: [0.5, 0.0], class: 0 }],
    }
}

/// The SVG and the PNG of a file with this content.
fn drawn(content: &str) -> Result<(String, Pixmap), ReportError> {
    let place = TempDir::new().unwrap();
    let file = place.path().join("boundary.json");
    fs::write(&file, content).unwrap();
    draw_boundary(&file, "Halves", &place.path().join("picture"))?;
    let [svg, png] = ["svg", "png"]
        .map(|end| fs::read(file.with_file_name("picture").with_extension(end)).unwrap());
    Ok((String::from_utf8(svg).unwrap(), Pixmap::decode_png(&png).unwrap()))
}

fn json(boundary: &Boundary) -> String {
    serde_json::to_string_pretty(boundary).unwrap()
}

fn of_class<'a>(document: &'a Document, tag: &str, class: &str) -> Vec<Node<'a, 'a>> {
    let is = |node: &Node| node.has_tag_name(tag) && node.attribute("class") == Some(class);
    document.descendants().filter(is).collect()
}

#[test]
fn the_line_lies_where_the_classes_part() {
    let (svg, _) = drawn(&json(&half_planes())).unwrap();
    let document = Document::parse(&svg).unwrap();
    let path = of_class(&document, "path", "decision")[0].attribute("d").unwrap();
    let places = path.split(['M', 'L']).filter(|place| !place.is_empty());
    let places: Vec<[f64; 2]> = places
        .map(|place| place.split_once(' ').unwrap())
        .map(|(x, y)| [x, y].map(|value| value.parse().unwrap()))
        .collect();
    assert!(places.iter().all(|[_, y]| (y - (280.0 - 0.25 * 230.0)).abs() < 0.02), "{places:?}");
    for edge in [64.0, 524.0] {
        assert!(places.iter().any(|[x, _]| *x == edge), "{places:?}");
    }
}

#[test]
fn points_are_where_the_axes_say_and_those_beyond_are_not() {
    let (svg, _) = drawn(&json(&half_planes())).unwrap();
    let document = Document::parse(&svg).unwrap();
    let places = |class| -> Vec<[&str; 2]> {
        let groups = of_class(&document, "g", class);
        let circles = groups.iter().flat_map(|group| group.children().filter(Node::is_element));
        let small = circles.filter(|circle| circle.attribute("r") == Some("3.4"));
        small.map(|circle| ["cx", "cy"].map(|name| circle.attribute(name).unwrap())).collect()
    };
    assert_eq!(places("train"), [["294.0", "165.0"]]);
    assert_eq!(places("test"), [["179.0", "280.0"]]);
}

#[test]
fn the_tint_has_the_colours_of_the_classes_the_right_way_up() {
    let (_, picture) = drawn(&json(&half_planes())).unwrap();
    let pixel = |x: u32, y: u32| picture.pixel(2 * x, 2 * y).unwrap();
    let [above, below] = [pixel(100, 60), pixel(100, 270)];
    assert!(above.red() > above.blue() && below.blue() > below.red(), "{above:?} {below:?}");
    let ink = pixel(100, 222);
    assert!(ink.red() < 0x60, "{ink:?}");
}

#[test]
fn names_say_what_they_said() {
    let (svg, _) = drawn(&json(&half_planes())).unwrap();
    let document = Document::parse(&svg).unwrap();
    for name in half_planes().classes {
        assert!(document.descendants().any(|node| node.text() == Some(&name)), "{name}");
    }
}

#[test]
fn equal_boundaries_make_equal_pictures() {
    let [one, other] = [0, 1].map(|_| drawn(&json(&half_planes())).unwrap());
    assert!(one.0 == other.0 && one.1 == other.1);
}

#[test]
fn a_grid_of_one_cell_and_one_class_is_a_picture() {
    let whole = Boundary {
        columns: 1,
        rows: 1,
        y: [0.0, 1e9],
        probabilities: vec![vec![1.0]],
        classes: vec!["all".to_owned()],
        train: Vec::new(),
        test: Vec::new(),
        ..half_planes()
    };
    let (svg, _) = drawn(&json(&whole)).unwrap();
    assert!(svg.contains(r#"width="460" height="400""#) && !svg.contains("NaN"));
}

#[test]
fn what_does_not_fit_is_refused() {
    type Change = fn(&mut Boundary);
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
        let error = drawn(&json(&boundary)).unwrap_err().to_string();
        assert!(error.contains("boundary.json") && error.contains(expected), "{error}");
    }
}

#[test]
fn a_damaged_file_is_named_with_its_line() {
    let whole = json(&half_planes());
    let damaged = whole.replacen("\"rows\": 10", "\"rows\": ten", 1);
    let line = 1 + whole.lines().position(|line| line.contains("\"rows\"")).unwrap();
    let error = drawn(&damaged).unwrap_err().to_string();
    assert!(error.contains(&format!("boundary.json, line {line}: ")), "{error}");
}
