use serde::{Deserialize, Serialize};

/// Resizing of an image to another aspect ratio.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Scale height and width independently, as the courses do.
    #[default]
    Stretch,
    /// Crop the centre to the aspect ratio.
    Crop,
    /// Add black borders around the whole image.
    Pad,
}

impl Fit {
    /// Name in configs and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stretch => "stretch",
            Self::Crop => "crop",
            Self::Pad => "pad",
        }
    }
}
