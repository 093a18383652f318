use std::iter;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use artifacts::DataIdentity;
use burn::backend::Flex;
use burn::backend::ir::{BackendIr, CustomOpIr, HandleContainer};
use burn::tensor::remote::{IrohIdentity, IrohRelays};
use burn::tensor::server::{
    AuthorizationRequest, IrohTransport, PeerAuthorizer, RemoteServer, TokenAuthorizer, Transport,
    WebSocketTransport,
};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use models::ModelRegistry;
use socket2::SockRef;
use support::panics;

use super::OPERATION;
use super::messages::{self, Answer, Preparation, Request, program};
use crate::config::RunConfig;
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::trainer::{PackedPart, PartComputer, Stop, StopSource};

/// Where a worker listens.
#[derive(Debug, Clone)]
pub enum Listen {
    /// On this machine only, unencrypted.
    Loopback(SocketAddr),
    /// On all addresses of this machine, encrypted.
    Encrypted {
        /// The UDP port.
        port: u16,
        /// File of the worker's secret key, which is created if it is absent.
        identity: PathBuf,
    },
}

/// Computes parts of runs for coordinators.
pub struct WorkerServer {
    /// Custom models.
    pub models: ModelRegistry,
    /// Overrides of the configs of coordinators, for example where the data are on this machine.
    pub overrides: Vec<String>,
    /// Name of the device; the best one if absent.
    pub device: Option<String>,
    /// The commit that this program was built from.
    pub commit: Option<String>,
}

/// A request, with the weights if it asks for a part.
struct Call {
    request: Vec<u8>,
    weights: Vec<f32>,
    /// In how many tensors the part is returned.
    chunks: usize,
    answer: Sender<(Answer, Vec<TensorData>)>,
}

/// The run that a worker works for.
struct Current {
    number: u64,
    computer: PartComputer,
}

/// How often a worker looks whether it is stopped.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl WorkerServer {
    /// Serves coordinators that know `token`, until `stop` returns a value. Calls `ready` with the
    /// address that a coordinator needs. Computes on this thread.
    ///
    /// # Errors
    ///
    /// If the token is empty, the device does not exist, or the address is not free.
    pub fn serve(
        self,
        listen: Listen,
        token: &str,
        ready: impl FnOnce(&str),
        mut stop: StopSource,
    ) -> Result<Stop, RunError> {
        let device = crate::device::select(self.device.as_deref())?;
        let authorizer = Token::new(token)?;
        let (transport, address) = transport(listen)?;
        let (calls, received) = channel();
        let calls = Mutex::new(calls);
        let server = RemoteServer::new([Device::flex()])
            .with_authorizer(authorizer)
            .with_custom_op::<Flex, _>(OPERATION, move |handles, operation, _| {
                let calls = calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
                answer(handles, operation, &calls);
            });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| RunError::Other(format!("cannot start a thread: {error}")))?;
        let _guard = runtime.enter();
        let serving = runtime.spawn(server.serve_async(transport));
        // A transport that cannot listen ends at once.
        thread::sleep(Duration::from_millis(50));
        if serving.is_finished() {
            let ended = runtime.block_on(serving).map_err(|error| error.to_string());
            let reason = match ended {
                Ok(Err(error)) => error.to_string(),
                Ok(Ok(())) => "the server has ended".to_owned(),
                Err(reason) => reason,
            };
            return Err(RunError::Usage(format!("cannot listen on {address}: {reason}")));
        }
        ready(&address);
        let stopped = self.compute(&device.name, &received, &mut stop);
        runtime.shutdown_background();
        Ok(stopped)
    }

    /// Answers calls until `stop` returns a value.
    fn compute(&self, device: &str, calls: &Receiver<Call>, stop: &mut StopSource) -> Stop {
        let mut current = None;
        let mut runs = 0;
        loop {
            if let Some(stop) = stop() {
                return stop;
            }
            let Call { request, weights, chunks, answer } = match calls.recv_timeout(LOOK_EVERY) {
                Ok(call) => call,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Stop::Terminated,
            };
            let answered = match messages::decode(&request) {
                Ok(Request::Prepare(preparation)) => {
                    // The memory of the run before is free first.
                    current = None;
                    runs += 1;
                    let prepared = panics::catch(|| self.prepare(&preparation, device));
                    match prepared.unwrap_or_else(Err) {
                        Ok(computer) => {
                            current = Some(Current { number: runs, computer });
                            let (device, threads) =
                                (device.to_owned(), rayon::current_num_threads());
                            (Answer::Ready { run: runs, device, threads }, Vec::new())
                        }
                        Err(reason) => (Answer::Refused(reason), Vec::new()),
                    }
                }
                Ok(request @ Request::Part { .. }) => {
                    compute_part(current.as_mut(), &request, weights, chunks)
                }
                Err(reason) => (Answer::Refused(reason), Vec::new()),
            };
            // The coordinator may have died meanwhile.
            answer.send(answered).ok();
        }
    }

    /// Loads config and data of a run.
    fn prepare(&self, preparation: &Preparation, device: &str) -> Result<PartComputer, String> {
        let Preparation { program: theirs, config, data } = preparation;
        let ours = program(self.commit.as_deref());
        if *theirs != ours {
            return Err(format!(
                "it is trainer {ours}, and this is {theirs}\n  use the same build on both machines"
            ));
        }
        let config =
            RunConfig::parse("the coordinator".as_ref(), config, &self.overrides, &self.models)
                .map_err(|error| error.to_string())?;
        let experiment = Experiment::prepare(&config, Some(device), self.commit.as_deref())
            .map_err(|error| format!("its copy of the data cannot be used: {error}"))?;
        check_data(data, experiment.data_identity())?;
        experiment.part_computer().map_err(|error| error.to_string())
    }
}

