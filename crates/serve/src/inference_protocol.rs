//! The Open Inference Protocol, version 2, with Triton's extension for binary tensors.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use artifacts::DataIdentity;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data::Examples;
use serde::{Deserialize, Serialize};
use training::ModelOutput;
use utoipa::ToSchema;

use crate::api_error::{ApiError, ErrorBody, json};
use crate::app::{App, NamedModel};
use crate::tensor::{InputTensor, OutputTensor, TensorMetadata, input_metadata};

/// Length of the JSON of a body that has binary tensors after it.
const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// Number of bytes of a body that is parsed without changing the thread.
const SHORT: usize = 1 << 17;

/// Name and version of the server.
#[derive(Serialize, ToSchema)]
struct ServerMetadata {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 1],
}

/// Whether the server is running.
#[derive(Serialize, ToSchema)]
struct Live {
    live: bool,
}

/// Whether the server accepts requests.
#[derive(Serialize, ToSchema)]
struct Ready {
    ready: bool,
}

/// The models of the server.
#[derive(Serialize, ToSchema)]
struct Models {
    models: Vec<String>,
}

/// Whether a model accepts requests.
#[derive(Serialize, ToSchema)]
struct ModelReady {
    name: String,
    ready: bool,
}

/// Inputs and outputs of a model.
#[derive(Serialize, ToSchema)]
struct ModelMetadata {
    name: String,
    platform: &'static str,
    inputs: [TensorMetadata; 1],
    outputs: [TensorMetadata; 2],
    parameters: ModelParameters,
}

/// What the protocol does not say of a model.
#[derive(Serialize, ToSchema)]
struct ModelParameters {
    /// Names of the classes, in the order of the probabilities.
    classes: Vec<String>,
    /// Whether the model was trained on synthetic data.
    synthetic: bool,
}

/// Examples to classify.
#[derive(Deserialize, ToSchema)]
struct InferRequest {
    /// Returned with the response.
    #[schema(nullable)]
    id: Option<String>,
    #[schema(nullable)]
    parameters: Option<RequestParameters>,
    /// The one input of the model.
    #[schema(min_items = 1, max_items = 1)]
    inputs: Vec<InputTensor>,
    /// The outputs to return, all by default.
    #[schema(nullable)]
    outputs: Option<Vec<RequestedOutput>>,
}

/// Parameters of a request.
#[derive(Default, Deserialize, ToSchema)]
struct RequestParameters {
    /// Whether outputs are returned in binary unless they say otherwise.
    #[schema(nullable)]
    binary_data_output: Option<bool>,
}

/// An output to return.
#[derive(Deserialize, ToSchema)]
struct RequestedOutput {
    name: OutputName,
    #[schema(nullable)]
    parameters: Option<RequestedOutputParameters>,
}

/// Name of an output.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OutputName {
    /// Probability of each class.
    Probabilities,
    /// Logits before calibration; one for two classes with a sigmoid.
    Logits,
}

/// Parameters of an output to return.
#[derive(Deserialize, ToSchema)]
struct RequestedOutputParameters {
    /// Whether it is returned in binary.
    #[schema(nullable)]
    binary_data: Option<bool>,
}

/// Outputs of a model.
#[derive(Serialize, ToSchema)]
struct InferResponse {
    model_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<OutputTensor>,
}

/// Server metadata
#[utoipa::path(get, path = "/v2", tag = "inference", responses((status = 200, body = ServerMetadata)))]
pub async fn server_metadata() -> Response {
    let version = env!("CARGO_PKG_VERSION");
    json(&ServerMetadata { name: "trainer", version, extensions: ["binary_tensor_data"] })
}

/// Whether the server is running
#[utoipa::path(get, path = "/v2/health/live", tag = "inference", responses((status = 200, body = Live)))]
pub async fn live() -> Response {
    json(&Live { live: true })
}

/// Whether the server accepts requests
#[utoipa::path(get, path = "/v2/health/ready", tag = "inference", responses(
    (status = 200, body = Ready),
    (status = 503, body = Ready, description = "The server is stopping"),
))]
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let ready = !app.is_stopping.load(Ordering::Relaxed);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json(&Ready { ready })).into_response()
}

/// The models
#[utoipa::path(get, path = "/v2/models", tag = "inference", responses((status = 200, body = Models)))]
pub async fn models(State(app): State<Arc<App>>) -> Response {
    json(&Models { models: app.models.keys().cloned().collect() })
}

/// Whether a model accepts requests
#[utoipa::path(get, path = "/v2/models/{model_name}/ready", tag = "inference",
    params(("model_name" = String, Path, description = "Name of the run")),
    responses(
        (status = 200, body = ModelReady),
        (status = 404, body = ErrorBody, description = "There is no such model"),
    )
)]
pub async fn model_ready(NamedModel(model): NamedModel) -> Response {
    json(&ModelReady { name: model.name.clone(), ready: true })
}

