//! Trained models for other programs, written from the [layers](models::Layer) of a model and its
//! tensors.
//!
//! - [`onnx`]: a graph for ONNX Runtime and others, with normalisation and probabilities inside.
//! - [`pytorch`]: a safetensors file and a PyTorch module that loads it.
//! - [`web`]: a page that classifies in a browser.
//!
//! The same model is the same bytes on every export.

#![forbid(unsafe_code)]

mod model;
pub mod onnx;
pub mod pytorch;
pub mod web;

pub use model::{ExportError, PortableModel, Tensor};

#[cfg(test)]
mod tests;
