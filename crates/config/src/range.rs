//! The numbers that a key may be, as its JSON Schema tells them.

use std::fmt;

use serde_json::Value;

/// Numbers from one to another. Without an end, they go on to infinity, which is none of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    least: Option<End>,
    most: Option<End>,
    /// Whether only whole numbers are meant.
    is_whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct End {
    at: f64,
    /// Whether the range ends before it.
    is_excluded: bool,
}

impl Range {
    /// That of the number which `schema` describes; `None` if it describes none, or any.
    pub fn of(schema: &Value) -> Option<Self> {
        let is_whole = schema.get("type")? == "integer";
        if !is_whole && schema.get("type")? != "number" {
            return None;
        }
        let end = |included: &str, excluded: &str| {
            let at = |name: &str| schema.get(name).and_then(Value::as_f64);
            let included = at(included).map(|at| End { at, is_excluded: false });
            included.or_else(|| at(excluded).map(|at| End { at, is_excluded: true }))
        };
        let least = end("minimum", "exclusiveMinimum");
        let most = end("maximum", "exclusiveMaximum");
        // That a whole number is not negative says its type.
        let is_any = most.is_none() && (is_whole || least.is_none());
        (!is_any).then_some(Self { least, most, is_whole })
    }

    /// What is wrong with `value`, if it is not in this range.
    pub fn objection(self, value: f64) -> Option<String> {
        // Burn computes in f32, where 0.99999999999 is 1 and 1e39 is infinite.
        let rounded = f64::from(value as f32);
        let wrong = match self {
            _ if !self.holds(value) => value,
            _ if !rounded.is_finite() || self.excludes(rounded) => rounded,
            _ => return None,
        };
        let kind = match (self.is_whole, self.least.is_some() && self.most.is_some()) {
            (true, _) => "a whole number ",
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

    /// Whether `value` is an end that is none of the numbers.
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
        let least = self.least.map(|end| match end.is_excluded {
            true => format!("greater than {}", short(end.at)),
            false => format!("at least {}", short(end.at)),
        });
        let most = self.most.map(|end| match end.is_excluded {
            true => format!("less than {}", short(end.at)),
            false => format!("at most {}", short(end.at)),
        });
        let ends: Vec<String> = least.into_iter().chain(most).collect();
        write!(f, "{}", ends.join(" and "))
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
    fn a_number_outside_is_told_with_what_it_should_be() {
        let count = range("integer", json!({ "minimum": 1, "maximum": 5 }));
        assert_eq!(count.objection(0.0).unwrap(), "0 is not a whole number between 1 and 5");
        assert_eq!([1.0, 5.0].map(|value| count.objection(value)), [None, None]);
        let share = range("number", json!({ "minimum": 0.0, "exclusiveMaximum": 1.0 }));
        assert_eq!(share.objection(1.0).unwrap(), "1 is not at least 0 and less than 1");
        assert_eq!(share.objection(0.0), None);
        let rate = range("number", json!({ "exclusiveMinimum": 0 }));
        assert_eq!(rate.objection(0.0).unwrap(), "0 is not a finite number greater than 0");
        assert_eq!(rate.objection(1e-3), None);
    }

    #[test]
    fn what_is_an_excluded_end_in_single_precision_is_outside_and_an_included_one_is_not() {
        let share = range("number", json!({ "minimum": 1e-30, "exclusiveMaximum": 1 }));
        assert!(share.objection(0.999_999_999_99).unwrap().starts_with("1 is not"));
        assert_eq!(share.objection(1e-30), None);
        let rate = range("number", json!({ "exclusiveMinimum": 0 }));
        assert!(rate.objection(1e-60).is_some() && rate.objection(1e39).is_some());
    }

    #[test]
    fn numbers_that_are_not_finite_are_in_no_range() {
        for ends in [json!({ "minimum": 0 }), json!({ "exclusiveMinimum": 0, "maximum": 1 })] {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(range("number", ends.clone()).objection(value).is_some(), "{ends} {value}");
            }
        }
    }

    #[test]
    fn words_and_numbers_of_any_size_have_no_range() {
        assert_eq!(Range::of(&json!({ "type": "string", "minimum": 1 })), None);
        assert_eq!(Range::of(&json!({ "type": "integer", "minimum": 0 })), None);
        assert_eq!(Range::of(&json!({ "type": "number" })), None);
    }
}
