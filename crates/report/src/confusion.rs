//! Confusion matrices.

use crate::svg::{Anchor, INK, Svg, colour, fitted, hexadecimal, width};

/// Width of names and heading on the left, in pixels.
const LEFT: f64 = 112.0;
/// Height of names and heading above, with horizontal and with vertical names.
const ABOVE: [f64; 2] = [52.0, 110.0];
/// Width and height of the matrix.
const SIDE: f64 = 340.0;
/// Size from which a cell shows its count.
const LEGIBLE: f64 = 18.0;

/// Draws a confusion matrix with true classes as rows and predicted classes as columns. The opacity
/// of a cell is its share of the true class.
pub fn confusion(classes: &[String], counts: &[Vec<usize>]) -> String {
    let cell = SIDE / classes.len().max(1) as f64;
    let are_horizontal = classes.iter().all(|name| is_horizontal(name, cell));
    let above = if are_horizontal { ABOVE[0] } else { ABOVE[1] };
    let mut svg = Svg::new([LEFT + SIDE + 18.0, above + SIDE + 18.0], "Confusion matrix");
    let middle = SIDE / 2.0;
    svg.text([LEFT + middle, 20.0], 13.0, Anchor::Middle, "Predicted");
    svg.upright([18.0, above + middle], 13.0, Anchor::Middle, "True");
    for (index, name) in classes.iter().enumerate().filter(|_| cell >= LEGIBLE / 1.5) {
        let at = (index as f64 + 0.5) * cell;
        let left = [LEFT - 8.0, above + at + 4.0];
        svg.text(left, 11.0, Anchor::End, &fitted(name, 11.0, LEFT - 36.0));
        column_name([LEFT + at, above - 8.0], name, cell, &mut svg);
    }
    for (row, counts) in counts.iter().enumerate() {
        let total: usize = counts.iter().sum();
        for (column, &count) in counts.iter().enumerate() {
            let at = [LEFT + column as f64 * cell, above + row as f64 * cell];
            let share = count as f64 / total.max(1) as f64;
            draw_cell(at, cell, (count, share, row == column), &mut svg);
        }
    }
    svg.finish()
}

fn is_horizontal(name: &str, cell: f64) -> bool {
    width(name, 11.0) < cell
}

/// Draws a name horizontally if it fits, otherwise vertically.
fn column_name([x, y]: [f64; 2], name: &str, cell: f64, svg: &mut Svg) {
    if is_horizontal(name, cell) {
        return svg.text([x, y], 11.0, Anchor::Middle, name);
    }
    svg.upright([x + 4.0, y], 11.0, Anchor::Start, &fitted(name, 11.0, ABOVE[1] - 40.0));
}

/// Draws a cell: blue if the prediction is correct, orange if not.
fn draw_cell(
    [x, y]: [f64; 2],
    cell: f64,
    (count, share, is_correct): (usize, f64, bool),
    svg: &mut Svg,
) {
    let fill = hexadecimal(colour(usize::from(!is_correct)));
    let (frame, opacity) = (hexadecimal(INK), if count > 0 { 0.08 + 0.72 * share } else { 0.0 });
    svg.element(format_args!(
        r#"<rect x="{x:.1}" y="{y:.1}" width="{cell:.1}" height="{cell:.1}" fill="{fill}" fill-opacity="{opacity:.2}" stroke="{frame}" stroke-opacity="0.15"/>"#
    ));
    if cell >= LEGIBLE && count > 0 {
        let centre = [x + cell / 2.0, y + cell / 2.0 + 4.5];
        svg.text(centre, 12.0, Anchor::Middle, &count.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_above_zero_is_drawn_once() {
        let classes = ["cat", "<dog>", "a name that is much too long for its cell"];
        let classes = classes.map(String::from);
        let counts = [vec![8, 0, 1], vec![2, 7, 0], vec![0, 0, 0]];
        let svg = confusion(&classes, &counts);
        for count in [8, 1, 2, 7] {
            assert_eq!(svg.matches(&format!(">{count}</text>")).count(), 1, "{count}");
        }
        assert!(svg.contains("&lt;dog&gt;") && svg.contains('…'));
        assert_eq!(svg.matches("<rect ").count(), 1 + 9);
    }

    #[test]
    fn many_classes_are_drawn_without_numbers() {
        let classes: Vec<String> = (0..200).map(|class| class.to_string()).collect();
        let svg = confusion(&classes, &vec![vec![1; 200]; 200]);
        assert!(!svg.contains(">1</text>"));
    }
}
