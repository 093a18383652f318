/// A line from one place to another, as shares of the width and the height of a grid.
pub type Segment = [[f64; 2]; 2];

/// The lines where the likeliest class changes over a grid of `columns` and `rows`;
/// `probabilities` has one list a class, `f32 [rows * columns]`.
pub fn decision_lines(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Vec<Segment> {
    let grid = Grid::new(probabilities, columns, rows);
    let squares = (0..=rows).flat_map(|row| (0..=columns).map(move |column| [column, row]));
    squares.flat_map(|square| grid.lines_within(square)).collect()
}

/// The centres of the cells and, around them, places on the border.
struct Grid {
    cells: [usize; 2],
    /// The logarithms of the probabilities at each node, `[(rows + 2) * (columns + 2)]` lists of
    /// one value a class. Between nodes they are taken to be linear, as they are where a model is
    /// sure and the probabilities are not.
    logarithms: Vec<Vec<f64>>,
    /// The class that is likeliest at each node, `[(rows + 2) * (columns + 2)]`.
    likeliest: Vec<usize>,
}

impl Grid {
    fn new(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Self {
        let at = |row: usize, column: usize, of_class: &Vec<f32>| {
            f64::from(of_class[row * columns + column].max(f32::MIN_POSITIVE)).ln()
        };
        // On the border, as far from the last centre as half of the way to the one before.
        let node = |index: usize| {
            let (row, column) = (index / (columns + 2), index % (columns + 2));
            let ((row, before_row), (column, before_column)) =
                (inwards(row, rows), inwards(column, columns));
            let extended = |of_class: &Vec<f32>| {
                2.0 * at(row, column, of_class)
                    - 0.5 * at(before_row, column, of_class)
                    - 0.5 * at(row, before_column, of_class)
            };
            probabilities.iter().map(extended).collect()
        };
        let logarithms: Vec<Vec<f64>> = (0..(rows + 2) * (columns + 2)).map(node).collect();
        let likeliest = logarithms.iter().map(|values| likeliest(values)).collect();
        Self { cells: [columns, rows], logarithms, likeliest }
    }

    /// The lines within the square whose first corner is a node, `[column, row]`.
    fn lines_within(&self, [column, row]: [usize; 2]) -> Vec<Segment> {
        let corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
        let classes = corners.map(|corner| self.likeliest[self.index(corner)]);
        let sides = (0..4).map(|i| (i, (i + 1) % 4)).filter(|(i, j)| classes[*i] != classes[*j]);
        let crossings: Vec<[f64; 2]> =
            sides.map(|(i, j)| self.crossing(corners[i], corners[j])).collect();
        match crossings[..] {
            [] => Vec::new(),
            [one, other] => vec![[one, other]],
            // Three or four regions meet, in the middle of where they part on the sides.
            _ => {
                let middle = [0, 1].map(|direction| {
                    let sum: f64 = crossings.iter().map(|place| place[direction]).sum();
                    sum / crossings.len() as f64
                });
                crossings.into_iter().map(|place| [place, middle]).collect()
            }
        }
    }

    /// Where between two nodes the likeliest class of the one is as likely as that of the other.
    fn crossing(&self, one: [usize; 2], other: [usize; 2]) -> [f64; 2] {
        let nodes = [one, other].map(|node| self.index(node));
        let classes = nodes.map(|node| self.likeliest[node]);
        let [before, after] =
            nodes.map(|node| self.logarithms[node][classes[0]] - self.logarithms[node][classes[1]]);
        let share = if before > after { before / (before - after) } else { 0.5 };
        let [from, to] = [self.place(one), self.place(other)];
        [0, 1].map(|direction| from[direction] + share * (to[direction] - from[direction]))
    }

    fn index(&self, [column, row]: [usize; 2]) -> usize {
        row * (self.cells[0] + 2) + column
    }

    /// Where a node is: the centre of its cell, or on the border.
    fn place(&self, node: [usize; 2]) -> [f64; 2] {
        [0, 1].map(|i| ((node[i] as f64 - 0.5) / self.cells[i] as f64).clamp(0.0, 1.0))
    }
}

/// Of nodes of which the first and the last are on the border: the cell that is nearest to one,
/// and the cell before it if it is on the border.
fn inwards(node: usize, cells: usize) -> (usize, usize) {
    let nearest = node.clamp(1, cells) - 1;
    match node {
        0 => (nearest, 1.min(cells - 1)),
        node if node > cells => (nearest, nearest.saturating_sub(1)),
        _ => (nearest, nearest),
    }
}

/// The first of the highest values.
fn likeliest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, class| if values[class] > values[best] { class } else { best })
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
