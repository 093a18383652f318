/// Position as fractions of the width and the height of a grid.
type Position = [f64; 2];

/// Line between two positions.
pub type Segment = [Position; 2];

/// Returns the lines where the most probable class changes on a grid; `probabilities` has for each
/// class the values of the grid, `[rows * columns]`.
pub fn decision_lines(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Vec<Segment> {
    let nodes = nodes(probabilities, columns, rows);
    let lines: Vec<&[Node]> = nodes.chunks_exact(columns + 2).collect();
    let between = lines
        .array_windows()
        .flat_map(|[lower, upper]| lower.array_windows().zip(upper.array_windows()));
    between.flat_map(|([a, b], [d, c])| lines_within([a, b, c, d])).collect()
}

/// Centre of a cell, or a point on the border.
struct Node {
    position: Position,
    /// Logarithm of the probability of each class. It is interpolated linearly between nodes, which
    /// the probabilities of a confident model are not.
    logarithms: Vec<f64>,
    likeliest: usize,
    /// Logarithm of its probability.
    highest: f64,
}

impl Node {
    fn new(position: Position, logarithms: Vec<f64>) -> Self {
        let classes = logarithms.iter().copied().enumerate();
        // The first of equals.
        let likeliest = classes.reduce(|best, one| if one.1 > best.1 { one } else { best });
        let (likeliest, highest) = likeliest.unwrap_or((0, f64::NEG_INFINITY));
        Self { position, logarithms, likeliest, highest }
    }

    /// Returns the position on the way to `other` where the most probable classes of both have equal
    /// probabilities; `None` if the classes are the same.
    fn crossing(&self, other: &Self) -> Option<Position> {
        if self.likeliest == other.likeliest {
            return None;
        }
        let before = self.highest - self.logarithms.get(other.likeliest)?;
        let after = other.logarithms.get(self.likeliest)? - other.highest;
        let share = if before > after { before / (before - after) } else { 0.5 };
        let [[left, low], [right, high]] = [self.position, other.position];
        Some([left + share * (right - left), low + share * (high - low)])
    }
}

/// Returns the centres of the cells, surrounded by points on the border:
/// `[(rows + 2) * (columns + 2)]`.
fn nodes(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Vec<Node> {
    let share = |node: usize, cells: usize| ((node as f64 - 0.5) / cells as f64).clamp(0.0, 1.0);
    let position = |row, column| [share(column, columns), share(row, rows)];
    let positions =
        (0..rows + 2).flat_map(|row| (0..columns + 2).map(move |column| position(row, column)));
    let logarithms = probabilities.iter().map(|of_class| extended(of_class, columns).into_iter());
    positions
        .zip(by_cell(logarithms.collect()))
        .map(|(position, values)| Node::new(position, values))
        .collect()
}

/// Returns the logarithms of probabilities `[rows * columns]` at every node.
fn extended(probabilities: &[f32], columns: usize) -> Vec<f64> {
    let logarithm = |value: &f32| f64::from(value.max(f32::MIN_POSITIVE)).ln();
    let logarithms: Vec<f64> = probabilities.iter().map(logarithm).collect();
    let lines: Vec<&[f64]> = logarithms.chunks_exact(columns).collect();
    let pairs = bordered(&lines)
        .into_iter()
        .flat_map(|[line, before]| bordered(line).into_iter().zip(bordered(before)));
    // Extrapolated to the border by half the distance between two centres.
    pairs.map(|([here, beside], [before, _])| 2.0 * here - 0.5 * before - 0.5 * beside).collect()
}

/// Pairs each cell of a line with itself, and at both ends adds the last cell with its neighbour.
fn bordered<T: Copy>(cells: &[T]) -> Vec<[T; 2]> {
    let begin = cells.first().map(|first| [*first, *cells.get(1).unwrap_or(first)]);
    let end = cells.last().map(|last| [*last, *cells.iter().nth_back(1).unwrap_or(last)]);
    begin.into_iter().chain(cells.iter().map(|cell| [*cell; 2])).chain(end).collect()
}

/// Returns the lines within a square of four nodes, given in cyclic order.
fn lines_within(corners: [&Node; 4]) -> Vec<Segment> {
    let [a, b, c, d] = corners;
    let sides = [(a, b), (b, c), (c, d), (d, a)];
    let crossings: Vec<Position> =
        sides.into_iter().filter_map(|(one, other)| one.crossing(other)).collect();
    match crossings[..] {
        [] => Vec::new(),
        [one, other] => vec![[one, other]],
        // Three or four regions meet at the mean of the crossings on the sides.
        _ => {
            let count = crossings.len() as f64;
            let x: f64 = crossings.iter().map(|[x, _]| x).sum();
            let y: f64 = crossings.iter().map(|[_, y]| y).sum();
            crossings.into_iter().map(|crossing| [crossing, [x / count, y / count]]).collect()
        }
    }
}

/// Combines lists with one value per grid cell into one list of values for each cell.
pub fn by_cell<L: Iterator>(mut lists: Vec<L>) -> impl Iterator<Item = Vec<L::Item>> {
    std::iter::from_fn(move || lists.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>())
        .take_while(|cell| !cell.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the softmax of three logits at the centres of a grid.
    fn grid(edge: usize, logits: impl Fn(f64, f64) -> [f64; 3]) -> Vec<Vec<f32>> {
        let centre = |index: usize| (index as f64 + 0.5) / edge as f64;
        let of = |class: usize, cell: usize| {
            let powers = logits(centre(cell % edge), centre(cell / edge)).map(f64::exp);
            (powers[class] / powers.iter().sum::<f64>()) as f32
        };
        (0..3).map(|class| (0..edge * edge).map(|cell| of(class, cell)).collect()).collect()
    }

    #[test]
    fn the_line_between_half_planes_is_where_the_class_changes() {
        let sure = |x: f64, y: f64| [80.0 * (x + 0.5 * y - 0.61), 0.0, -200.0];
        let lines = decision_lines(&grid(20, sure), 20, 20);
        assert!(lines.len() >= 20);
        for [x, y] in lines.into_iter().flatten() {
            assert!((x + 0.5 * y - 0.61).abs() < 1e-4, "{x} {y}");
        }
    }

    #[test]
    fn three_regions_meet_in_one_point() {
        let lines = decision_lines(&grid(3, |x, y| [x, y, 1.1 - x - y]), 3, 3);
        let ends: Vec<[f64; 2]> = lines.into_iter().flatten().collect();
        let meeting = |end: &&[f64; 2]| ends.iter().filter(|other| other == end).count() == 3;
        assert_eq!(ends.iter().filter(meeting).count(), 3);
    }

    #[test]
    fn one_class_or_one_cell_has_no_line() {
        assert!(decision_lines(&[vec![1.0; 12]], 4, 3).is_empty());
        assert!(decision_lines(&[vec![0.5], vec![0.5]], 1, 1).is_empty());
    }
}