fn check_data(theirs: &DataIdentity, ours: &DataIdentity) -> Result<(), String> {
    let Some((part, [here, there])) = theirs.first_difference(ours) else { return Ok(()) };
    Err(format!(
        "its {part} set differs from the one here (SHA-256):\n  here   {here}\n  there  {there}\n  copy the data to the worker, or start it with --set and the path of its copy"
    ))
}

fn compute_part(
    current: Option<&mut Current>,
    request: &Request,
    weights: Vec<f32>,
    chunks: usize,
) -> (Answer, Vec<TensorData>) {
    let failed = |answer| (answer, Vec::new());
    let Request::Part { run, index, statistics, fault } = *request else {
        return failed(Answer::Replaced);
    };
    let Some(current) = current.filter(|current| current.number == run) else {
        return failed(Answer::Replaced);
    };
    match panics::catch(|| current.computer.compute(weights, statistics, index, fault)) {
        Ok(Ok(part)) => {
            let chunks = split(&part, chunks);
            current.computer.reuse(part);
            (Answer::Computed, chunks)
        }
        Ok(Err(RunError::NotLoaded { reason, .. })) => failed(Answer::NotLoaded(reason)),
        Ok(Err(error)) => failed(Answer::Refused(error.to_string())),
        Err(reason) => failed(Answer::Panicked(reason)),
    }
}

/// The numbers of a part in `count` tensors.
fn split(PackedPart(numbers): &PackedPart, count: usize) -> Vec<TensorData> {
    let length = numbers.len().div_ceil(count.max(1)).max(1);
    numbers.chunks(length).map(|chunk| TensorData::new(chunk.to_vec(), [chunk.len()])).collect()
}

/// Hands an operation to the thread that computes, and registers its results.
fn answer(
    handles: &mut HandleContainer<<Flex as BackendIr>::Handle>,
    operation: &CustomOpIr,
    calls: &Sender<Call>,
) {
    let mut inputs = operation.inputs.iter();
    let request = inputs.next().map(|input| {
        let bytes = handles.get_int_tensor::<Flex>(input);
        Tensor::<1, Int>::from_primitive::<Flex>(bytes).into_data()
    });
    let length = inputs.clone().map(|input| input.shape.num_elements()).sum();
    let mut weights = Vec::with_capacity(length);
    for input in inputs {
        weights.extend_from_slice(handles.get_float_tensor::<Flex>(input).storage::<f32>());
    }
    let request = request.map_or(Vec::new(), |request| request.bytes().to_vec());
    let mut outputs = operation.outputs.iter();
    let of_answer = outputs.next();
    let (sender, answered) = channel();
    let sent = calls.send(Call { request, weights, chunks: outputs.len(), answer: sender });
    let stopped = (Answer::Refused("it was stopped".to_owned()), Vec::new());
    let (answer, chunks) = sent.ok().and_then(|()| answered.recv().ok()).unwrap_or(stopped);
    let device = Device::flex();
    if let Some(output) = of_answer {
        let answer = messages::encode(&answer);
        let answer = TensorData::new(answer.clone(), [answer.len()]);
        let answer = Tensor::<1, Int>::from_data(answer, (&device, DType::U8));
        if let Ok(answer) = answer.try_into_primitive::<Flex>() {
            handles.register_int_tensor::<Flex>(&output.id, answer);
        }
    }
    // Those that are left are empty: the coordinator reads all of them.
    let empty = || TensorData::new(Vec::<f32>::new(), [0]);
    let chunks = chunks.into_iter().chain(iter::repeat_with(empty));
    for (output, chunk) in outputs.zip(chunks) {
        let chunk = Tensor::<1>::from_data(chunk, &device);
        if let Ok(chunk) = chunk.try_into_primitive::<Flex>() {
            handles.register_float_tensor::<Flex>(&output.id, chunk);
        }
    }
}

