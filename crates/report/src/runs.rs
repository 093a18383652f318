//! The page of all runs, which `runs.js` keeps up to date with the events of a server, and the list
//! of the files in a folder.

use std::path::Path;

use artifacts::RunStatus;
use maud::{Markup, html};
use serde_json::json;

use crate::page::{data, encoded, frame, percent};
use crate::svg::{colour, hexadecimal};

/// Allows what the server of the page has, and nothing else.
pub const RUNS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                               img-src data:; base-uri 'none'; form-action 'none'";

/// The style of the page, which it loads from `/style.css`.
pub const RUNS_STYLE: &str = concat!(
    include_str!("../assets/uPlot.min.css"),
    include_str!("../assets/style.css"),
    include_str!("../assets/runs.css")
);

/// The script of the page, which it loads from `/script.js`.
pub const RUNS_SCRIPT: &str = concat!(
    "/* uPlot:\n",
    include_str!("../assets/LICENSE-uPlot.txt"),
    "*/\n",
    include_str!("../assets/uPlot.iife.min.js"),
    include_str!("../assets/page.js"),
    include_str!("../assets/runs.js")
);

/// Number of runs that have a colour of their own.
const COLOURS: usize = 28;

const COLUMNS: [&str; 10] = [
    "Run",
    "State",
    "Validation loss",
    "Validation accuracy",
    "Test accuracy",
    "Best",
    "Started (UTC)",
    "Seconds",
    "Device",
    "Files",
];

/// What the table shows of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunRow {
    /// Name of its directory.
    pub name: String,
    /// Its state; `None` if it cannot be read.
    pub status: Option<RunStatus>,
    /// The reason of the state.
    pub reason: Option<String>,
    /// Complete epochs.
    pub epochs_done: usize,
    /// Planned epochs, if they are known.
    pub epochs: Option<usize>,
    /// Estimate of the seconds to the end of a running run.
    pub seconds_left: Option<f64>,
    /// Validation loss of the last reported epoch.
    pub validation_loss: Option<f64>,
    /// Validation accuracy of that epoch, 0 to 1.
    pub validation_accuracy: Option<f64>,
    /// Test accuracy, 0 to 1.
    pub test_accuracy: Option<f64>,
    /// The best validation accuracy and its epoch.
    pub best: Option<(f64, usize)>,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// Seconds of all its processes.
    pub seconds: Option<f64>,
    /// Name of its device.
    pub device: String,
    /// Whether it has a report.
    pub has_report: bool,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// Size of a file, in bytes; `None` for a folder.
    pub bytes: Option<u64>,
}

/// The page of the runs in `directory`, with its `rows` as of now, whose `version` its script names to
/// the server. `/` shows it.
pub fn runs_page(directory: &Path, rows: &[RunRow], version: u64) -> String {
    let palette: Vec<_> = (0..COLOURS).map(|index| hexadecimal(colour(index))).collect();
    let body = html! {
        main class="runs" {
            header {
                h1 { "Runs" }
                p class="quiet" { "Folder " code { (directory.display()) } }
                p role="status" {}
            }
            p class="none" hidden[!rows.is_empty()] {
                "There are no runs yet. Start one, for example with " code { "trainer train photos" } "."
            }
            section class="list" hidden[rows.is_empty()] {
                div class="scroll" { table {
                    thead { tr { @for name in COLUMNS { th scope="col" { (name) } } } }
                    tbody { @for row in rows { (row.markup()) } }
                } }
            }
            section class="curves" hidden {
                h2 { "Curves" }
                p class="command" { code {} }
                div class="plots" {}
            }
        }
        (data(&json!({ "palette": palette, "directory": directory.display().to_string(), "version": version })))
        script src="/script.js" {}
    };
    page("Runs", &body)
}

/// The page of a folder, whose `path` below `/runs/` has these parts.
pub fn folder_page(path: &[&str], entries: &[FolderEntry]) -> String {
    let parents = (1..path.len()).filter_map(|length| path.split_at_checked(length));
    let body = html! { main {
        h1 { (path.join("/")) }
        nav aria-label="Folders above" { ul {
            li { a href="/" { "Runs" } }
            @for (above, _) in parents { li { a href=(address(above)) { (above.join("/")) } } }
        } }
        div class="scroll" { table class="folder" {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Bytes" } } }
            tbody { @for entry in entries { tr {
                td { a href=(address(&[path, &[entry.name.as_str()]].concat())) { (entry.name) } }
                td { @match entry.bytes { Some(bytes) => (bytes), None => "folder" } }
            } } }
        } }
    } };
    page(&path.join("/"), &body)
}

