use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Height and width of images: one number for squares, or `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SideOrSides", into = "[usize; 2]")]
pub struct ImageSize {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "write one side or `[height, width]`, each from 1 to 4096")]
enum SideOrSides {
    Side(usize),
    Sides([usize; 2]),
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

impl TryFrom<SideOrSides> for ImageSize {
    type Error = String;

    fn try_from(sides: SideOrSides) -> Result<Self, String> {
        let [height, width] = match sides {
            SideOrSides::Side(side) => [side; 2],
            SideOrSides::Sides(sides) => sides,
        };
        Self::new(height, width)
            .ok_or_else(|| format!("{height} x {width} is not a size: sides are from 1 to 4096"))
    }
}

impl From<ImageSize> for [usize; 2] {
    fn from(size: ImageSize) -> Self {
        [size.height, size.width]
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
