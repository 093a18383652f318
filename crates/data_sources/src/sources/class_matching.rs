use std::collections::{BTreeMap, HashMap};

/// The labels of examples in `classes` as labels of the classes `known`: of those with the same name, or
/// `by_number` of those with the same number. Fails with the classes that are not known, each with the
/// number of its examples.
pub fn match_classes(
    labels: &[u32],
    classes: &[String],
    known: &[String],
    by_number: bool,
) -> Result<Vec<u32>, Vec<(String, usize)>> {
    let by_name: HashMap<_, _> = known.iter().zip(0_u32..).collect();
    let known_class = |label: u32| match classes.get(label as usize) {
        _ if by_number => Some(label).filter(|&label| (label as usize) < known.len()),
        name => by_name.get(name?).copied(),
    };
    let mut unknown = BTreeMap::new();
    let mut matched = Vec::with_capacity(labels.len());
    for &label in labels {
        match known_class(label) {
            Some(class) => matched.push(class),
            None => *unknown.entry(label).or_insert(0) += 1,
        }
    }
    if unknown.is_empty() {
        return Ok(matched);
    }
    let name = |label: u32| classes.get(label as usize).cloned();
    let named = |(label, count)| (name(label).unwrap_or_else(|| label.to_string()), count);
    Err(unknown.into_iter().map(named).collect())
}
