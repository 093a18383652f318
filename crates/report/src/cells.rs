/// What lists of one value a cell say of each cell, one after the other.
pub fn by_cell<L: Iterator>(mut lists: Vec<L>) -> impl Iterator<Item = Vec<L::Item>> {
    let next = move || lists.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>();
    std::iter::from_fn(next).take_while(|cell| !cell.is_empty())
}
