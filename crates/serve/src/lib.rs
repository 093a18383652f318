//! HTTP server for trained models: the Open Inference Protocol v2, image uploads, metrics.
//!
//! [`Server`] has a thread per model, which computes the requests of all connections in batches.
//!
//! - `server`, `model`, `batcher`: the served models, the thread of each, and the reload of new best models.
//! - `bodies`, `decoders`: bounds of the memory and the processor time that requests take.
//! - `inference_protocol`, `tensor`, `predictions`, `metrics`, `page`: the routes.
//! - `app`, `api_error`: what all routes share.
//! - `connections`: accepts connections, and answers what was accepted before it ends.

#![forbid(unsafe_code)]

mod api_error;
mod app;
mod batcher;
mod bodies;
mod connections;
mod decoders;
mod inference_protocol;
mod metrics;
mod model;
mod page;
mod predictions;
mod server;
mod tensor;

pub use model::ModelSource;
pub use server::Server;
