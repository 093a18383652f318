use data::{DatasetError, Examples, SplitKind};

use super::near_duplicates::{Measure, NearDuplicateIndex};

/// Warnings of images of one of the `parts` of a data set with a near-duplicate in an earlier one, one
/// sentence for each two parts; none if they are not images. Fails if examples are in a file that cannot be
/// read.
pub fn leak_warnings(parts: &[(SplitKind, &Examples)]) -> Result<Vec<String>, DatasetError> {
    let images: Vec<&Examples> = parts.iter().map(|(_, part)| *part).collect();
    let Some(measure) = Measure::fit(&images)? else { return Ok(Vec::new()) };
    let indexes = images.iter().map(|part| NearDuplicateIndex::new(part, &measure));
    let indexes: Vec<Option<_>> = indexes.collect::<Result<_, _>>()?;
    let indexed = parts.iter().zip(&indexes);
    let indexed: Vec<_> =
        indexed.filter_map(|(part, index)| Some((part, index.as_ref()?))).collect();
    let mut warnings = Vec::new();
    for (number, ((part, examples), index)) in indexed.iter().enumerate() {
        for ((of, of_examples), of_index) in indexed.iter().take(number) {
            let pairs = of_index.near_duplicates(index)?;
            let Some(first) = pairs.first() else { continue };
            let (count, all) = (pairs.len(), examples.len());
            let have = match count {
                1 => "image has a near-duplicate",
                _ => "images have near-duplicates",
            };
            let (one, other) = (examples.name(first.index), of_examples.name(first.of));
            warnings.push(format!(
                "{count} of {all} {part} {have} in the {of} set, for example {part} {one} and {of} {other}: the {part} score counts them"
            ));
        }
    }
    Ok(warnings)
}
