use std::fs;

use roxmltree::Document;
use tempfile::TempDir;

use super::*;

fn cell() -> DataImage {
    DataImage {
        shape: [1, 1, 3],
        pixels: vec![9, 8, 7],
        captions: ["test 5".into(), "class 2".into()],
    }
}

fn finding(count: usize, cards: Vec<DataCard>) -> DataFinding {
    let summary = "1 test example has a near-duplicate".to_owned();
    DataFinding {
        heading: "near-duplicates across splits",
        count: Some(count),
        summary,
        remedy: "Remove them.",
        cards,
    }
}

fn data() -> DataPage {
    DataPage {
        title: "<signs>".to_owned(),
        classes: vec!["cat".to_owned(), "none".to_owned()],
        parts: vec![DataPart {
            name: "train".to_owned(),
            origin: "a file".to_owned(),
            count: 4,
            classes: vec![4, 0],
            channels: vec![[0.0, 255.0, 1.5, 2.25]],
        }],
        unit: "channel",
        histograms: vec![DataHistogram { range: [0.0, 256.0], parts: vec![vec![1, 3]] }],
        ..DataPage::default()
    }
}

fn render(data: &DataPage) -> String {
    let folder = TempDir::new().unwrap();
    let page = folder.path().join("inspection.html");
    draw_inspection(data, &page).unwrap();
    fs::read_to_string(page).unwrap()
}

#[test]
fn findings_are_counted_in_the_header_with_a_link_to_their_images() {
    let card = DataCard { images: vec![cell(), cell()], lines: vec!["distance 0.05".to_owned()] };
    let page = render(&DataPage { findings: vec![finding(3, vec![card])], ..data() });
    assert!(page.contains(r##"<a href="#near-duplicates-across-splits">"##), "{page}");
    let section = page.split_once(r#"<section id="near-duplicates-across-splits">"#).unwrap().1;
    assert_eq!(section.matches("<img").count(), 2);
    for part in [
        "Remove them. The first 1 are shown.",
        "distance 0.05",
        "<div>test 5</div><div>class 2</div>",
    ] {
        assert!(section.contains(part), "no {part}: {section}");
    }
}

#[test]
fn a_check_without_findings_has_no_section_and_no_link() {
    let page = render(&DataPage { findings: vec![finding(0, Vec::new())], ..data() });
    assert!(
        page.contains("near-duplicates across splits") && !page.contains("#near-duplicates"),
        "{page}"
    );
    assert!(page.contains("&lt;signs&gt;") && page.contains("No problems"), "{page}");
}

#[test]
fn a_class_without_examples_is_highlighted_and_values_are_listed() {
    let page = render(&data());
    assert!(page.contains(r#"<div class="bar label"><span title="none">"#), "{page}");
    assert!(page.contains("an accuracy of 100.0 %"), "{page}");
    assert!(page.contains("<td>255</td><td>1.50</td><td>2.25</td>"), "{page}");
}

#[test]
fn a_histogram_shows_the_percentage_of_values_in_each_bin() {
    let svg = content::histograms(&data())[0].svg();
    let document = Document::parse(&svg).unwrap();
    let curve = document.descendants().find(|node| node.attribute("class") == Some("train"));
    // 25 and 75 % at the ends, the centres of the two bins, of an axis up to 80 %.
    assert_eq!(curve.unwrap().attribute("points"), Some("62.00,204.88 446.00,58.62"));
}

#[test]
fn an_empty_data_set_can_be_drawn() {
    assert!(render(&DataPage::default()).contains("</html>"));
}
