use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Height and width of images: one number for squares, or `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

/// Maximum height and width.
const MAX_SIDE: usize = 4096;

impl ImageSize {
    /// A size from 1 x 1 to 4096 x 4096; `None` otherwise.
    pub fn new(height: usize, width: usize) -> Option<Self> {
        let is_valid = [height, width].iter().all(|side| (1..=MAX_SIDE).contains(side));
        is_valid.then_some(Self { height, width })
    }

    /// Shape of an image of this size.
    pub fn shape(self, channels: usize) -> [usize; 3] {
        [self.height, self.width, channels]
    }
}

impl Serialize for ImageSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.height, self.width].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ImageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SideOrSides)
    }
}

struct SideOrSides;

impl<'de> Visitor<'de> for SideOrSides {
    type Value = ImageSize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("one side or `[height, width]`, each from 1 to 4096")
    }

    fn visit_i64<E: Error>(self, side: i64) -> Result<ImageSize, E> {
        let square = usize::try_from(side).ok().and_then(|side| ImageSize::new(side, side));
        square.ok_or_else(|| E::custom(format_args!("{side} is not a side from 1 to 4096")))
    }

    fn visit_u64<E: Error>(self, side: u64) -> Result<ImageSize, E> {
        self.visit_i64(i64::try_from(side).unwrap_or(i64::MAX))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sides: A) -> Result<ImageSize, A::Error> {
        let (height, width) = (sides.next_element()?, sides.next_element()?);
        let rest: Option<usize> = sides.next_element()?;
        let size = height.zip(width).and_then(|(height, width)| ImageSize::new(height, width));
        size.filter(|_| rest.is_none())
            .ok_or_else(|| A::Error::custom("write `[height, width]`, each from 1 to 4096"))
    }
}

impl JsonSchema for ImageSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ImageSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let side = json_schema!({ "type": "integer", "minimum": 1, "maximum": MAX_SIDE });
        json_schema!({
            "anyOf": [
                side.clone(),
                { "type": "array", "items": side, "minItems": 2, "maxItems": 2 },
            ],
        })
    }
}
