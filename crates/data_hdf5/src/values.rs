//! Numbers and strings, decoded from bytes.

use crate::element::Element;
use crate::error::Hdf5Error;
use crate::heap::Heap;
use crate::number::{Number, integer};
use crate::object::Object;

/// Maximum length of a string in bytes.
pub const MAX_TEXT: usize = 256;

/// Elements of a vector.
pub enum Values {
    /// Integers of any type.
    Integers(Vec<i128>),
    Floats(Vec<f64>),
    Strings(Vec<String>),
}

impl Object<'_> {
    pub fn values(&self) -> Result<Values, Hdf5Error> {
        let bytes = self.bytes()?;
        let elements = bytes.chunks_exact(self.element.size().max(1));
        match self.element {
            Element::Number(Number::Integer { signed, big_endian, .. }) => Ok(Values::Integers(
                elements.map(|bytes| integer(bytes, signed, big_endian)).collect(),
            )),
            Element::Number(number @ Number::Float { .. }) => {
                let mut numbers = Vec::with_capacity(bytes.len() / number.size());
                number.for_each(&bytes, |number| numbers.push(number));
                Ok(Values::Floats(numbers))
            }
            Element::Variable => {
                let mut heap = Heap::new(self);
                let mut texts = elements.enumerate();
                let texts = texts.try_fold(Vec::new(), |mut texts, (index, reference)| {
                    texts.push(self.text(index, &heap.get(reference)?)?);
                    Ok(texts)
                });
                texts.map(Values::Strings)
            }
            Element::Fixed(_) | Element::Other(_) => {
                let texts = elements.enumerate().map(|(index, bytes)| self.text(index, bytes));
                texts.collect::<Result<_, _>>().map(Values::Strings)
            }
        }
    }

    /// Decodes a string, which ends at the first zero byte or before trailing blanks.
    fn text(&self, index: usize, bytes: &[u8]) -> Result<String, Hdf5Error> {
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches(' '));
        let text = text.filter(|text| text.len() <= MAX_TEXT).map(str::to_owned);
        text.ok_or_else(|| {
            let found = format!("an invalid string at index {index}");
            self.context.content(
                found,
                "UTF-8 text of at most 256 bytes",
                "rewrite the names as UTF-8",
            )
        })
    }
}
