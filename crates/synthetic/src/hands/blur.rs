use crate::rendering::Grid;

/// Averages over squares of `2 * radius + 1` values a side; values at the border extend beyond it.
pub fn box_blur<const EDGE: usize>(values: &Grid<f32, EDGE>, radius: usize) -> Grid<f32, EDGE> {
    blur_rows_and_transpose(&blur_rows_and_transpose(values, radius), radius)
}

fn blur_rows_and_transpose<const EDGE: usize>(
    values: &Grid<f32, EDGE>,
    radius: usize,
) -> Grid<f32, EDGE> {
    let mut blurred = Grid::filled(0.0);
    let weight = 1.0 / (2 * radius + 1) as f32;
    for row in 0..EDGE {
        let at = |column: usize| *values.at(row, column.saturating_sub(radius));
        // `at(i)` is the value at `i - radius`: the window over column 0 holds `at(0)..=at(2 * radius)`.
        let mut sum: f32 = (0..=2 * radius).map(at).sum();
        for column in 0..EDGE {
            *blurred.at_mut(column, row) = sum * weight;
            sum += at(column + 2 * radius + 1) - at(column);
        }
    }
    blurred
}