fn page(title: &str, body: &Markup) -> String {
    frame(title, RUNS_POLICY, &html! { link rel="stylesheet" href="/style.css"; }, body)
        .into_string()
}

/// The address of a file or folder below `/runs/`.
fn address(path: &[&str]) -> String {
    path.iter().fold("/runs".to_owned(), |address, part| format!("{address}/{}", encoded(part)))
}

impl RunRow {
    /// Its row of the table, as HTML. Cells have the value by which they are sorted, in `data-sort`.
    pub fn html(&self) -> String {
        self.markup().into_string()
    }

    fn markup(&self) -> Markup {
        let state = self.status.map_or("damaged", RunStatus::as_str);
        let share = |value| cell(value, percent);
        let best = |(accuracy, epoch)| format!("{} (epoch {epoch})", percent(accuracy));
        let digits = if self.status == Some(RunStatus::Running) { 0 } else { 1 };
        let seconds = |seconds| format!("{seconds:.digits$}");
        let started = self.started.replace('T', " ").chars().take(16).collect::<String>();
        html! { tr data-run=(self.name) data-state=(state) {
            th scope="row" { (self.name) }
            td data-sort=(state) { (self.state(state)) }
            (cell(self.validation_loss, |loss| format!("{loss:.4}")))
            (share(self.validation_accuracy))
            (share(self.test_accuracy))
            td data-sort=[self.best.map(|(accuracy, _)| accuracy)] { (self.best.map_or("–".to_owned(), best)) }
            td data-sort=(self.started) { (started) }
            (cell(self.seconds, seconds))
            td data-sort=(self.device) { (self.device) }
            td data-sort="" {
                @if self.has_report { a href=(address(&[&self.name, "report.html"])) { "report" } " " }
                a href=(address(&[&self.name])) { "files" }
            }
        } }
    }

    fn state(&self, state: &str) -> Markup {
        let epochs = match (self.epochs, self.epochs_done) {
            (Some(epochs), done) if epochs != done => format!("{done} of {epochs} epochs"),
            (_, 1) => "1 epoch".to_owned(),
            (_, done) => format!("{done} epochs"),
        };
        let is_running = self.status == Some(RunStatus::Running);
        let left = self.seconds_left.map(|seconds| format!(", {} left", duration(seconds)));
        html! {
            span class="state" { (state) }
            @if self.status.is_some() { span class="quiet" { " " (epochs) (left.unwrap_or_default()) } }
            @if let (Some(epochs), true) = (self.epochs, is_running) {
                progress aria-label=(format!("Progress of {}", self.name)) max=(epochs) value=(self.epochs_done) {}
            }
            @if let (Some(reason), false) = (&self.reason, is_running) { p class="reason" { (reason.lines().next().unwrap_or_default()) } }
        }
    }
}

fn cell(value: Option<f64>, text: impl Fn(f64) -> String) -> Markup {
    html! { td data-sort=[value] { (value.map_or("–".to_owned(), text)) } }
}

/// A duration in its two largest units.
fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_reasons_are_text_in_the_page_and_its_addresses() {
        let (name, reason) = ("a <b>/ü".to_owned(), Some("<script>\nmore".to_owned()));
        let row = RunRow { name, reason, status: Some(RunStatus::Failed), ..RunRow::default() };
        let page = runs_page("runs".as_ref(), &[row], 1);
        assert!(
            page.contains("a &lt;b&gt;/ü") && page.contains("href=\"/runs/a%20%3Cb%3E%2F%C3%BC\""),
            "{page}"
        );
        assert!(page.contains("&lt;script&gt;") && !page.contains("more"), "{page}");
    }

    #[test]
    fn durations_have_two_units() {
        let shown = [-1.0, 59.4, 61.0, 7_384.0].map(duration);
        assert_eq!(shown, ["0 s", "59 s", "1 min 1 s", "2 h 3 min"]);
    }
}
