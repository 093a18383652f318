//! Classes by the names of image files.

use std::collections::BTreeMap;

use regex::Regex;

/// Class of a file, and the rest of its name, by which images are sorted.
pub type Labelled<'a> = (&'a str, &'a str);

/// Classes by the names of files: the part before a number at the end, as in `cat.0.jpg` or
/// `traffic_light_1.png`, or else the part before the first underscore, as in `cat_max.jpg`. `None`
/// if any name has neither.
pub fn by_name(names: &[String]) -> Option<Vec<Labelled<'_>>> {
    let all = |rule: fn(&str) -> Option<Labelled<'_>>| -> Option<Vec<Labelled<'_>>> {
        names.iter().map(|name| rule(name)).collect()
    };
    match (all(before_number), all(before_underscore)) {
        (Some(number), Some(underscore)) => {
            let is_class = repeats(&number) && !is_suffix_common(&number, &underscore);
            Some(if is_class { number } else { underscore })
        }
        (number, underscore) => number.or(underscore),
    }
}

/// Class of a file by a pattern: its group `label`, or else its first group.
pub fn by_pattern<'a>(name: &'a str, pattern: &Regex) -> Option<&'a str> {
    let groups = pattern.captures(name)?;
    let group = groups.name("label").or_else(|| groups.get(1))?;
    Some(group.as_str()).filter(|label| !label.is_empty())
}

fn before_number(name: &str) -> Option<Labelled<'_>> {
    const SEPARATORS: &[char] = &[' ', '.', '_', '-', '(', ')'];
    let (stem, _) = name.rsplit_once('.')?;
    let number = stem.trim_end_matches(')');
    let class = number.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = class.len() < number.len();
    let class = class.trim_end_matches(SEPARATORS);
    name.split_at_checked(class.len()).filter(|_| is_numbered && !class.is_empty())
}

fn before_underscore(name: &str) -> Option<Labelled<'_>> {
    name.split_once('_').filter(|(class, _)| !class.is_empty())
}

/// Returns true if every class has several images.
fn repeats(labelled: &[Labelled]) -> bool {
    let mut counts = BTreeMap::<_, usize>::new();
    labelled.iter().for_each(|(class, _)| *counts.entry(class).or_default() += 1);
    counts.values().all(|&count| count > 1)
}

/// Returns true if what follows the first underscore is the same for all images, as in
/// `0_IMG_17.png` and `3_IMG_18.png`: it does not belong to the class.
fn is_suffix_common(number: &[Labelled], underscore: &[Labelled]) -> bool {
    let mut suffixes = number
        .iter()
        .zip(underscore)
        .map(|((long, _), (short, _))| long.strip_prefix(short).unwrap_or_default());
    let first = suffixes.next();
    suffixes.all(|suffix| Some(suffix) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(names: &[&str]) -> Option<Vec<String>> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let labelled = by_name(&names)?;
        Some(labelled.into_iter().map(|(class, _)| class.to_owned()).collect())
    }

    #[test]
    fn a_class_ends_at_the_number_of_its_image_or_at_an_underscore() {
        let cases: &[(&[&str], &[&str])] = &[
            (&["cat.0.jpg", "dog.10.jpg"], &["cat", "dog"]),
            (&["cat12.png", "dog (3).png", "dog-4.PNG"], &["cat", "dog", "dog"]),
            (
                &["traffic_light_1.png", "traffic_light_2.png", "dog_1.png", "dog_2.png"],
                &["traffic_light", "traffic_light", "dog", "dog"],
            ),
            (&["0_IMG_5.jpg", "0_IMG_6.jpg", "3_IMG_7.jpg", "3_IMG_8.jpg"], &["0", "0", "3", "3"]),
            (&["5_00017.png", "4_00018.png"], &["5", "4"]),
            (&["cat_max.jpg", "dog_rex.jpg"], &["cat", "dog"]),
            (&["cat_max_1.jpg", "cat_tom_1.jpg", "dog_rex_1.jpg"], &["cat", "cat", "dog"]),
        ];
        for (names, expected) in cases {
            assert_eq!(classes(names).unwrap(), *expected);
        }
        assert_eq!(classes(&["1.png", "cat_2.png"]), None);
        assert_eq!(classes(&["_1.png"]), None);
        assert_eq!(classes(&["photo.png"]), None);
    }

    #[test]
    fn a_pattern_selects_the_class_by_its_name_or_as_its_first_group() {
        let pattern = |text| Regex::new(text).unwrap();
        assert_eq!(by_pattern("a/x-dog-1.png", &pattern(r"-([a-z]+)-\d")), Some("dog"));
        let named = pattern(r"(\d+)-(?<label>[a-z]+)");
        assert_eq!(by_pattern("1-dog.png", &named), Some("dog"));
        assert_eq!(by_pattern("1.png", &named), None);
    }
}