fn transport(listen: Listen) -> Result<(Transport, String), RunError> {
    match listen {
        Listen::Loopback(address) => {
            let failed = |error| RunError::Usage(format!("cannot listen on {address}: {error}"));
            let listener = TcpListener::bind(address).map_err(failed)?;
            let bound = listener.local_addr().map_err(failed)?;
            // Its connections inherit this. Without it, an answer that follows another one waits 40 ms
            // for the acknowledgement of that.
            SockRef::from(&listener).set_tcp_nodelay(true).map_err(failed)?;
            Ok((WebSocketTransport::from_listener(listener).into(), bound.to_string()))
        }
        Listen::Encrypted { port, identity } => {
            let key = IrohIdentity::load_or_create(&identity).map_err(|error| {
                RunError::Usage(format!("the key {} cannot be used: {error}", identity.display()))
            })?;
            let transport =
                IrohTransport::new(key).with_relays(IrohRelays::Disabled).with_port(port);
            let address = format!("{}@<address of this machine>:{port}", transport.id());
            Ok((transport.into(), address))
        }
    }
}

/// Lets coordinators in that know the token. A credential is `NUMBER:TOKEN`: the number makes it
/// another one for each session, see [`super::connection`].
struct Token(TokenAuthorizer);

impl Token {
    fn new(token: &str) -> Result<Self, RunError> {
        let authorizer = TokenAuthorizer::new(token);
        authorizer.map(Self).map_err(|_| RunError::Usage("the token is empty".to_owned()))
    }
}

impl PeerAuthorizer for Token {
    fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<(), String> {
        let credential = request.credential.as_bytes();
        let end = credential.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1);
        let token = credential.get(end..).unwrap_or_default().into();
        self.0.authorize(AuthorizationRequest { credential: &token, ..request })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::tensor::remote::Credential;
    use burn::tensor::server::ClientId;

    use super::*;

    fn data(sha256: &str) -> DataIdentity {
        DataIdentity {
            synthetic: false,
            sha256: BTreeMap::from([("train".to_owned(), sha256.to_owned())]),
            are_images: false,
            shape: [1, 1, 2],
            classes: ["a", "b"].map(str::to_owned).to_vec(),
            fit: None,
            counts: BTreeMap::new(),
        }
    }

    #[test]
    fn another_program_and_other_data_are_refused() {
        let models = ModelRegistry::new();
        let server = WorkerServer { models, overrides: Vec::new(), device: None, commit: None };
        let (program, config) = ("0.0.1 (abc)".to_owned(), String::new());
        let other = Preparation { program, config, data: data("1") };
        let reason = server.prepare(&other, "flex").err().unwrap();
        assert!(reason.contains("0.0.1 (abc)") && reason.contains("the same build"), "{reason}");
        let reason = check_data(&data("1"), &data("2")).unwrap_err();
        assert!(reason.contains("train set differs") && reason.contains("--set"), "{reason}");
        assert_eq!(check_data(&data("1"), &data("1")), Ok(()));
    }

    #[test]
    fn only_the_token_is_let_in_whatever_number_precedes_it() {
        let token = Token::new("secret:with a colon").unwrap();
        let is_let_in = |credential: &str| {
            let credential = Credential::from(credential);
            let client = ClientId::WebSocket(([127, 0, 0, 1], 1).into());
            let request = AuthorizationRequest { client, device_index: 0, credential: &credential };
            token.authorize(request).is_ok()
        };
        assert!(is_let_in("0:secret:with a colon") && is_let_in("71:secret:with a colon"));
        for other in ["", ":", "0:", "secret:with a colon", "0:secret:with a colo", "0:other"] {
            assert!(!is_let_in(other), "{other}");
        }
        assert!(Token::new("").is_err());
    }
}
