//! The frame of all pages, and their parts. A page is one file that asks for nothing else; it can be
//! read without scripts, which add what answers: charts, sorting, filters.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chart::Chart;
use crate::plots::Plot;
use crate::statistics::wilson;

const STYLE: &str = include_str!("../assets/style.css");
const SCRIPT: &str = include_str!("../assets/page.js");
/// uPlot 1.6.32 (MIT), <https://github.com/leeoniya/uPlot>.
const UPLOT: &str = include_str!("../assets/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("../assets/uPlot.min.css");
const UPLOT_LICENSE: &str = include_str!("../assets/LICENSE-uPlot.txt");

/// Allows what is in the file, and nothing else.
pub const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'";

/// A complete HTML document: a headline, then sections, of which it has a list.
pub fn document(title: &str, headline: &Markup, sections: &[Section]) -> Markup {
    let sections: Vec<&Section> =
        sections.iter().filter(|section| !section.content.0.is_empty()).collect();
    let style = html! { style { (PreEscaped(UPLOT_STYLE)) (PreEscaped(STYLE)) } };
    let body = html! {
        main {
            header { h1 { (title) } (headline) }
            nav aria-label="Contents" { ul { @for section in &sections {
                li { a href=(format!("#{}", section.id())) { (section.heading) } }
            } } }
            @for section in &sections {
                section id=(section.id()) { h2 { (section.heading) } (section.content) }
            }
        }
        (PreEscaped(format!("<!-- uPlot:\n{UPLOT_LICENSE}-->")))
        script { (PreEscaped(UPLOT)) }
        script { (PreEscaped(SCRIPT)) }
    };
    frame(title, POLICY, &style, &body)
}

/// A page with its head.
pub fn frame(title: &str, policy: &str, style: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // Keeps browsers from requesting one.
                link rel="icon" href="data:,";
                (style)
            }
            body { (body) }
        }
    }
}

/// A part of a page; left out if it has no content.
pub struct Section {
    heading: String,
    content: Markup,
}

impl Section {
    pub fn new(heading: impl Into<String>, content: Markup) -> Self {
        Self { heading: heading.into(), content }
    }

    fn id(&self) -> String {
        anchor(&self.heading)
    }
}

/// The anchor of a heading.
pub fn anchor(heading: &str) -> String {
    heading.replace(' ', "-").to_lowercase()
}

/// Pictures side by side.
pub fn figures<'a>(plots: impl IntoIterator<Item = &'a Plot>) -> Markup {
    html! { div class="plots" { @for plot in plots { figure { (PreEscaped(&plot.svg)) } } } }
}

/// Charts side by side: pictures, which a script replaces with charts of the data beside them.
pub fn charts(charts: &[Chart]) -> Markup {
    html! { div class="plots" { @for chart in charts {
        figure class="chart" { (PreEscaped(chart.svg())) (data(chart)) }
    } } }
}

/// Data for the script of the page.
pub fn data(value: &impl serde::Serialize) -> Markup {
    // Serializing strings and finite numbers cannot fail.
    let json = serde_json::to_string(value).unwrap_or_default().replace('<', "\\u003c");
    html! { script type="application/json" { (PreEscaped(json)) } }
}

/// A table in a frame that scrolls. A reader of the page can sort it by a column.
pub fn table(head: &[&str], rows: impl Iterator<Item = Vec<Markup>>) -> Markup {
    html! { div class="scroll" { table class="sortable" {
        thead { tr { @for name in head { th scope="col" { (name) } } } }
        tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
    } } }
}

/// A table of names and values.
pub fn key_values(rows: &[(String, String)]) -> Markup {
    html! { table class="key-values" { tbody {
        @for (name, value) in rows { tr { th scope="row" class="quiet" { (name) } td { (value) } } }
    } } }
}

/// A bar of length `share`, 0 to 1, with a label on the left and one on the right.
pub fn bar(name: &str, share: f64, text: &str, is_marked: bool) -> Markup {
    html! {
        div class=(if is_marked { "bar label" } else { "bar" }) {
            span title=(name) { (name) }
            i style=(format!("width:{:.1}%", 100.0 * share)) {}
            span { (text) }
        }
    }
}

/// An image that is shown with its own pixels.
pub fn image(uri: &str, description: &str) -> Markup {
    html! { img alt=(description) src=(uri); }
}

/// A file name as a part of an address.
pub fn encoded(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'-' | b'_' | b'.' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().map(byte).collect()
}

/// Formats the 95 % confidence interval of an accuracy.
pub fn interval(correct: usize, count: usize) -> String {
    let [low, high] = wilson(correct, count);
    format!("{} to {}", percent(low), percent(high))
}

pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Formats a number with spaces as thousands separators.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let (head, tail) = digits.split_at(digits.len() % 3);
    let groups = tail.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let head = (!head.is_empty()).then(|| head.into());
    head.into_iter().chain(groups).collect::<Vec<_>>().join("\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_thousands() {
        let shown =
            [0, 12, 999, 1000, 400_252].map(|number| thousands(number).replace('\u{202f}', " "));
        assert_eq!(shown, ["0", "12", "999", "1 000", "400 252"]);
    }
}
