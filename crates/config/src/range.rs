//! Ranges of numbers in a JSON Schema.

use std::fmt;

use serde_json::Value;

/// Range of finite numbers, each end of which may be absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    least: Option<End>,
    most: Option<End>,
    /// Whether it contains integers only.
    is_integer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct End {
    at: f64,
    /// Whether `at` itself is outside the range.
    is_excluded: bool,
}

impl Range {
    /// Returns the range of the number that `schema` describes; `None` if it has no limits, or
    /// describes something else.
    pub fn of(schema: &Value) -> Option<Self> {
        let is_integer = schema.get("type")? == "integer";
        if !is_integer && schema.get("type")? != "number" {
            return None;
        }
        let end = |included: &str, excluded: &str| {
            let at = |name: &str| schema.get(name).and_then(Value::as_f64);
            let included = at(included).map(|at| End { at, is_excluded: false });
            included.or_else(|| at(excluded).map(|at| End { at, is_excluded: true }))
        };
        let least = end("minimum", "exclusiveMinimum");
        let most = end("maximum", "exclusiveMaximum");
        // A minimum of an integer without a maximum only repeats its unsigned type.
        let is_any = most.is_none() && (is_integer || least.is_none());
        (!is_any).then_some(Self { least, most, is_integer })
    }

    /// Returns an error message if `value` is not in this range.
    pub fn violation(self, value: f64) -> Option<String> {
        // Burn computes in f32, where 0.99999999999 is 1 and 1e39 is infinite.
        let rounded = f64::from(value as f32);
        let wrong = match self {
            _ if !self.holds(value) => value,
            _ if !rounded.is_finite() || self.excludes(rounded) => rounded,
            _ => return None,
        };
        let kind = match (self.is_integer, self.least.is_some() && self.most.is_some()) {
            (true, _) => "an integer ",
            (false, false) => "a finite number ",
            (false, true) => "",
        };
        Some(format!("{wrong} is not {kind}{self}"))
    }

    fn holds(self, value: f64) -> bool {
        value.is_finite()
            && self.least.is_none_or(|end| value >= end.at)
            && self.most.is_none_or(|end| value <= end.at)
            && !self.excludes(value)
    }

    /// Whether `value` is an excluded end.
    fn excludes(self, value: f64) -> bool {
        [self.least, self.most].into_iter().flatten().any(|end| end.is_excluded && value == end.at)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (
            Some(End { at: least, is_excluded: false }),
            Some(End { at: most, is_excluded: false }),
        ) = (self.least, self.most)
        {
            return write!(f, "between {} and {}", short(least), short(most));
        }
        let ends = [(self.least, "at least", "greater than"), (self.most, "at most", "less than")];
        let ends = ends.into_iter().filter_map(|(end, included, excluded)| {
            let End { at, is_excluded } = end?;
            Some(format!("{} {}", if is_excluded { excluded } else { included }, short(at)))
        });
        write!(f, "{}", ends.collect::<Vec<_>>().join(" and "))
    }
}

fn short(number: f64) -> String {
    let is_small = number != 0.0 && number.abs() < 1e-3;
    if is_small { format!("{number:e}") } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn range(kind: &str, ends: Value) -> Range {
        let mut schema = ends;
        schema["type"] = kind.into();
        Range::of(&schema).unwrap()
    }

    #[test]
    fn a_number_outside_is_reported_with_the_range() {
        let count = range("integer", json!({ "minimum": 1, "maximum": 5 }));
        assert_eq!(count.violation(0.0).unwrap(), "0 is not an integer between 1 and 5");
        assert_eq!([1.0, 5.0].map(|value| count.violation(value)), [None, None]);
        let share = range("number", json!({ "minimum": 0.0, "exclusiveMaximum": 1.0 }));
        assert_eq!(share.violation(1.0).unwrap(), "1 is not at least 0 and less than 1");
        assert_eq!(share.violation(0.0), None);
        let rate = range("number", json!({ "exclusiveMinimum": 0 }));
        assert_eq!(rate.violation(0.0).unwrap(), "0 is not a finite number greater than 0");
        assert_eq!(rate.violation(1e-3), None);
    }

    #[test]
    fn a_number_that_rounds_to_an_excluded_end_in_f32_is_outside() {
        let share = range("number", json!({ "minimum": 1e-30, "exclusiveMaximum": 1 }));
        assert!(share.violation(0.999_999_999_99).unwrap().starts_with("1 is not"));
        assert_eq!(share.violation(1e-30), None);
        let rate = range("number", json!({ "exclusiveMinimum": 0 }));
        assert!(rate.violation(1e-60).is_some() && rate.violation(1e39).is_some());
    }

    #[test]
    fn non_finite_numbers_are_in_no_range() {
        for ends in [json!({ "minimum": 0 }), json!({ "exclusiveMinimum": 0, "maximum": 1 })] {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(range("number", ends.clone()).violation(value).is_some(), "{ends} {value}");
            }
        }
    }

    #[test]
    fn strings_and_unlimited_numbers_have_no_range() {
        assert_eq!(Range::of(&json!({ "type": "string", "minimum": 1 })), None);
        assert_eq!(Range::of(&json!({ "type": "integer", "minimum": 0 })), None);
        assert_eq!(Range::of(&json!({ "type": "number" })), None);
    }
}
