use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Color;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span as Text};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType};

use super::{FAINT, MIN_CURVES, STRONG, View};
use crate::ui::renderer::{EpochEvent, Scores};

impl View {
    /// Loss and accuracy by epoch, once one has ended.
    pub fn draw_curves(&self, frame: &mut Frame<'_>, area: Rect) {
        if area.width < MIN_CURVES.0 || self.history.0.is_empty() {
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
