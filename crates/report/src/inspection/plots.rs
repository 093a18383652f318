use super::{DataHistogram, DataPage};
use crate::axis::Axis;
use crate::palette::colour;
use crate::panel::{Curve, Frame, legend, range, stroke};
use crate::plots::Plot;
use crate::svg::{Anchor, Svg};

const SIZE: [f64; 2] = [470.0, 330.0];
const FRAME: Frame = Frame { across: [62.0, 446.0], height: [278.0, 44.0] };
/// Largest number of channels with a histogram.
const MAX_CHANNELS: usize = 6;

/// Returns a histogram for each channel, with one curve per split.
pub fn histograms(data: &DataPage) -> Vec<Plot> {
    let plot = |(channel, histogram): (usize, &DataHistogram)| Plot {
        name: "values",
        svg: histogram_of(data, &format!("Values of {} {channel} (%)", data.unit), histogram),
    };
    data.histograms.iter().take(MAX_CHANNELS).enumerate().map(plot).collect()
}

fn histogram_of(data: &DataPage, heading: &str, histogram: &DataHistogram) -> String {
    let mut svg = Svg::new(SIZE, heading);
    let curves: Vec<Curve> =
        histogram.parts.iter().map(|counts| shares(counts, histogram.range)).collect();
    let names = data.parts.iter().map(|part| part.name.as_str()).enumerate();
    legend(&names.clone().collect::<Vec<_>>(), [FRAME.across[1], 16.0], &mut svg);
    svg.text([FRAME.across[0], 32.0], 13.0, Anchor::Start, heading);
    let [low, high] = histogram.range.map(f64::from);
    let x = Axis::exact([low, high], FRAME.across, 5.0, 0.0);
    let [_, most] = range(curves.iter().flatten(), |_| true);
    let y = Axis::rounded([0.0, most.max(0.0)], 100.0, FRAME.height);
    x.draw_with(&y, &mut svg);
    for ((index, name), curve) in names.zip(&curves) {
        stroke(curve, name, colour(index), [&x, &y], &mut svg);
    }
    svg.finish()
}

/// Returns the percentage of all values in each bin, at the centre of the bin.
fn shares(counts: &[u64], range: [f32; 2]) -> Curve {
    let [low, high] = range.map(f64::from);
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let width = (high - low) / counts.len().max(1) as f64;
    let share = |(bin, &count): (usize, &u64)| {
        [low + width * (bin as f64 + 0.5), 100.0 * count as f64 / total]
    };
    counts.iter().enumerate().map(share).collect()
}
