use std::fmt::Display;
use std::ops::RangeInclusive;

/// A value that parsed but cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The dotted path of the key, for example `optimizer.adam.learning_rate`.
    pub key: String,
    /// What is wrong with the value, and what to write instead.
    pub message: String,
}

/// Collects the problems of a config, so that all of them are shown at once.
#[derive(Debug, Default)]
pub struct Check {
    path: Vec<String>,
    problems: Vec<Problem>,
}

impl Check {
    /// The problems found, in the order of the checks.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Checks what stands in the table `name`.
    pub fn table(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        check(self);
        self.path.pop();
    }

    /// Notes a problem of `key` unless `holds`.
    pub fn require(&mut self, key: &str, holds: bool, message: impl Display) {
        if !holds {
            let path = self.path.iter().map(String::as_str).chain([key]);
            self.problems.push(Problem {
                key: path.collect::<Vec<_>>().join("."),
                message: message.to_string(),
            });
        }
    }

    /// Requires a finite number greater than 0.
    pub fn positive(&mut self, key: &str, value: f64) {
        self.require(
            key,
            value.is_finite() && value > 0.0,
            format_args!("{value} is not a finite number greater than 0"),
        );
    }

    /// Requires a number of `range`, its ends included.
    pub fn within(&mut self, key: &str, value: f64, range: RangeInclusive<f64>) {
        self.require(
            key,
            range.contains(&value),
            format_args!("{value} is not between {} and {}", range.start(), range.end()),
        );
    }

    /// Requires a number of at least 0 and less than 1.
    pub fn fraction(&mut self, key: &str, value: f64) {
        self.require(
            key,
            (0.0..1.0).contains(&value),
            format_args!("{value} is not at least 0 and less than 1"),
        );
    }

    /// Requires a count between 1 and `most`.
    pub fn count(&mut self, key: &str, value: usize, most: usize) {
        self.require(
            key,
            (1..=most).contains(&value),
            format_args!("{value} is not a whole number between 1 and {most}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_kept_with_the_path_of_its_key() {
        let mut check = Check::default();
        check.table("optimizer", |check| {
            check.table("adam", |check| check.positive("learning_rate", f64::NAN));
        });
        check.count("seeds", 0, 5);

        let keys: Vec<_> = check.into_problems().into_iter().map(|p| p.key).collect();
        assert_eq!(keys, ["optimizer.adam.learning_rate", "seeds"]);
    }

    #[test]
    fn numbers_that_are_not_finite_are_never_in_range() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut check = Check::default();
            check.positive("a", value);
            check.within("b", value, 0.0..=1.0);
            check.fraction("c", value);
            assert_eq!(check.into_problems().len(), 3, "{value}");
        }
    }
}
