use std::net::SocketAddr;
use std::sync::Arc;

use burn::backend::ir::{CustomOpIr, TensorIr};
use burn::backend::{DispatchDevice, ExecutionError, Remote};
use burn::tensor::remote::CustomOpClient;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use support::panics;

use super::messages::{self, Answer, Request};
use super::{OPERATION, WorkerAddress};
use crate::trainer::PackedPart;

/// A session with a worker.
pub struct Connection {
    device: Device,
    /// The weights of a step that it has, and the number of the step.
    weights: Option<(u64, Tensor<1>)>,
}

/// A read fails only if the session has ended.
fn closed(error: ExecutionError) -> String {
    tracing::debug!("{error}");
    "its connection has closed".to_owned()
}

impl Connection {
    /// Opens a session. `attempt` is another number each time: burn-remote has one session for each
    /// credential and address in the life of a process.
    pub fn open(
        address: &WorkerAddress,
        local: SocketAddr,
        token: &str,
        attempt: u64,
    ) -> Result<Self, burn::tensor::remote::ConnectError> {
        let host = address.host(local, format!("{attempt}:{token}"));
        Ok(Self { device: Device::remote_options(&host).init()?, weights: None })
    }

    /// Sends a request and waits for its answer. Fails if the session is lost.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, String> {
        panics::catch(|| Ok(self.call(request, None)?.0)).and_then(|answer| answer)
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
            let (answer, numbers) = self.call(request, Some(weights))?;
            let numbers = match answer {
                Answer::Computed => numbers.try_into_data().map_err(closed)?,
                _ => TensorData::new(Vec::<f32>::new(), [0]),
            };
            let numbers = numbers.try_into_vec::<f32>().map_err(|error| format!("{error:?}"))?;
            Ok((answer, PackedPart(numbers)))
        })
        .and_then(|answer| answer)
    }

    /// The weights on the worker; those of a step are sent once.
    fn send(&mut self, serial: u64, weights: Arc<Vec<f32>>) -> Tensor<1> {
        match &self.weights {
            Some((sent, tensor)) if *sent == serial => tensor.clone(),
            _ => {
                // The worker frees the weights of the step before.
                self.weights = None;
                let data = TensorData::new(weights.to_vec(), [weights.len()]);
                // The trainer writes the next weights into this memory.
                drop(weights);
                let tensor = Tensor::from_data(data, &self.device);
                self.weights = Some((serial, tensor.clone()));
                tensor
            }
        }
    }

    fn call(
        &self,
        request: &Request,
        weights: Option<Tensor<1>>,
    ) -> Result<(Answer, Tensor<1>), String> {
        let DispatchDevice::Remote(remote) = self.device.as_dispatch() else {
            return Err("the device is not a remote one".to_owned());
        };
        let message = messages::encode(request);
        let message = TensorData::new(message.clone(), [message.len()]);
        let message: Tensor<1, Int> = Tensor::from_data(message, (&self.device, DType::U8));
        let failed = |_| "the tensors are not remote ones".to_owned();
        let mut inputs = vec![message.try_into_primitive::<Remote>().map_err(failed)?.into_ir()];
        if let Some(weights) = weights {
            let weights = weights.try_into_primitive::<Remote>();
            inputs.push(weights.map_err(|_| "the tensors are not remote ones")?.into_ir());
        }
        let client = CustomOpClient::new(remote);
        // Of other sizes than these, which nothing checks.
        let output = |dtype| TensorIr::uninit(client.create_empty_handle(), [1].into(), dtype);
        let outputs = [output(DType::U8), output(DType::F32)];
        let mut outputs =
            client.register(CustomOpIr::new(OPERATION, &inputs, &outputs)).into_iter();
        let (Some(answer), Some(numbers)) = (outputs.next(), outputs.next()) else {
            return Err("the operation has no result".to_owned());
        };
        let answer = Tensor::<1, Int>::from_primitive::<Remote>(answer);
        let answer = answer.try_into_data().map_err(closed)?;
        let answer = messages::decode(answer.bytes())?;
        Ok((answer, Tensor::from_primitive::<Remote>(numbers)))
    }
}