/// Inputs and outputs of a model
#[utoipa::path(get, path = "/v2/models/{model_name}", tag = "inference",
    params(("model_name" = String, Path, description = "Name of the run")),
    responses(
        (status = 200, body = ModelMetadata),
        (status = 404, body = ErrorBody, description = "There is no such model"),
    )
)]
pub async fn model_metadata(NamedModel(model): NamedModel) -> Response {
    let identity = &model.identity;
    let output = |name: OutputName, size: usize| TensorMetadata {
        name: name.as_str(),
        datatype: "FP32",
        shape: vec![-1, size as i64],
    };
    json(&ModelMetadata {
        name: model.name.clone(),
        platform: "trainer",
        inputs: [input_metadata(identity)],
        outputs: [
            output(OutputName::Probabilities, identity.classes.len()),
            output(OutputName::Logits, model.logits),
        ],
        parameters: ModelParameters {
            classes: identity.classes.clone(),
            synthetic: identity.synthetic,
        },
    })
}

/// Classify tensors
///
/// `image` are images of the size of the model, `features` points. At most 256 examples. With the header
/// `Inference-Header-Content-Length`, the length of the JSON, tensors may follow the JSON in binary, and so
/// may those of the response.
#[utoipa::path(post, path = "/v2/models/{model_name}/infer", tag = "inference",
    params(("model_name" = String, Path, description = "Name of the run")),
    request_body = InferRequest,
    responses(
        (status = 200, content(
            (InferResponse = "application/json"),
            (Vec<u8> = "application/octet-stream"),
        )),
        (status = 400, body = ErrorBody, description = "The request is invalid, or does not fit the model"),
        (status = 404, body = ErrorBody, description = "There is no such model"),
        (status = 408, body = ErrorBody, description = "The body took longer than 30 seconds"),
        (status = 413, body = ErrorBody, description = "The body has more than 8 MiB"),
        (status = 500, body = ErrorBody, description = "The device failed"),
        (status = 503, body = ErrorBody, description = "The queue is full: repeat the request after the seconds of `Retry-After`"),
    )
)]
pub async fn infer(
    State(app): State<Arc<App>>,
    NamedModel(model): NamedModel,
    request: Request,
) -> Result<Response, ApiError> {
    let (head, body) = request.into_parts();
    let body = app.bodies.receive(body).await?;
    let length = body.bytes.len();
    let json_length = json_length(&head.headers, length)?;
    let of_task = Arc::clone(&model);
    let parse = move || parse(&body.bytes, json_length, &of_task.identity);
    let (request, examples) = if length <= SHORT {
        parse()
    } else {
        let parsed = tokio::task::spawn_blocking(parse).await;
        parsed.map_err(|error| ApiError::internal(error.to_string()))?
    }?;
    let places = model.queue(examples.len())?;
    let outputs = model.outputs(examples, places).await?;
    respond(model.name.clone(), request, &outputs)
}

/// The length of the JSON of a body of `length` bytes.
fn json_length(headers: &HeaderMap, length: usize) -> Result<usize, ApiError> {
    let Some(value) = headers.get(JSON_LENGTH) else { return Ok(length) };
    let own = value.to_str().ok().and_then(|text| text.parse().ok());
    own.filter(|&own| own <= length).ok_or_else(|| {
        ApiError::bad_request(format!("{JSON_LENGTH} is not a length within the body"))
    })
}

/// The request, without its tensor, and the examples of that.
fn parse(
    body: &[u8],
    json_length: usize,
    identity: &DataIdentity,
) -> Result<(InferRequest, Examples), ApiError> {
    let (text, binary) = body.split_at_checked(json_length).unwrap_or_default();
    let request: Result<InferRequest, _> = serde_json::from_slice(text);
    let mut request = request.map_err(|error| ApiError::bad_request(error.to_string()))?;
    match (request.inputs.pop(), request.inputs.is_empty()) {
        (Some(input), true) => Ok((request, input.into_examples(binary, identity)?)),
        _ => Err(ApiError::bad_request("the model has one input")),
    }
}

impl OutputName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Probabilities => "probabilities",
            Self::Logits => "logits",
        }
    }

    /// Its values of one example.
    fn values(self, output: &ModelOutput) -> &[f32] {
        match self {
            Self::Probabilities => &output.probabilities,
            Self::Logits => &output.logits,
        }
    }
}

/// The requested outputs.
fn respond(
    model_name: String,
    InferRequest { id, parameters, outputs: requested, .. }: InferRequest,
    outputs: &[ModelOutput],
) -> Result<Response, ApiError> {
    let requested = requested.filter(|requested| !requested.is_empty()).unwrap_or_else(|| {
        let all = [OutputName::Probabilities, OutputName::Logits];
        all.map(|name| RequestedOutput { name, parameters: None }).into()
    });
    let is_binary = parameters.unwrap_or_default().binary_data_output.unwrap_or(false);
    let tensors = requested.into_iter().map(|RequestedOutput { name, parameters }| {
        let own = parameters.and_then(|parameters| parameters.binary_data);
        let rows: Vec<_> = outputs.iter().map(|output| name.values(output)).collect();
        OutputTensor::new(name.as_str(), &rows, own.unwrap_or(is_binary))
    });
    let (outputs, binary): (Vec<_>, Vec<_>) = tensors.unzip();
    let binary = binary.concat();
    let response = InferResponse { model_name, id, outputs };
    if binary.is_empty() {
        return Ok(json(&response));
    }
    let text =
        serde_json::to_vec(&response).map_err(|error| ApiError::internal(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (JSON_LENGTH, text.len().into()),
    ];
    Ok((headers, [text, binary].concat()).into_response())
}
