use std::fmt;

use artifacts::DataIdentity;
use data::{Examples, Values};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api_error::ApiError;

/// A tensor of a request.
#[derive(Deserialize, ToSchema)]
pub struct InputTensor {
    /// `image`, or `features` for points.
    name: String,
    /// Batch, height, width and channels; for points, batch and number of features.
    shape: Vec<usize>,
    /// `UINT8` for images, `FP32` for points.
    datatype: String,
    #[schema(nullable)]
    parameters: Option<InputParameters>,
    /// The values in row-major order, flat or nested; absent if they follow the JSON in binary.
    #[schema(value_type = Option<Vec<serde_json::Value>>, nullable)]
    data: Option<Numbers>,
}

/// Parameters of an input tensor.
#[derive(Deserialize, ToSchema)]
struct InputParameters {
    /// Number of bytes of the values, little-endian, after the JSON.
    #[schema(nullable)]
    binary_data_size: Option<usize>,
}

/// A tensor of a response.
#[derive(Serialize, ToSchema)]
pub struct OutputTensor {
    /// `probabilities` or `logits`.
    name: &'static str,
    /// Always `FP32`.
    datatype: &'static str,
    /// Batch and number of values.
    shape: [usize; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<OutputTensorParameters>,
    /// The values in row-major order; absent if they follow the JSON in binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<f32>>,
}

/// Parameters of an output tensor.
#[derive(Serialize, ToSchema)]
struct OutputTensorParameters {
    /// Number of bytes of the values, little-endian, after the JSON.
    binary_data_size: usize,
}

/// Name, datatype and shape of a tensor of a model.
#[derive(Serialize, ToSchema)]
pub struct TensorMetadata {
    pub name: &'static str,
    pub datatype: &'static str,
    /// The size of each dimension; -1 for that of the batch.
    pub shape: Vec<i64>,
}

/// Numbers of an array, whose elements may be arrays of numbers, and so on.
struct Numbers(Vec<f32>);

/// The input of a model for data of `identity`.
pub fn input_metadata(identity: &DataIdentity) -> TensorMetadata {
    let (name, datatype, sizes) = match &identity.shape {
        shape if identity.are_images => ("image", "UINT8", &shape[..]),
        [.., features] => ("features", "FP32", std::slice::from_ref(features)),
    };
    let sizes = sizes.iter().map(|&size| size as i64);
    TensorMetadata { name, datatype, shape: [-1].into_iter().chain(sizes).collect() }
}

impl InputTensor {
    /// The examples for a model for data of `identity`. `binary` is what follows the JSON.
    pub fn into_examples(
        self,
        binary: &[u8],
        identity: &DataIdentity,
    ) -> Result<Examples, ApiError> {
        let expected = input_metadata(identity);
        // The batch, the first dimension, has any size.
        let sizes = self.shape.iter().skip(1).map(|&size| size as i64);
        let has_shape = sizes.eq(expected.shape.iter().skip(1).copied());
        if self.name != expected.name || self.datatype != expected.datatype || !has_shape {
            let TensorMetadata { name, datatype, shape } = expected;
            return Err(ApiError::bad_request(format!(
                "the input {:?} is {} {:?}: the model takes {name:?}, {datatype} {shape:?}",
                self.name, self.datatype, self.shape
            )));
        }
        let shape = self.shape.clone();
        let size = shape.iter().try_fold(1_usize, |all, &size| all.checked_mul(size));
        let (count, values) = self.values(binary, identity.are_images)?;
        if size != Some(count) {
            return Err(ApiError::bad_request(format!(
                "there are {count} values for the shape {shape:?}"
            )));
        }
        let labels = vec![0; shape.first().copied().unwrap_or_default()];
        Ok(Examples::new(identity.shape, values, labels))
    }

    /// The values and their number.
    fn values(self, binary: &[u8], are_bytes: bool) -> Result<(usize, Values), ApiError> {
        let size = self.parameters.and_then(|parameters| parameters.binary_data_size);
        let floats = match (self.data, size) {
            (Some(Numbers(numbers)), None) if are_bytes => {
                return Ok((numbers.len(), Values::Pixels(bytes(&numbers)?)));
            }
            (Some(Numbers(numbers)), None) => numbers,
            (None, Some(size)) if size == binary.len() && are_bytes => {
                return Ok((size, Values::Pixels(binary.to_vec())));
            }
            (None, Some(size)) if size == binary.len() && size % size_of::<f32>() == 0 => {
                binary.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
            }
            (None, Some(size)) => {
                let found = binary.len();
                return Err(ApiError::bad_request(format!(
                    "{found} bytes follow the JSON: binary_data_size is {size}"
                )));
            }
            _ => {
                return Err(ApiError::bad_request(
                    "the input has no data, or both data and binary_data_size",
                ));
            }
        };
        if !floats.iter().all(|value| value.is_finite()) {
            return Err(ApiError::bad_request("a value is not a finite number"));
        }
        Ok((floats.len(), Values::Features(floats)))
    }
}

/// `numbers` as integers from 0 to 255.
fn bytes(numbers: &[f32]) -> Result<Vec<u8>, ApiError> {
    let byte = |&number: &f32| {
        let byte = number as u8;
        (f32::from(byte) == number).then_some(byte)
    };
    let bytes = numbers.iter().map(byte).collect::<Option<_>>();
    bytes.ok_or_else(|| ApiError::bad_request("a value of UINT8 is not an integer from 0 to 255"))
}

impl OutputTensor {
    /// The tensor of `rows`, and its values in binary if `is_binary`.
    pub fn new(name: &'static str, rows: &[&[f32]], is_binary: bool) -> (Self, Vec<u8>) {
        let shape = [rows.len(), rows.first().map_or(0, |row| row.len())];
        let values = rows.concat();
        let (parameters, data, binary) = if is_binary {
            let binary: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (Some(OutputTensorParameters { binary_data_size: binary.len() }), None, binary)
        } else {
            (None, Some(values), Vec::new())
        };
        (Self { name, datatype: "FP32", shape, parameters, data }, binary)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut numbers = Vec::new();
        deserializer.deserialize_seq(Flatten(&mut numbers))?;
        Ok(Self(numbers))
    }
}

/// Appends a number, or those of an array.
struct Flatten<'a>(&'a mut Vec<f32>);

impl<'de> DeserializeSeed<'de> for Flatten<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Flatten<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a number, or an array of numbers")
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.push(number as f32);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.push(number as f32);
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.push(number as f32);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(Flatten(self.0))?.is_some() {}
        Ok(())
    }
}
