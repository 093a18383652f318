use burn::tensor::Bytes;
use burn_pack::{Reader, Writer};

use crate::error::RunError;

/// The same record with its tensors in the order of their names: Burn keeps them in a hash map,
/// whose order changes from process to process.
pub fn sorted(record: Bytes) -> Result<Vec<u8>, RunError> {
    let sort = || {
        let reader = Reader::from_bytes(record)?;
        let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
        let mut tensors = Vec::new();
        for tensor in reader.into_tensors()? {
            let (name, dtype, shape, id, bytes) = tensor.into_parts()?;
            tensors.push((name.clone(), burn_pack::Tensor::new(name, dtype, shape, id, bytes)));
        }
        tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
        let writer = Writer::new(tensors.into_iter().map(|(_, tensor)| tensor).collect());
        let writer =
            scalars.iter().fold(writer, |writer, (key, value)| writer.with_scalar(key, *value));
        let writer =
            metadata.iter().fold(writer, |writer, (key, value)| writer.with_metadata(key, value));
        writer.into_bytes()
    };
    let bytes = sort().map_err(|error: burn_pack::Error| RunError::Record(error.to_string()))?;
    Ok(bytes.to_vec())
}
