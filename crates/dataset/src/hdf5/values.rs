//! Bytes to integers and strings.

use super::Hdf5Error;
use super::element::Element;
use super::heap::Heap;
use super::object::Object;

/// The longest string in bytes.
pub(super) const MAX_TEXT: usize = 256;

/// The elements of a vector.
pub(super) enum Values {
    /// Wide enough for every integer type.
    Integers(Vec<i128>),
    Strings(Vec<String>),
}

impl Object<'_> {
    pub(super) fn values(&self) -> Result<Values, Hdf5Error> {
        let bytes = self.bytes()?;
        let elements = bytes.chunks_exact(self.element.size().max(1));
        match self.element {
            Element::Integer { signed, big_endian, .. } => Ok(Values::Integers(
                elements.map(|bytes| integer(bytes, signed, big_endian)).collect(),
            )),
            Element::Variable => {
                let mut heap = Heap::new(self);
                let mut texts = elements.enumerate();
                let texts = texts.try_fold(Vec::new(), |mut texts, (index, reference)| {
                    texts.push(self.text(index, &heap.get(reference)?)?);
                    Ok(texts)
                });
                texts.map(Values::Strings)
            }
            Element::Float { .. } | Element::Fixed(_) | Element::Other(_) => {
                let texts = elements.enumerate().map(|(index, bytes)| self.text(index, bytes));
                texts.collect::<Result<_, _>>().map(Values::Strings)
            }
        }
    }

    /// Ends at the first zero byte or before the padding of blanks.
    fn text(&self, index: usize, bytes: &[u8]) -> Result<String, Hdf5Error> {
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        let text = std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches(' '));
        let text = text.filter(|text| text.len() <= MAX_TEXT).map(str::to_owned);
        text.ok_or_else(|| {
            let found = format!("bytes that are no such text at index {index}");
            self.site.content(
                found,
                "UTF-8 text of at most 256 bytes",
                "rewrite the names as UTF-8",
            )
        })
    }
}

pub(super) fn integer(bytes: &[u8], signed: bool, big_endian: bool) -> i128 {
    let push = |number: i128, &byte: &u8| number << 8 | i128::from(byte);
    let number = match big_endian {
        true => bytes.iter().fold(0, push),
        false => bytes.iter().rev().fold(0, push),
    };
    let range = 1_i128 << (8 * bytes.len());
    if signed && number >= range / 2 { number - range } else { number }
}
