//! HTTP server for trained models: the Open Inference Protocol v2, image uploads, metrics.
//!
//! [`Server`] has a thread per model, which computes the requests of all connections in batches.
//!
//! - `model`, `batcher`, `reload`: a served model, its thread, and the reload of a new best model.
//! - `bodies`, `decoders`: bounds of the memory and the processor time that requests take.
//! - `inference_protocol`, `tensor`, `predictions`, `metrics`, `page`, `openapi`: the routes.
//! - `app`, `api_error`, `json`: what all routes share.
//! - `connections`: accepts connections, and answers what was accepted before it ends.

#![forbid(unsafe_code)]

mod api_error;
mod app;
mod batcher;
mod bodies;
mod connections;
mod decoders;
mod inference_protocol;
mod json;
mod metrics;
mod model;
mod openapi;
mod page;
mod predictions;
mod reload;
mod server;
mod tensor;

pub use model::ModelSource;
pub use server::Server;
