use std::cmp::Ordering;

/// Compares names in natural order: `image2` before `image10`. Only identical names are equal.
pub fn compare(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let order = match (number(left), number(right)) {
            (Some((number, rest)), Some((other, other_rest))) => {
                (left, right) = (rest, other_rest);
                number.len().cmp(&other.len()).then(number.cmp(other))
            }
            _ => {
                let (mut chars, mut others) = (left.chars(), right.chars());
                let order = match (chars.next(), others.next()) {
                    (None, None) => return one.cmp(other),
                    (next, other) => next.cmp(&other),
                };
                (left, right) = (chars.as_str(), others.as_str());
                order
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Splits `text` into its leading digits, without leading zeros, and the rest.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())?;
    Some((digits.trim_start_matches('0'), rest))
}

/// Sorts class names: numerically if all are integers, otherwise in natural order.
pub fn sort_classes(names: &mut [String]) {
    if names.iter().all(|name| integer(name).is_some()) {
        names.sort_by_key(|name| integer(name));
    } else {
        names.sort_by(|one, other| compare(one, other));
    }
}

/// Value of a name that is an integer without leading zeros.
fn integer(name: &str) -> Option<i64> {
    name.parse().ok().filter(|number: &i64| number.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_numerically() {
        let sorted = [
            "",
            "1.png",
            "02.png",
            "2.png",
            "10.png",
            "99999999999999999999998",
            "99999999999999999999999",
            "a",
            "a1b2",
            "a1b10",
            "a2",
            "b",
            "ä",
        ];
        for (index, one) in sorted.iter().enumerate() {
            for (other_index, other) in sorted.iter().enumerate() {
                assert_eq!(compare(one, other), index.cmp(&other_index), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn classes_are_sorted_numerically_only_if_all_are_integers() {
        let sorted = |names: &[&str]| {
            let mut names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            sort_classes(&mut names);
            names
        };
        assert_eq!(sorted(&["10", "9", "-3", "0"]), ["-3", "0", "9", "10"]);
        assert_eq!(sorted(&["class10", "class9", "b"]), ["b", "class9", "class10"]);
        assert_eq!(sorted(&["01", "2", "10"]), ["01", "2", "10"]);
    }
}
