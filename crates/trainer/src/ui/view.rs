//! The dashboard as text: what fits into the terminal, the most important parts first.

mod curves;

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span as Text, Text as Lines};
use ratatui::widgets::LineGauge;

use super::renderer::{EpochEvent, Scores};
use crate::progress::readable;
use crate::{style, text};

/// Columns of the elapsed time, and of the time left.
const TIMES: [u16; 2] = [8, 18];
/// Fewest columns with the time left.
const MIN_LEFT: u16 = 46;
/// Fewest columns and rows of the curves.
const MIN_CURVES: (u16, u16) = (44, 8);
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

/// Parts from top to bottom with their rows and their rank: those of the highest rank are left out
/// first.
const PARTS: [(Constraint, u8, Draw); 8] = [
    (Constraint::Length(1), 2, View::draw_header),
    (Constraint::Length(1), 5, View::draw_epoch),
    (Constraint::Length(1), 0, View::draw_run),
    (Constraint::Length(1), 7, |_, _, _| {}),
    (Constraint::Length(4), 4, View::draw_scores),
    (Constraint::Fill(1), 6, View::draw_curves),
    (Constraint::Length(1), 3, View::draw_message),
    (Constraint::Length(1), 1, View::draw_keys),
];
type Draw = fn(&View, &mut Frame<'_>, Rect);

/// Whether parts up to a rank fit into a height.
fn fits(rank: u8, height: u16) -> bool {
    let parts = PARTS.iter().filter(|(_, other, _)| *other <= rank);
    let rows = parts.map(|(rows, ..)| match rows {
        Constraint::Length(rows) => *rows,
        _ => MIN_CURVES.1,
    });
    rows.sum::<u16>() <= height
}

impl View {
    pub fn draw(&self, frame: &mut Frame<'_>) {
        let height = frame.area().height;
        let rows = PARTS.map(|(rows, rank, _)| match rows {
            Constraint::Length(_) if !fits(rank, height) => Constraint::Length(0),
            rows => rows,
        });
        let areas = Layout::vertical(rows).areas::<8>(frame.area());
        for ((_, rank, draw), area) in PARTS.into_iter().zip(areas) {
            if fits(rank, height) {
                draw(self, frame, area);
            }
        }
    }

    fn draw_message(&self, frame: &mut Frame<'_>, area: Rect) {
        let message = text::cut(self.message.as_deref().unwrap_or_default(), area.width.into());
        frame.render_widget(Text::styled(message, self.colour(Color::Yellow)), area);
    }

    fn draw_keys(&self, frame: &mut Frame<'_>, area: Rect) {
        let keys = match self.activity {
            Activity::Stopping => "Ctrl-C again exits at once, without this checkpoint",
            _ => "q or Ctrl-C stops with a checkpoint, Ctrl-Z suspends",
        };
        frame.render_widget(Text::styled(keys, FAINT), area);
    }

    fn draw_epoch(&self, frame: &mut Frame<'_>, area: Rect) {
        self.draw_gauge(&self.epoch_label(), &self.epoch, frame, area);
    }

    fn draw_run(&self, frame: &mut Frame<'_>, area: Rect) {
        let width = self.epoch_label().len();
        self.draw_gauge(&format!("{:<width$}", "run"), &self.run, frame, area);
    }

    fn epoch_label(&self) -> String {
        let (epoch, last) = self.epochs;
        format!("epoch {epoch:>width$} of {last}", width = last.to_string().len())
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
        let room = usize::from(left.width);
        let name = text::cut(&self.name, room);
        let room = room.saturating_sub(style::width(&name) + 2);
        let place = text::cut(&format!("{} on {}", self.directory, self.device), room);
        let title = [Text::styled(name, STRONG), "  ".into(), Text::styled(place, FAINT)];
        frame.render_widget(Line::from_iter(title), left);
        frame.render_widget(Line::styled(activity, style).right_aligned(), right);
    }

    fn draw_gauge(&self, label: &str, span: &Span, frame: &mut Frame<'_>, area: Rect) {
        let fraction = span.fraction.clamp(0.0, 1.0);
        let label = format!("{label} {:>3.0} %", (100.0 * fraction).floor());
        let [elapsed, left] = TIMES;
        let times = if area.width < MIN_LEFT { elapsed } else { elapsed + left };
        let columns = [Constraint::Fill(1), Constraint::Length(times)];
        let [left, right] = Layout::horizontal(columns).areas(area);
        let gauge = LineGauge::default().label(label).ratio(fraction);
        let gauge = gauge.filled_symbol("━").filled_style(self.colour(Color::Cyan));
        frame.render_widget(gauge.unfilled_symbol("─").unfilled_style(FAINT), left);
        let shows_left = area.width >= MIN_LEFT && self.activity != Activity::Stopping;
        let time = span.left.filter(|_| shows_left);
        let time = time.map_or(String::new(), |time| format!(", {} left", readable(time)));
        frame.render_widget(Line::from(clock(span.elapsed) + &time).right_aligned(), right);
    }

    fn draw_scores(&self, frame: &mut Frame<'_>, area: Rect) {
        let columns = [Constraint::Length(36), Constraint::Fill(1)];
        let [left, right] = Layout::horizontal(columns).areas(area);
        let validation = self.history.0.last().map(|epoch| epoch.validation).unwrap_or_default();
        let (best, scores) = self.best.map_or(("best".to_owned(), Scores::default()), |best| {
            (format!("best, epoch {}", best.0), best.1)
        });
        let header = format!("{:16}{:>8}{:>10}", "", "loss", "accuracy");
        let rows = [("train", self.train), ("validation", validation), (&best, scores)];
        let rows = rows.into_iter().map(|(name, scores)| score_line(name, scores));
        frame.render_widget(
            Lines::from_iter([Line::styled(header, FAINT)].into_iter().chain(rows)),
            left,
        );
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let facts = [
            ("learning rate", self.learning_rate.map(|rate| format!("{rate:.2e}"))),
            ("examples/s", self.speed.map(|speed| format!("{speed:.1}"))),
            ("memory", self.memory.map(|bytes| format!("{} MB", bytes / 1_000_000))),
            ("checkpoint", self.checkpoint.map(|age| format!("{} ago", readable(age)))),
        ];
        let facts = facts.map(|(name, value)| {
            Line::from_iter([Text::styled(format!("{name:<14}"), FAINT), or_dash(value).into()])
        });
        frame.render_widget(Lines::from_iter(facts), right);
    }

    /// A colour of the terminal's palette.
    fn colour(&self, colour: Color) -> Style {
        if self.has_colours { Style::new().fg(colour) } else { Style::new() }
    }
}

fn score_line(name: &str, Scores { loss, accuracy }: Scores) -> Line<'static> {
    let loss = loss.map_or("-".to_owned(), |loss| format!("{loss:.4}"));
    let accuracy = accuracy.map_or("-".to_owned(), |accuracy| format!("{accuracy:.1} %"));
    Line::from(format!("{name:<16}{loss:>8}{accuracy:>10}"))
}

/// A duration as hours, minutes and seconds.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests;
