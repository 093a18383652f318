/// A square of values with `EDGE` rows and columns, at least one.
pub struct Grid<T, const EDGE: usize> {
    /// Shape `[EDGE * EDGE]`, row-major.
    values: Vec<T>,
}

impl<T, const EDGE: usize> Grid<T, EDGE> {
    /// The square of what `value` gives for each row and column, row by row.
    pub fn from_fn(mut value: impl FnMut(usize, usize) -> T) -> Self {
        let mut values = Vec::with_capacity(EDGE * EDGE);
        for row in 0..EDGE {
            values.extend((0..EDGE).map(|column| value(row, column)));
        }
        Self { values }
    }

    /// The square of one value.
    pub fn filled(value: T) -> Self
    where
        T: Clone,
    {
        Self { values: vec![value; EDGE * EDGE] }
    }

    /// The value at a row and a column, those beyond the last counting as the last.
    #[expect(clippy::indexing_slicing, reason = "the index is within the square")]
    pub fn at(&self, row: usize, column: usize) -> &T {
        &self.values[Self::index(row, column)]
    }

    /// The same to be changed.
    #[expect(clippy::indexing_slicing, reason = "the index is within the square")]
    pub fn at_mut(&mut self, row: usize, column: usize) -> &mut T {
        &mut self.values[Self::index(row, column)]
    }

    /// Its values, row by row.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    fn index(row: usize, column: usize) -> usize {
        row.min(EDGE - 1) * EDGE + column.min(EDGE - 1)
    }
}
