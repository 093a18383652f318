use serde::{Deserialize, Serialize};

/// Names of objects in a file, and the order of the axes of its images. What is absent is found.
///
/// Names are paths such as `x_train` or `/train/images`. In those of images and labels, `*` stands for
/// any characters but `/`; of the objects that match, the one that names the part is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectKeys {
    /// Images or features.
    pub images: Option<String>,
    /// Labels.
    pub labels: Option<String>,
    /// Class names.
    pub classes: Option<String>,
    /// Axes of the images.
    pub layout: Option<ImageLayout>,
}

/// Order of the axes of images in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageLayout {
    /// Channels last: `[n, height, width, channels]`.
    Nhwc,
    /// Channels first: `[n, channels, height, width]`.
    Nchw,
}
