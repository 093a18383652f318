//! The dashboard as text: what fits into the terminal, the most important parts first.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span as Text, Text as Lines};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LineGauge};

use super::renderer::{EpochEvent, Scores};
use crate::progress::readable;
use crate::text;

/// Columns of the elapsed time and the time left.
const TIMES: u16 = 26;
/// Fewest columns of the curves.
const MIN_CURVES: u16 = 44;
/// Number of epochs that the history keeps.
const MOST_EPOCHS: usize = 1000;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dim();

/// What the dashboard shows.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub name: String,
    pub directory: String,
    pub device: String,
    pub activity: Activity,
    /// Number of the epoch, and of the last one.
    pub epochs: (usize, usize),
    pub epoch: Span,
    pub run: Span,
    /// Means over the epoch so far.
    pub train: Scores,
    pub history: History,
    /// The epoch that `training.best_metric` chooses so far.
    pub best: Option<(usize, Scores)>,
    pub learning_rate: Option<f64>,
    /// Training examples per second.
    pub speed: Option<f64>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Age of the last checkpoint.
    pub checkpoint: Option<Duration>,
    pub message: Option<String>,
    pub has_colours: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Activity {
    #[default]
    Starting,
    Training,
    Validating,
    Stopping,
}

/// A part of the run.
#[derive(Debug, Clone, Default)]
pub struct Span {
    pub fraction: f64,
    pub elapsed: Duration,
    pub left: Option<Duration>,
}

/// The last epoch and, of a long run, some of those before.
#[derive(Debug, Clone, Default)]
pub struct History(Vec<EpochEvent>);

impl History {
    /// Adds an epoch. Those after it were rolled back.
    pub fn push(&mut self, epoch: EpochEvent) {
        while self.0.last().is_some_and(|last| last.epoch >= epoch.epoch) {
            self.0.pop();
        }
        if self.0.len() == MOST_EPOCHS {
            let mut index = 0;
            self.0.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        self.0.push(epoch);
    }
}

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Header,
    Epoch,
    Run,
    Gap,
    Scores,
    Curves,
    Message,
    Keys,
}

/// Parts from top to bottom, with their rows and their rank: those of the highest rank are left out
/// first.
const PARTS: [(Part, u16, u8); 8] = [
    (Part::Header, 1, 2),
    (Part::Epoch, 1, 5),
    (Part::Run, 1, 0),
    (Part::Gap, 1, 7),
    (Part::Scores, 4, 4),
    (Part::Curves, 8, 6),
    (Part::Message, 1, 3),
    (Part::Keys, 1, 1),
];

