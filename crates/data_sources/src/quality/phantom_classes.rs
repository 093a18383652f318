use crate::images::{counted, first_of};

/// Number of examples of each class with these `labels`.
pub fn class_counts(labels: &[u32], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &label in labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    counts
}

/// Likely mistake in `labels`, those of a training set with these `classes`, in a sentence: classes without
/// examples, with the likely reason, or a set of one class.
pub fn class_warning(labels: &[u32], classes: &[String]) -> Option<String> {
    let counts = class_counts(labels, classes.len());
    let (used, unused): (Vec<usize>, Vec<usize>) =
        (0..classes.len()).partition(|&class| counts.get(class) > Some(&0));
    let name = |class: usize| format!("{:?}", classes.get(class).map_or("", String::as_str));
    if let [only] = used[..] {
        return Some(format!(
            "all {} training examples are of class {}: there is nothing to learn",
            labels.len(),
            name(only)
        ));
    }
    if unused.is_empty() || used.is_empty() {
        return None;
    }
    let several = format!("{} classes,", unused.len());
    let [noun, have, them] = match unused.len() {
        1 => ["class", "has", "it"],
        _ => [&several, "have", "them"],
    };
    let names = first_of(5, &unused.iter().map(|&class| name(class)).collect::<Vec<_>>());
    let is_numbered = classes.iter().enumerate().all(|(label, name)| *name == label.to_string());
    Some(if is_numbered {
        format!("{}: {noun} {names} {have} no example", numbering(&used, &counts))
    } else {
        format!(
            "{noun} {names} {have} no training example: remove {them} from the list of classes, or check the labels"
        )
    })
}

/// The likely reason why not all numbers up to the highest of the `used` labels are used, and its remedy.
fn numbering(used: &[usize], counts: &[usize]) -> String {
    let (Some(&lowest), Some((&highest, others))) = (used.first(), used.split_last()) else {
        return String::new();
    };
    if highest - lowest + 1 == used.len() {
        return format!("labels start at {lowest} (subtract {lowest} from all labels)");
    }
    let next = others.last().copied().unwrap_or_default();
    if next - lowest + 1 == others.len() && others.len() > 1 {
        let count = counts.get(highest).copied().unwrap_or_default();
        let (examples, have) = (counted(count, "example"), if count == 1 { "has" } else { "have" });
        return format!(
            "{examples} {have} the label {highest}, and the other labels are {lowest} to {next} (is it a mistake, or a mark for no label?)"
        );
    }
    let labels = first_of(5, &used.iter().map(usize::to_string).collect::<Vec<_>>());
    format!("labels have gaps: they are {labels} (number them 0 to {})", used.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(labels: &[u32], classes: &[&str]) -> Vec<String> {
        let classes: Vec<String> = classes.iter().copied().map(String::from).collect();
        Vec::from_iter(class_warning(labels, &classes))
    }

    /// Warnings if the classes have no names.
    fn numbered(labels: &[u32]) -> Vec<String> {
        let most = labels.iter().max().unwrap();
        let classes: Vec<String> = (0..=*most).map(|class| class.to_string()).collect();
        Vec::from_iter(class_warning(labels, &classes))
    }

    #[test]
    fn labels_that_use_every_class_are_right() {
        assert_eq!(numbered(&[2, 0, 1, 0]), [""; 0]);
        assert_eq!(warnings(&[1, 0], &["cat", "dog"]), [""; 0]);
    }

    #[test]
    fn labels_from_1_are_named() {
        let warning = "labels start at 1 (subtract 1 from all labels): class \"0\" has no example";
        assert_eq!(numbered(&[1, 2, 3, 1]), [warning]);
    }

    #[test]
    fn gaps_are_named_with_the_labels_that_are_used() {
        assert_eq!(
            numbered(&[0, 10, 20, 30]),
            [
                "labels have gaps: they are 0, 10, 20, 30 (number them 0 to 3): 27 classes, \"1\", \"2\", \"3\", \"4\", \"5\", .. have no example"
            ]
        );
    }

    #[test]
    fn an_outlier_is_named_with_its_count() {
        let warning = &numbered(&[0, 1, 2, 2, 255])[0];
        assert!(
            warning.starts_with("1 example has the label 255, and the other labels are 0 to 2")
        );
        assert!(warning.contains("252 classes, \"3\", \"4\""), "{warning}");
    }

    #[test]
    fn one_class_is_nothing_to_learn() {
        let warning = "all 3 training examples are of class \"1\": there is nothing to learn";
        assert_eq!(numbered(&[1, 1, 1]), [warning]);
        assert_eq!(warnings(&[1, 1, 1], &["0", "1", "2"]), [warning]);
    }

    #[test]
    fn a_named_class_without_examples_is_named() {
        assert_eq!(
            warnings(&[0, 2, 2], &["cat", "dog", "owl"]),
            [
                "class \"dog\" has no training example: remove it from the list of classes, or check the labels"
            ]
        );
    }
}
