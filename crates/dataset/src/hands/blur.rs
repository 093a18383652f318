/// The mean over squares of `2 * radius + 1` values a side; `values` has shape `[edge * edge]`, and
/// those at the border go on beyond it.
pub fn box_blur(values: &[f32], edge: usize, radius: usize) -> Vec<f32> {
    blur_rows_and_transpose(&blur_rows_and_transpose(values, edge, radius), edge, radius)
}

fn blur_rows_and_transpose(values: &[f32], edge: usize, radius: usize) -> Vec<f32> {
    let mut blurred = vec![0.0; values.len()];
    let share = 1.0 / (2 * radius + 1) as f32;
    for (row, line) in values.chunks_exact(edge).enumerate() {
        let at = |place: usize| line[place.saturating_sub(radius).min(edge - 1)];
        // `at(i)` is the value at `i - radius`: the window over column 0 holds `at(0)..=at(2 * radius)`.
        let mut sum: f32 = (0..=2 * radius).map(at).sum();
        for column in 0..edge {
            blurred[column * edge + row] = sum * share;
            sum += at(column + 2 * radius + 1) - at(column);
        }
    }
    blurred
}