impl View {
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let height = frame.area().height;
        let rows = PARTS.map(|(part, rows, rank)| match part {
            Part::Curves => Constraint::Fill(1),
            _ if Self::fits(rank, height) => Constraint::Length(self.rows(part, rows)),
            _ => Constraint::Length(0),
        });
        let areas = Layout::vertical(rows).areas::<8>(frame.area());
        for ((part, _, rank), area) in PARTS.into_iter().zip(areas) {
            if Self::fits(rank, height) && !area.is_empty() {
                self.draw_part(part, frame, area);
            }
        }
    }

    /// Whether parts up to a rank fit into a height.
    fn fits(rank: u8, height: u16) -> bool {
        let parts = PARTS.iter().filter(|(.., other)| *other <= rank);
        parts.map(|(_, rows, _)| rows).sum::<u16>() <= height
    }

    fn rows(&self, part: Part, rows: u16) -> u16 {
        if part == Part::Message && self.message.is_none() { 0 } else { rows }
    }

    fn draw_part(&self, part: Part, frame: &mut Frame<'_>, area: Rect) {
        let (epoch, last) = self.epochs;
        let label = format!("epoch {epoch:>width$} of {last}", width = last.to_string().len());
        let width = label.len();
        match part {
            Part::Header => self.draw_header(frame, area),
            Part::Epoch => self.draw_gauge(&label, &self.epoch, frame, area),
            Part::Run => self.draw_gauge(&format!("{:<width$}", "run"), &self.run, frame, area),
            Part::Gap => {}
            Part::Scores => self.draw_scores(frame, area),
            Part::Curves => self.draw_curves(frame, area),
            Part::Message => {
                let message = self.message.as_deref().unwrap_or_default();
                let message = text::cut(message, area.width.into());
                frame.render_widget(Text::styled(message, self.colour(Color::Yellow)), area);
            }
            Part::Keys => {
                let keys = match self.activity {
                    Activity::Stopping => "Ctrl-C again exits at once, without this checkpoint",
                    _ => "q or Ctrl-C stops with a checkpoint, Ctrl-Z suspends",
                };
                frame.render_widget(Text::styled(keys, FAINT), area);
            }
        }
    }

    fn draw_header(&self, frame: &mut Frame<'_>, area: Rect) {
        let (activity, style) = match self.activity {
            Activity::Starting => ("starting", FAINT),
            Activity::Training => ("training", self.colour(Color::Cyan)),
            Activity::Validating => ("validating", self.colour(Color::Magenta)),
            Activity::Stopping => {
                ("stopping: a checkpoint is being written", self.colour(Color::Yellow).bold())
            }
        };
        let columns = [Constraint::Fill(1), Constraint::Length(activity.len() as u16 + 1)];
        let [left, right] = Layout::horizontal(columns).areas(area);
        let room = usize::from(left.width).saturating_sub(self.name.len() + 2);
        let place = text::cut(&format!("{} on {}", self.directory, self.device), room);
        let title = [Text::styled(&self.name, STRONG), "  ".into(), Text::styled(place, FAINT)];
        frame.render_widget(Line::from_iter(title), left);
        frame.render_widget(Line::styled(activity, style).right_aligned(), right);
    }

    fn draw_gauge(&self, label: &str, span: &Span, frame: &mut Frame<'_>, area: Rect) {
        let fraction = span.fraction.clamp(0.0, 1.0);
        let label = format!("{label} {:>3.0} %", (100.0 * fraction).floor());
        let columns = [Constraint::Fill(1), Constraint::Length(TIMES)];
        let [left, right] = Layout::horizontal(columns).areas(area);
        let gauge = LineGauge::default().label(label).ratio(fraction);
        let gauge = gauge.filled_symbol("━").filled_style(self.colour(Color::Cyan));
        frame.render_widget(gauge.unfilled_symbol("─").unfilled_style(FAINT), left);
        let time = span.left.filter(|_| self.activity != Activity::Stopping);
        let time = time.map_or(String::new(), |time| format!(", {} left", readable(time)));
        frame.render_widget(Line::from(clock(span.elapsed) + &time).right_aligned(), right);
    }

    fn draw_scores(&self, frame: &mut Frame<'_>, area: Rect) {
        let columns = [Constraint::Length(42), Constraint::Fill(1)];
        let [left, right] = Layout::horizontal(columns).areas(area);
        let validation = self.history.0.last().map(|epoch| epoch.validation).unwrap_or_default();
        let (best, scores) = self.best.map_or(("best".to_owned(), Scores::default()), |best| {
            (format!("best, epoch {}", best.0), best.1)
        });
        let header = format!("{:18}{:>8}{:>11}", "", "loss", "accuracy");
        let rows = [("train", self.train), ("validation", validation), (&best, scores)];
        let rows = rows.into_iter().map(|(name, scores)| score_line(name, scores));
        frame.render_widget(
            Lines::from_iter([Line::styled(header, FAINT)].into_iter().chain(rows)),
            left,
        );
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let facts = [
            ("learning rate", self.learning_rate.map(|rate| format!("{rate:.2e}"))),
            ("examples/s", self.speed.map(speed)),
            ("memory", self.memory.map(bytes)),
            ("checkpoint", self.checkpoint.map(|age| format!("{} ago", readable(age)))),
        ];
        let facts = facts.map(|(name, value)| {
            Line::from_iter([Text::styled(format!("{name:<15}"), FAINT), or_dash(value).into()])
        });
        frame.render_widget(Lines::from_iter(facts), right);
    }

    fn draw_curves(&self, frame: &mut Frame<'_>, area: Rect) {
        if area.width < MIN_CURVES {
            return;
        }
        let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(area);
        self.draw_curve("loss", |scores| scores.loss, frame, left);
        self.draw_curve("accuracy in %", |scores| scores.accuracy, frame, right);
    }

    fn draw_curve(
        &self,
        title: &str,
        score: fn(&Scores) -> Option<f64>,
        frame: &mut Frame<'_>,
        area: Rect,
    ) {
        let points = |split: fn(&EpochEvent) -> Scores| -> Vec<_> {
            let rows = self.history.0.iter();
            rows.filter_map(|row| Some((row.epoch as f64, score(&split(row))?))).collect()
        };
        let [train, validation] = [points(|row| row.train), points(|row| row.validation)];
        // Without colours the curves differ by their marks.
        let mark = if self.has_colours { Marker::Braille } else { Marker::Dot };
        let dot = if self.has_colours { "⠒⠒" } else { "••" };
        let curves = [
            ("train", "⠒⠒", &train, Marker::Braille, self.colour(Color::Cyan)),
            ("validation", dot, &validation, mark, self.colour(Color::Magenta)),
        ];
        let curves = curves.into_iter().filter(|(_, _, points, ..)| !points.is_empty());
        let legend = curves.clone().flat_map(|(name, dots, _, _, style)| {
            [Text::styled(dots, style), format!(" {name} ").into()]
        });
        let title = [Text::styled(format!(" {title}  "), STRONG)].into_iter().chain(legend);
        let datasets = curves.map(|(_, _, points, marker, style)| {
            let dataset = Dataset::default().data(points).marker(marker).style(style);
            dataset.graph_type(GraphType::Line)
        });
        let epochs = range(train.iter().map(|(epoch, _)| *epoch), 1.0);
        let values = range(train.iter().chain(&validation).map(|(_, value)| *value), 1e-6);
        let chart = Chart::new(datasets.collect())
            .block(Block::bordered().border_style(FAINT).title(Line::from_iter(title)))
            .legend_position(None)
            .x_axis(axis(epochs, &epochs.map(|epoch| epoch.to_string())))
            .y_axis(axis(values, &labels(values)));
        frame.render_widget(chart, area);
    }

    /// A colour of the terminal's palette.
    fn colour(&self, colour: Color) -> Style {
        if self.has_colours { Style::new().fg(colour) } else { Style::new() }
    }
}

