//! Models as [ONNX](https://onnx.ai) files of operator set 17.
//!
//! | name | type | shape | |
//! | --- | --- | --- | --- |
//! | `image` | uint8 | `[batch, height, width, channels]` | input, resized as `metadata_props` say |
//! | `features` | float | `[batch, features]` | input of a model that is not of images |
//! | `logits` | float | `[batch, outputs]` | output |
//! | `probabilities` | float | `[batch, classes]` | output, calibrated |
//!
//! `metadata_props` has `classes`, a JSON list in the order of the probabilities, and for images
//! `fit`, `filter` and `channels`.

mod graph;
pub(crate) mod proto;

use data::Fit;
use prost::Message;

use crate::model::{ExportError, PortableModel};
use graph::GraphWriter;

/// Version of the operators.
const OPERATOR_SET: i64 = 17;
/// Version of the file format that came with them.
const IR_VERSION: i64 = 8;

/// The bytes of an ONNX file.
///
/// # Errors
///
/// If the layers are unknown or do not fit the tensors.
pub fn to_bytes(model: &PortableModel) -> Result<Vec<u8>, ExportError> {
    let graph = GraphWriter::new(model).write()?;
    let file = proto::Model {
        ir_version: IR_VERSION,
        producer_name: "trainer".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        opset_import: vec![proto::OperatorSet { version: OPERATOR_SET }],
        metadata_props: metadata(model),
    };
    Ok(file.encode_to_vec())
}

fn metadata(model: &PortableModel) -> Vec<proto::Metadata> {
    let entry = |key: &str, value: String| proto::Metadata { key: key.to_owned(), value };
    let classes = entry("classes", serde_json::json!(model.classes).to_string());
    let image = |fit: Fit| {
        let [.., channels] = model.shape;
        let channels = if channels == 1 { "grey" } else { "RGB" };
        [
            entry("fit", fit.as_str().to_owned()),
            entry("filter", "antialiased bilinear".to_owned()),
            entry("channels", channels.to_owned()),
        ]
    };
    std::iter::once(classes).chain(model.fit.into_iter().flat_map(image)).collect()
}
