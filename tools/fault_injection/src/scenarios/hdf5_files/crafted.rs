//! Malicious files.

mod attacks;
mod patches;

use super::bases::earliest;
use super::reading::{Case, TestDirectory};
use crate::tally::CaseResult;

/// Creates all of them.
pub fn all(directory: &TestDirectory) -> CaseResult<Vec<Case>> {
    let attacks = attacks::ATTACKS.iter();
    let mut cases: Vec<Case> = attacks
        .map(|(name, fill)| directory.create(name, earliest, fill))
        .collect::<Result<_, _>>()?;
    for (name, fill, pattern, offset, patch) in patches::PATCHES {
        let mut case = directory.create(name, earliest, |file, _| fill(file))?;
        let found = case.bytes.windows(pattern.len()).position(|window| window == *pattern);
        let start =
            found.ok_or_else(|| format!("{name}: the pattern is not in the file"))? + offset;
        case.bytes.iter_mut().skip(start).zip(*patch).for_each(|(byte, &new)| *byte = new);
        cases.push(case);
    }
    Ok(cases)
}
