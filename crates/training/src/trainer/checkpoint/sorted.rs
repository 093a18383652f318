use burn::tensor::Bytes;
use burn_pack::{Reader, Writer};

use crate::error::RunError;

/// Returns `record` with its tensors sorted by name: Burn keeps them in a hash map, whose order
/// changes from process to process.
pub fn sorted(record: Bytes) -> Result<Bytes, RunError> {
    sort_tensors(record).map_err(|error| RunError::Record(error.to_string()))
}

fn sort_tensors(record: Bytes) -> Result<Bytes, burn_pack::Error> {
    let reader = Reader::from_bytes(record)?;
    let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
    let mut tensors = Vec::new();
    for tensor in reader.into_tensors()? {
        let (name, dtype, shape, id, bytes) = tensor.into_parts()?;
        tensors.push((name.clone(), burn_pack::Tensor::new(name, dtype, shape, id, bytes)));
    }
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut writer = Writer::new(tensors.into_iter().map(|(_, tensor)| tensor).collect());
    for (key, value) in &scalars {
        writer = writer.with_scalar(key, *value);
    }
    for (key, value) in &metadata {
        writer = writer.with_metadata(key, value);
    }
    writer.into_bytes()
}
