//! The page that classifies in a browser. Two sets of files share it:
//!
//! - [`files`] and the [`RUNTIME`]: a folder for any web server. The model runs in the browser.
//! - [`served_page`] and [`models_json`]: the page of a server that answers `POST /predictions/NAME`
//!   with `probabilities`, and for features the `infer` of the protocol V2.
//!
//! They differ in `classifier.js`. No file asks another origin for anything.

use std::borrow::Cow;

use data::Fit;
use serde::Serialize;

use crate::model::{ExportError, PortableModel};
use crate::onnx;

/// A file of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    /// Path relative to the page.
    pub path: &'static str,
    /// Media type.
    pub content_type: &'static str,
    /// Contents.
    pub bytes: Cow<'static, [u8]>,
}

/// What a page knows of a model.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PageModel<'a> {
    /// Name on the page.
    pub name: &'a str,
    /// Class names, in the order of the probabilities.
    pub classes: &'a [String],
    /// `[height, width, channels]` of an image, or `[1, 1, features]`.
    pub shape: [usize; 3],
    /// How images are resized; `None` for features.
    pub fit: Option<Fit>,
}

/// Version of the npm package `onnxruntime-web`, from whose folder `dist` the [`RUNTIME`] is.
pub const RUNTIME_VERSION: &str = "1.30.0";
/// Files of ONNX Runtime, and their paths in the folder of a page.
pub const RUNTIME: [(&str, &str); 2] =
    [("ort.wasm.bundle.min.mjs", "ort.js"), ("ort-wasm-simd-threaded.wasm", "ort.wasm")];

const SCRIPT: &str = "text/javascript";
const JSON: &str = "application/json";

/// The files of a page beside the [`RUNTIME`].
///
/// # Errors
///
/// If the layers of the model are unknown or do not fit the tensors.
pub fn files(model: &PortableModel) -> Result<Vec<PageFile>, ExportError> {
    let PortableModel { name, classes, shape, fit, .. } = model;
    let models = models_json(&[PageModel { name, classes, shape: *shape, fit: *fit }]);
    let license = include_bytes!("web/onnxruntime-license.txt");
    let mut files = shared().to_vec();
    files.extend([
        file("classifier.js", SCRIPT, include_bytes!("web/onnx.js")),
        file("pixels.js", SCRIPT, include_bytes!("web/pixels.js")),
        file("onnxruntime-license.txt", "text/plain", license),
        PageFile { path: "models.json", content_type: JSON, bytes: models.into() },
        PageFile {
            path: "model.onnx",
            content_type: "application/octet-stream",
            bytes: onnx::to_bytes(model)?.into(),
        },
    ]);
    Ok(files)
}

/// The files of the page of a server, without `models.json`.
pub fn served_page() -> Vec<PageFile> {
    let mut files = shared().to_vec();
    files.push(file("classifier.js", SCRIPT, include_bytes!("web/served.js")));
    files
}

/// The file `models.json`.
pub fn models_json(models: &[PageModel]) -> Vec<u8> {
    serde_json::json!(models).to_string().into_bytes()
}

fn shared() -> [PageFile; 4] {
    [
        file("index.html", "text/html; charset=utf-8", include_bytes!("web/index.html")),
        file("style.css", "text/css", include_bytes!("web/style.css")),
        file("icon.svg", "image/svg+xml", include_bytes!("web/icon.svg")),
        file("page.js", SCRIPT, include_bytes!("web/page.js")),
    ]
}

fn file(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> PageFile {
    PageFile { path, content_type, bytes: bytes.into() }
}
