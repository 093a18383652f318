//! Labels: the class index of each example.

use crate::classes::MAX_CLASSES;
use crate::context::ErrorContext;
use crate::element::Element;
use crate::error::Hdf5Error;
use crate::mend;
use crate::number::Number;
use crate::object::Object;
use crate::values::Values;

/// Arrangement of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelForm {
    /// One for each example.
    Vector,
    /// A row of zeros and one 1 for each example, with this number of classes.
    OneHot(usize),
    /// The same as columns.
    OneHotColumns(usize),
}

/// Labels as the file contains them.
#[derive(Debug)]
pub enum Labels {
    Numbers(Vec<i128>),
    Names(Vec<String>),
}

impl LabelForm {
    /// Infers the form of the labels of `count` examples, which the object `images` contains.
    pub fn of(labels: &Object, count: usize, images: &str) -> Result<Self, Hdf5Error> {
        let axes = labels.shape.iter().copied().filter(|&extent| extent != 1).collect::<Vec<_>>();
        let length = axes.iter().product::<usize>();
        if matches!(labels.element, Element::Other(_)) {
            let expected = "whole numbers, one-hot rows or strings";
            let remedy = mend::command(&labels.context, "x.astype('int64')");
            return Err(labels.context.structure(labels.element.to_string(), expected, remedy));
        }
        let numbers = matches!(labels.element, Element::Number(_));
        match axes[..] {
            [] | [_] if length == count => Ok(Self::Vector),
            [rows, classes @ ..=MAX_CLASSES] if numbers && rows == count => {
                Ok(Self::OneHot(classes))
            }
            [classes @ ..=MAX_CLASSES, rows] if numbers && rows == count => {
                Ok(Self::OneHotColumns(classes))
            }
            [classes @ ..=MAX_CLASSES] if numbers && count == 1 => Ok(Self::OneHot(classes)),
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

    /// Number of elements that are in memory at once while labels are decoded.
    pub fn held(self, labels: &Object) -> usize {
        let elements = labels.shape.iter().product::<usize>();
        match self {
            Self::Vector => elements,
            Self::OneHot(classes) | Self::OneHotColumns(classes) => elements / classes.max(1),
        }
    }

    /// Classes that the labels have a place for.
    pub fn classes(self) -> usize {
        match self {
            Self::Vector => 0,
            Self::OneHot(classes) | Self::OneHotColumns(classes) => classes,
        }
    }

    /// Reads the labels.
    pub fn read(self, labels: &Object) -> Result<Labels, Hdf5Error> {
        match (self, labels.element) {
            (Self::OneHot(classes), Element::Number(number)) => {
                one_hot(labels, number, (classes, 1)).map(Labels::Numbers)
            }
            (Self::OneHotColumns(classes), Element::Number(number)) => {
                let step = self.held(labels);
                one_hot(labels, number, (classes, step)).map(Labels::Numbers)
            }
            _ => vector(labels),
        }
    }

    /// What was inferred about the labels.
    pub fn note(self, labels: &Object) -> Option<String> {
        match (self, labels.element) {
            (Self::OneHot(_), _) => Some("one-hot".to_owned()),
            (Self::OneHotColumns(_), _) => Some("one-hot columns".to_owned()),
            (_, Element::Number(number @ Number::Float { .. })) => {
                Some(format!("{number}, all whole"))
            }
            (_, Element::Fixed(_) | Element::Variable) => Some("strings".to_owned()),
            _ => None,
        }
    }
}

fn vector(labels: &Object) -> Result<Labels, Hdf5Error> {
    let numbers = match labels.values()? {
        Values::Integers(numbers) => return Ok(Labels::Numbers(numbers)),
        Values::Strings(names) => return Ok(Labels::Names(names)),
        Values::Floats(numbers) => numbers,
    };
    let whole = |(index, &number): (usize, &f64)| match number {
        _ if number.fract() == 0.0 => Ok(number as i128),
        _ => {
            let found = format!("label {number} at index {index}");
            let classes = mend::command(&labels.context, "np.unique(x, return_inverse=True)[1]");
            let remedy = format!("if each different number is a class, {classes}");
            Err(labels.context.content(found, "whole numbers", remedy))
        }
    };
    numbers.iter().enumerate().map(whole).collect::<Result<_, _>>().map(Labels::Numbers)
}

/// Position of the 1 among the zeros of each example. The values of one example have the distance `step`.
fn one_hot(
    labels: &Object,
    number: Number,
    (classes, step): (usize, usize),
) -> Result<Vec<i128>, Hdf5Error> {
    let bytes = labels.bytes()?;
    let value = |index: usize| {
        let mut value = f64::NAN;
        let start = index * number.size();
        number.for_each(bytes.get(start..start + number.size()).unwrap_or_default(), |x| value = x);
        value
    };
    let count = bytes.len() / number.size() / classes.max(1);
    let row = |index: usize| {
        let start = if step == 1 { index * classes } else { index };
        let (mut found, mut ones) = (0, 0);
        for class in 0..classes {
            match value(start + class * step) {
                0.0 => {}
                1.0 => (found, ones) = (class as i128, ones + 1),
                _ => ones += classes,
            }
        }
        if ones == 1 { Ok(found) } else { Err(not_one_hot(labels, index, step)) }
    };
    (0..count).map(row).collect()
}

fn not_one_hot(labels: &Object, index: usize, step: usize) -> Hdf5Error {
    let expression = if step == 1 { "x.argmax(-1)" } else { "x.argmax(0)" };
    let likeliest = mend::command(&labels.context, expression);
    let remedy = format!("if the largest number of each example is its class, {likeliest}");
    let found = format!("no one-hot label for the example at index {index}");
    labels.context.content(
        found,
        "one 1 among zeros (several labels per example are not supported)",
        remedy,
    )
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
            let command = mend::command(context, expression);
            let remedy = format!("number the classes from 0 in the order of their list; {command}");
            context.content(found, expected, remedy)
        })
    };
    numbers.iter().enumerate().map(index).collect()
}
