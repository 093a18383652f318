use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;

use burn::backend::ir::{CustomOpIr, TensorIr};
use burn::backend::{DispatchDevice, ExecutionError, Remote};
use burn::tensor::remote::{ConnectError, CustomOpClient};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use support::panics;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinHandle;

use super::messages::{self, Answer, Request};
use super::{OPERATION, WorkerAddress};
use crate::trainer::PackedPart;

/// A session with a worker.
pub struct Connection {
    device: Device,
    /// The weights of a step that it has, and the number of the step.
    weights: Option<(u64, Vec<Tensor<1>>)>,
    /// Waits for several reads at once.
    runtime: Runtime,
}

/// A tensor that is on its way from the worker.
type Read = JoinHandle<Result<TensorData, ExecutionError>>;

/// Length of the tensors in which weights are sent, of 1 MiB each: while one is on its way, the next
/// one is packed, and the one before is unpacked.
const CHUNK: usize = 1 << 18;

const NOT_REMOTE: &str = "the tensors are not remote ones";

impl Connection {
    /// Opens a session. `attempt` is another number each time: burn-remote has one session for each
    /// credential and address in the life of a process.
    pub fn open(
        address: &WorkerAddress,
        local: SocketAddr,
        token: &str,
        attempt: u64,
    ) -> Result<Self, ConnectError> {
        let host = address.host(local, format!("{attempt}:{token}"));
        let device = Device::remote_options(&host).init()?;
        let runtime = runtime::Builder::new_current_thread().build();
        let runtime =
            runtime.map_err(|error| ConnectError::Unreachable { reason: error.to_string() })?;
        Ok(Self { device, weights: None, runtime })
    }

    /// Sends a request and waits for its answer. Fails if the session is lost.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, String> {
        panics::catch(|| Ok(self.call(request, &[])?.0)).and_then(|answer| answer)
    }

    /// Asks for a part of the step `serial`, which has these weights.
    pub fn compute(
        &mut self,
        request: &Request,
        serial: u64,
        weights: Arc<Vec<f32>>,
    ) -> Result<(Answer, PackedPart), String> {
        panics::catch(|| {
            let weights = self.send(serial, weights);
            let (answer, chunks) = self.call(request, &weights)?;
            let mut numbers = Vec::with_capacity((weights.len() + 1) * CHUNK);
            for chunk in chunks {
                let chunk = self.wait_for(chunk)?;
                numbers.extend_from_slice(chunk.as_slice().map_err(|error| format!("{error:?}"))?);
            }
            Ok((answer, PackedPart(numbers)))
        })
        .and_then(|answer| answer)
    }

    /// The weights on the worker; those of a step are sent once.
    fn send(&mut self, serial: u64, weights: Arc<Vec<f32>>) -> Vec<Tensor<1>> {
        match &self.weights {
            Some((sent, chunks)) if *sent == serial => chunks.clone(),
            _ => {
                // The worker frees the weights of the step before.
                self.weights = None;
                let send = |chunk: &[f32]| {
                    let data = TensorData::new(chunk.to_vec(), [chunk.len()]);
                    Tensor::from_data(data, &self.device)
                };
                let chunks: Vec<Tensor<1>> = weights.chunks(CHUNK).map(send).collect();
                self.weights = Some((serial, chunks.clone()));
                chunks
            }
        }
    }

    /// Sends a request. Returns its answer, and the numbers that follow it, in as many chunks as there
    /// are of the weights.
    fn call(
        &self,
        request: &Request,
        weights: &[Tensor<1>],
    ) -> Result<(Answer, Vec<Read>), String> {
        let DispatchDevice::Remote(remote) = self.device.as_dispatch() else {
            return Err("the device is not a remote one".to_owned());
        };
        let message = messages::encode(request);
        let message = TensorData::new(message.clone(), [message.len()]);
        let message: Tensor<1, Int> = Tensor::from_data(message, (&self.device, DType::U8));
        let message = message.try_into_primitive::<Remote>().map_err(|_| NOT_REMOTE)?;
        let mut inputs = vec![message.into_ir()];
        for chunk in weights {
            let chunk = chunk.clone().try_into_primitive::<Remote>().map_err(|_| NOT_REMOTE)?;
            inputs.push(chunk.into_ir());
        }
        let client = CustomOpClient::new(remote);
        // Of other sizes than these, which nothing checks.
        let output = |dtype| TensorIr::uninit(client.create_empty_handle(), [1].into(), dtype);
        let mut outputs = vec![output(DType::U8)];
        outputs.extend(weights.iter().map(|_| output(DType::F32)));
        let outputs = client.register(CustomOpIr::new(OPERATION, &inputs, &outputs));
        let mut outputs = outputs.into_iter();
        let answer = outputs.next().ok_or("the operation has no result")?;
        let answer = Tensor::<1, Int>::from_primitive::<Remote>(answer).into_data_async();
        let answer = self.runtime.spawn(answer);
        let chunks = outputs.map(|chunk| {
            let chunk = Tensor::<1>::from_primitive::<Remote>(chunk);
            self.runtime.spawn(chunk.into_data_async())
        });
        let chunks = chunks.collect();
        let answer = messages::decode(self.wait_for(answer)?.bytes())?;
        Ok((answer, chunks))
    }

    /// Fails only if the session has ended.
    fn wait_for(&self, read: Read) -> Result<TensorData, String> {
        let closed = |error: &dyn Display| {
            tracing::debug!("{error}");
            "its connection has closed".to_owned()
        };
        let read = self.runtime.block_on(read).map_err(|error| closed(&error))?;
        read.map_err(|error| closed(&error))
    }
}
