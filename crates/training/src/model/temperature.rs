//! The temperature of a saved model, a scalar beside its tensors.

use burn::tensor::Bytes;
use burn_pack::{Error, Reader, Scalar, Writer};

const NAME: &str = "temperature";

/// The temperature in `model`, a file of weights in Burn's format; `None` if it has none.
///
/// # Errors
///
/// If the file has another format or is cut.
pub fn saved_temperature(model: &[u8]) -> Result<Option<f64>, Error> {
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(model.to_vec()))?;
    Ok(match reader.scalars().get(NAME) {
        Some(Scalar::Float(value)) if value.is_normal() && *value > 0.0 => Some(*value),
        _ => None,
    })
}

/// Adds the `temperature` to `model`, a file of weights in Burn's format.
///
/// # Errors
///
/// If the file has another format or is cut.
pub fn with_saved_temperature(model: &[u8], temperature: f64) -> Result<Vec<u8>, Error> {
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(model.to_vec()))?;
    let writer = Writer::new(reader.into_tensors()?);
    Ok(writer.with_scalar(NAME, Scalar::Float(temperature)).into_bytes()?.to_vec())
}
