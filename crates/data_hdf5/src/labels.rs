//! Labels: the class index of each example.

use crate::classes::MAX_CLASSES;
use crate::element::{Element, Number};
use crate::error::{ErrorContext, Hdf5Error};
use crate::object::{Object, Values};

/// Arrangement of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelForm {
    /// One for each example.
    Vector,
    /// Zeros and one 1 for each example, in a row or a column.
    OneHot { classes: usize, columns: bool },
}

impl LabelForm {
    /// Infers the form of the labels of `count` examples, which the object `images` contains.
    pub fn of(labels: &Object, count: usize, images: &str) -> Result<Self, Hdf5Error> {
        let axes = labels.shape.iter().copied().filter(|&extent| extent != 1).collect::<Vec<_>>();
        let length = axes.iter().product::<usize>();
        if matches!(labels.element, Element::Other(_)) {
            let expected = "whole numbers, one-hot rows or strings";
            let remedy = labels.context.replace_command("x.astype('int64')");
            return Err(labels.context.structure(labels.element, expected, remedy));
        }
        let numbers = matches!(labels.element, Element::Number(_));
        let one_hot = |classes, columns| Ok(Self::OneHot { classes, columns });
        match axes[..] {
            [] | [_] if length == count => Ok(Self::Vector),
            [rows, classes @ ..=MAX_CLASSES] if numbers && rows == count => one_hot(classes, false),
            [classes @ ..=MAX_CLASSES, rows] if numbers && rows == count => one_hot(classes, true),
            [classes @ ..=MAX_CLASSES] if numbers && count == 1 => one_hot(classes, false),
            [] | [_] => {
                let expected = format!("{count}, one for each example of `/{images}`");
                let remedy = "rewrite the file with as many labels as examples";
                Err(labels.context.structure(format!("{length} labels"), expected, remedy))
            }
            _ => {
                let found = format!("of shape {:?}", labels.shape);
                let expected = "one label, or one row of zeros and a 1, for each example";
                Err(labels.context.structure(found, expected, "reshape it"))
            }
        }
    }

    /// Classes that the labels have a place for; 0 if they tell their number.
    pub fn classes(self) -> usize {
        match self {
            Self::Vector => 0,
            Self::OneHot { classes, .. } => classes,
        }
    }

    /// Reads the labels.
    pub fn read(self, labels: &Object) -> Result<Values, Hdf5Error> {
        match (self, labels.element) {
            (Self::OneHot { classes, columns }, Element::Number(number)) => {
                one_hot(labels, number, classes, columns).map(Values::Numbers)
            }
            _ => labels.values(),
        }
    }

    /// What was inferred about the labels; empty if nothing was.
    pub fn note(self, labels: &Object) -> String {
        match (self, labels.element) {
            (Self::OneHot { columns: false, .. }, _) => "one-hot".to_owned(),
            (Self::OneHot { columns: true, .. }, _) => "one-hot columns".to_owned(),
            (_, Element::Number(number)) if number.is_float() => format!("{number}, all whole"),
            (_, Element::Fixed(_) | Element::Variable) => "strings".to_owned(),
            _ => String::new(),
        }
    }
}

/// Position of the 1 among the zeros of each example.
fn one_hot(
    labels: &Object,
    number: Number,
    classes: usize,
    columns: bool,
) -> Result<Vec<i128>, Hdf5Error> {
    let bytes = labels.bytes()?;
    let value = |index: usize| {
        let mut value = f64::NAN;
        let start = index * number.size;
        number.for_each(bytes.get(start..start + number.size).unwrap_or_default(), |x| value = x);
        value
    };
    let count = labels.count() / classes.max(1);
    let row = |index: usize| {
        let (mut found, mut ones) = (0, 0);
        for class in 0..classes {
            match value(if columns { class * count + index } else { index * classes + class }) {
                0.0 => {}
                1.0 => (found, ones) = (class as i128, ones + 1),
                _ => ones += classes,
            }
        }
        if ones == 1 {
            return Ok(found);
        }
        let likeliest = if columns { "x.argmax(0)" } else { "x.argmax(-1)" };
        let likeliest = labels.context.replace_command(likeliest);
        let remedy = format!("if the largest number of each example is its class, {likeliest}");
        let found = format!("no one-hot label for the example at index {index}");
        let expected = "one 1 among zeros (several labels per example are not supported)";
        Err(labels.context.content(found, expected, remedy))
    };
    (0..count).map(row).collect()
}

/// Converts labels to class indices below `classes`.
pub fn indices(
    context: &ErrorContext,
    numbers: &[i128],
    classes: usize,
) -> Result<Vec<u32>, Hdf5Error> {
    let index = |(index, &number): (usize, &i128)| {
        let label = u32::try_from(number).ok().filter(|&label| (label as usize) < classes);
        label.ok_or_else(|| {
            let found = format!("label {number} at index {index}");
            let expected = format!("0 to {} for {classes} classes", classes.saturating_sub(1));
            let from_1 = numbers.iter().all(|&number| (1..=classes as i128).contains(&number));
            let expression = if from_1 { "x - 1" } else { "np.unique(x, return_inverse=True)[1]" };
            let command = context.replace_command(expression);
            let remedy = format!("number the classes from 0 in the order of their list; {command}");
            context.content(found, expected, remedy)
        })
    };
    numbers.iter().enumerate().map(index).collect()
}
