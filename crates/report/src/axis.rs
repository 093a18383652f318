use crate::svg::{Anchor, GRID, INK, Point, Svg};

/// Font size of the tick labels, in pixels.
const NUMBERS: f64 = 11.0;
/// Length of a tick, in pixels.
const TICK: f64 = 4.0;

/// Mapping of a range of values to pixels along one direction of a picture.
#[derive(Debug, Clone)]
pub struct Axis {
    /// First and last value that are shown; their base 10 logarithms if `log`.
    shown: [f64; 2],
    /// Positions of these in pixels.
    pixels: [f64; 2],
    log: bool,
    /// Values with a grid line, and their labels.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Shows `range` exactly, with about `count` ticks no finer than `finest`.
    pub fn exact(range: [f64; 2], pixels: [f64; 2], count: f64, finest: f64) -> Self {
        let shown = widened(range);
        let step = nice_step((shown[1] - shown[0]) / count).max(finest);
        Self { shown, pixels, log: false, ticks: linear_ticks(shown, step) }
    }

    /// Extends `range` to begin and end with a tick, but not above `most`; starts at 0 unless the
    /// values are close to each other.
    pub fn rounded(range: [f64; 2], most: f64, pixels: [f64; 2]) -> Self {
        let [low, high] = widened(range);
        let high = high.min(most);
        let low = if low > 0.0 && low < 0.5 * high { 0.0 } else { low };
        let step = nice_step((high - low) / 5.0);
        let shown = [(low / step).floor() * step, (high / step).ceil() * step];
        Self { shown, pixels, log: false, ticks: linear_ticks(shown, step) }
    }

    /// Shows a range of positive values on a logarithmic scale.
    pub fn logarithmic(range: [f64; 2], pixels: [f64; 2]) -> Self {
        let [low, high] = range.map(f64::log10);
        let margin = 0.03 * (high - low);
        let shown = [low - margin, high + margin];
        let every = ((high - low) / 6.0).ceil().max(1.0) as usize;
        let decades = (shown[0].ceil() as i32..=shown[1].floor() as i32).step_by(every);
        let ticks = decades.map(|decade| (10_f64.powi(decade), format!("10{}", raised(decade))));
        Self { shown, pixels, log: true, ticks: ticks.collect() }
    }

    pub fn is_logarithmic(&self) -> bool {
        self.log
    }

    /// Returns the position of its start in pixels.
    pub fn begin(&self) -> f64 {
        self.pixels[0]
    }

    /// Returns the position of a value in pixels, clamped to the axis.
    pub fn position(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        let share = (value - self.shown[0]) / (self.shown[1] - self.shown[0]);
        self.pixels[0] + share.clamp(0.0, 1.0) * (self.pixels[1] - self.pixels[0])
    }

    /// Draws this axis at the bottom and `left` at the left, with grid lines and labels.
    pub fn draw_with(&self, left: &Axis, svg: &mut Svg) {
        let [x, y] = [self.pixels, left.pixels];
        for (value, label) in &self.ticks {
            let at = self.position(*value);
            svg.line([at, y[0]], [at, y[1]], GRID, 0.8);
            svg.line([at, y[0]], [at, y[0] + TICK], INK, 0.8);
            svg.text([at, y[0] + 18.0], NUMBERS, Anchor::Middle, label);
        }
        for (value, label) in &left.ticks {
            let at = left.position(*value);
            svg.line([x[0], at], [x[1], at], GRID, 0.8);
            svg.line([x[0], at], [x[0] - TICK, at], INK, 0.8);
            svg.text([x[0] - 8.0, at + 0.36 * NUMBERS], NUMBERS, Anchor::End, label);
        }
        let corner: Point = [x[0], y[0]];
        svg.line(corner, [x[1], y[0]], INK, 0.8);
        svg.line(corner, [x[0], y[1]], INK, 0.8);
    }
}

/// Widens a range that is a single value.
fn widened([low, high]: [f64; 2]) -> [f64; 2] {
    let least = (high.abs() * 1e-6).max(1e-12);
    if high - low > least {
        return [low, high];
    }
    let margin = if high == 0.0 { 1.0 } else { 0.5 * high.abs() };
    [low - margin, high + margin]
}

/// Returns 1, 2 or 5 times a power of 10, at least `step`.
fn nice_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= step * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

/// Returns the multiples of a step within a range, with their labels.
fn linear_ticks(shown: [f64; 2], step: f64) -> Vec<(f64, String)> {
    let first = (shown[0] / step - 1e-6).ceil();
    let last = (shown[1] / step + 1e-6).floor();
    let count = (last - first) as usize + 1;
    let values = (0..count.min(50)).map(|index| (first + index as f64) * step);
    values.map(|value| (value, label(value, step))).collect()
}

/// Formats a value with the precision of its step.
fn label(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    let text = if value == 0.0 || (digits <= 6 && value.abs() < 1e7) {
        format!("{value:.*}", digits.min(6))
    } else {
        format!("{value:.2e}")
    };
    text.replace('-', "−")
}

/// Formats an exponent in superscript digits.
fn raised(exponent: i32) -> String {
    let digit = |digit: char| {
        digit.to_digit(10).and_then(|digit| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit as usize)).unwrap_or('⁻')
    };
    exponent.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_few() {
        let axis = Axis::rounded([0.031, 0.69], 1.0, [0.0, 100.0]);
        assert_eq!(labels(&axis), ["0.0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(axis.position(0.4), 50.0);
        let axis = Axis::exact([-1.3, 2.2], [0.0, 1.0], 5.0, 0.0);
        assert_eq!(labels(&axis), ["−1", "0", "1", "2"]);
    }

    #[test]
    fn ticks_of_epochs_are_integers() {
        let axis = Axis::exact([1.0, 3.0], [0.0, 1.0], 6.0, 1.0);
        assert_eq!(labels(&axis), ["1", "2", "3"]);
    }

    #[test]
    fn decades_of_a_logarithmic_axis_have_equal_lengths() {
        let axis = Axis::logarithmic([0.001, 1.0], [0.0, 106.0]);
        assert_eq!(labels(&axis), ["10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        assert!((axis.position(0.1) - axis.position(0.01) - 100.0 / 3.0).abs() < 1e-9);
        assert_eq!(axis.position(0.0), 0.0);
    }

    #[test]
    fn extreme_ranges_have_few_ticks() {
        let ranges = [[0.0, 0.0], [5.0, 5.0], [-1e300, 1e300], [1e9, 1e9 + 1e-7], [1e-300, 2e-300]];
        for range in ranges {
            for axis in [
                Axis::rounded(range, f64::INFINITY, [0.0, 1.0]),
                Axis::exact(range, [0.0, 1.0], 5.0, 0.0),
            ] {
                assert!((1..=12).contains(&axis.ticks.len()), "{range:?}: {axis:?}");
                assert!((0.0..=1.0).contains(&axis.position(range[0])), "{range:?}: {axis:?}");
            }
        }
    }
}
