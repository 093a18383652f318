/// Square of values with `EDGE` rows and columns, at least one.
pub struct Grid<T, const EDGE: usize> {
    /// Shape `[EDGE * EDGE]`, row-major.
    values: Vec<T>,
}

impl<T, const EDGE: usize> Grid<T, EDGE> {
    /// Calls `value` for each row and column, in row-major order.
    pub fn from_fn(mut value: impl FnMut(usize, usize) -> T) -> Self {
        let mut values = Vec::with_capacity(EDGE * EDGE);
        for row in 0..EDGE {
            values.extend((0..EDGE).map(|column| value(row, column)));
        }
        Self { values }
    }

    /// Fills the grid with one value.
    pub fn filled(value: T) -> Self
    where
        T: Clone,
    {
        Self { values: vec![value; EDGE * EDGE] }
    }

    /// Returns the value at a row and a column, clamped to the grid.
    #[expect(clippy::indexing_slicing, reason = "the index is within the square")]
    pub fn at(&self, row: usize, column: usize) -> &T {
        &self.values[Self::index(row, column)]
    }

    /// Returns a mutable reference to the value at a row and a column, clamped to the grid.
    #[expect(clippy::indexing_slicing, reason = "the index is within the square")]
    pub fn at_mut(&mut self, row: usize, column: usize) -> &mut T {
        &mut self.values[Self::index(row, column)]
    }

    /// Shape `[EDGE * EDGE]`, row-major.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    fn index(row: usize, column: usize) -> usize {
        row.min(EDGE - 1) * EDGE + column.min(EDGE - 1)
    }
}
