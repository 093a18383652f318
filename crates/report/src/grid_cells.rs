/// Combines lists with one value per grid cell into one list of values for each cell.
pub fn by_cell<L: Iterator>(mut lists: Vec<L>) -> impl Iterator<Item = Vec<L::Item>> {
    std::iter::from_fn(move || lists.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>())
        .take_while(|cell| !cell.is_empty())
}
