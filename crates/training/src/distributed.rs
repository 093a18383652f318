//! Training on several devices and machines, by burn-remote.
//!
//! A worker computes parts of steps: from the weights, the position in the run and its own copy of
//! the data follow the gradients, the logits and the changes of the running statistics, the same bits
//! on every machine. The coordinator, which is the trainer itself, adds them in the order of the
//! parts. So a run has the same bits for any number of workers, whichever of them die.
//!
//! - `address`: where workers are.
//! - `messages`: what the coordinator asks, and what a worker answers.
//! - `connection`: a coordinator's connection to a worker, by burn-remote.
//! - `attendant`: the thread that connects to one worker, again if it is lost, and asks it for parts.
//! - `local`: workers that the coordinator starts on its own machine.
//! - `pool`: all workers of a run.
//! - `server`: the worker.

mod address;
mod attendant;
mod connection;
mod local;
mod messages;
mod pool;
mod server;

pub use address::WorkerAddress;
pub use pool::{PoolOptions, WorkerPool};
pub use server::{Listen, WorkerServer};

/// The custom operation of burn-remote that a worker has.
const OPERATION: &str = "trainer";
