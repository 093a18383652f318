use crate::cells::by_cell;

/// A place, as shares of the width and the height of a grid.
type Place = [f64; 2];

/// A line from one place to another.
pub type Segment = [Place; 2];

/// The lines where the likeliest class changes over a grid of `columns` and `rows`;
/// `probabilities` has one list a class, `f32 [rows * columns]`.
pub fn decision_lines(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Vec<Segment> {
    let nodes = nodes(probabilities, columns, rows);
    let lines: Vec<&[Node]> = nodes.chunks_exact(columns + 2).collect();
    let between = lines
        .array_windows()
        .flat_map(|[lower, upper]| lower.array_windows().zip(upper.array_windows()));
    between.flat_map(|([a, b], [d, c])| lines_within([a, b, c, d])).collect()
}

/// The centre of a cell, or a place on the border.
struct Node {
    place: Place,
    /// The logarithm of the probability of each class. Between nodes they are taken to be linear,
    /// as they are where a model is sure and the probabilities are not.
    logarithms: Vec<f64>,
    /// The class that is likeliest.
    likeliest: usize,
    /// The logarithm of its probability.
    highest: f64,
}

impl Node {
    fn new(place: Place, logarithms: Vec<f64>) -> Self {
        let classes = logarithms.iter().copied().enumerate();
        // The first of equals.
        let likeliest = classes.reduce(|best, one| if one.1 > best.1 { one } else { best });
        let (likeliest, highest) = likeliest.unwrap_or((0, f64::NEG_INFINITY));
        Self { place, logarithms, likeliest, highest }
    }

    /// Where on the way to another node its likeliest class is as likely as this one's; `None` if
    /// they are the same.
    fn crossing(&self, other: &Self) -> Option<Place> {
        if self.likeliest == other.likeliest {
            return None;
        }
        let before = self.highest - self.logarithms.get(other.likeliest)?;
        let after = other.logarithms.get(self.likeliest)? - other.highest;
        let share = if before > after { before / (before - after) } else { 0.5 };
        let [[left, low], [right, high]] = [self.place, other.place];
        Some([left + share * (right - left), low + share * (high - low)])
    }
}

/// The centres of the cells and, around them, places on the border: `[(rows + 2) * (columns + 2)]`.
fn nodes(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Vec<Node> {
    let share = |node: usize, cells: usize| ((node as f64 - 0.5) / cells as f64).clamp(0.0, 1.0);
    let place = |row, column| [share(column, columns), share(row, rows)];
    let places =
        (0..rows + 2).flat_map(|row| (0..columns + 2).map(move |column| place(row, column)));
    let logarithms = probabilities.iter().map(|of_class| extended(of_class, columns).into_iter());
    places
        .zip(by_cell(logarithms.collect()))
        .map(|(place, values)| Node::new(place, values))
        .collect()
}

/// The logarithms of probabilities `[rows * columns]` at every node.
fn extended(probabilities: &[f32], columns: usize) -> Vec<f64> {
    let logarithm = |value: &f32| f64::from(value.max(f32::MIN_POSITIVE)).ln();
    let logarithms: Vec<f64> = probabilities.iter().map(logarithm).collect();
    let lines: Vec<&[f64]> = logarithms.chunks_exact(columns).collect();
    let pairs = bordered(&lines)
        .into_iter()
        .flat_map(|[line, before]| bordered(line).into_iter().zip(bordered(before)));
    // On the border, as far from the last centre as half of the way to the one before.
    pairs.map(|([here, beside], [before, _])| 2.0 * here - 0.5 * before - 0.5 * beside).collect()
}

/// Cells in a line each with itself and, at either end, the last once more with the one before it,
/// if there is one.
fn bordered<T: Copy>(cells: &[T]) -> Vec<[T; 2]> {
    let begin = cells.first().map(|first| [*first, *cells.get(1).unwrap_or(first)]);
    let end = cells.last().map(|last| [*last, *cells.iter().nth_back(1).unwrap_or(last)]);
    begin.into_iter().chain(cells.iter().map(|cell| [*cell; 2])).chain(end).collect()
}

/// The lines within a square of four nodes, which follow each other around it.
fn lines_within(corners: [&Node; 4]) -> Vec<Segment> {
    let [a, b, c, d] = corners;
    let sides = [(a, b), (b, c), (c, d), (d, a)];
    let crossings: Vec<Place> =
        sides.into_iter().filter_map(|(one, other)| one.crossing(other)).collect();
    match crossings[..] {
        [] => Vec::new(),
        [one, other] => vec![[one, other]],
        // Three or four regions meet, in the middle of where they part on the sides.
        _ => {
            let count = crossings.len() as f64;
            let x: f64 = crossings.iter().map(|[x, _]| x).sum();
            let y: f64 = crossings.iter().map(|[_, y]| y).sum();
            crossings.into_iter().map(|place| [place, [x / count, y / count]]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Softmax over three logits at the centres of a grid.
    fn grid(edge: usize, logits: impl Fn(f64, f64) -> [f64; 3]) -> Vec<Vec<f32>> {
        let centre = |index: usize| (index as f64 + 0.5) / edge as f64;
        let of = |class: usize, cell: usize| {
            let powers = logits(centre(cell % edge), centre(cell / edge)).map(f64::exp);
            (powers[class] / powers.iter().sum::<f64>()) as f32
        };
        (0..3).map(|class| (0..edge * edge).map(|cell| of(class, cell)).collect()).collect()
    }

    #[test]
    fn the_line_between_half_planes_is_where_they_part() {
        let sure = |x: f64, y: f64| [80.0 * (x + 0.5 * y - 0.61), 0.0, -200.0];
        let lines = decision_lines(&grid(20, sure), 20, 20);
        assert!(lines.len() >= 20);
        for [x, y] in lines.into_iter().flatten() {
            assert!((x + 0.5 * y - 0.61).abs() < 1e-4, "{x} {y}");
        }
    }

    #[test]
    fn three_regions_meet_in_one_place() {
        let lines = decision_lines(&grid(3, |x, y| [x, y, 1.1 - x - y]), 3, 3);
        let ends: Vec<[f64; 2]> = lines.into_iter().flatten().collect();
        let meeting = |place: &&[f64; 2]| ends.iter().filter(|other| other == place).count() == 3;
        assert_eq!(ends.iter().filter(meeting).count(), 3);
    }

    #[test]
    fn one_class_and_one_cell_have_no_line() {
        assert!(decision_lines(&[vec![1.0; 12]], 4, 3).is_empty());
        assert!(decision_lines(&[vec![0.5], vec![0.5]], 1, 1).is_empty());
    }
}