fn score_line(name: &str, Scores { loss, accuracy }: Scores) -> Line<'static> {
    let loss = loss.map_or("-".to_owned(), |loss| format!("{loss:.4}"));
    let accuracy = accuracy.map_or("-".to_owned(), |accuracy| format!("{accuracy:.1} %"));
    Line::from(format!("{name:<18}{loss:>8}{accuracy:>11}"))
}

fn axis(bounds: [f64; 2], labels: &[String]) -> Axis<'static> {
    Axis::default().bounds(bounds).labels(labels.to_vec()).style(FAINT)
}

/// Smallest and largest of `values`, at least `least` apart.
fn range(values: impl Iterator<Item = f64> + Clone, least: f64) -> [f64; 2] {
    let first = values.clone().reduce(f64::min).unwrap_or(0.0);
    [first, values.fold(first + least, f64::max)]
}

/// Both ends and the middle of a range, with as many digits as tell them apart.
fn labels([first, last]: [f64; 2]) -> [String; 3] {
    let digits = (2.0 - (last - first).log10().floor()).clamp(0.0, 6.0) as usize;
    [first, f64::midpoint(first, last), last].map(|value| format!("{value:.digits$}"))
}

/// A duration as hours, minutes and seconds.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn speed(examples: f64) -> String {
    if examples < 10.0 { format!("{examples:.2}") } else { format!("{examples:.0}") }
}

fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes < 1e9 => format!("{:.0} MB", bytes / 1e6),
        bytes => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests;
