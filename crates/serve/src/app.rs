use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, FromRequestParts, MatchedPath, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, http::StatusCode};
use utoipa::OpenApi;

use crate::api_error::{ApiError, ErrorBody, json};
use crate::bodies::Bodies;
use crate::decoders::Decoders;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::{inference_protocol, metrics, page, predictions};

/// Time for a request, its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What all requests share.
#[derive(Default)]
pub struct App {
    pub models: BTreeMap<String, Arc<Model>>,
    pub metrics: Metrics,
    pub bodies: Bodies,
    pub decoders: Decoders,
    /// Whether connections end after the next response.
    pub is_stopping: AtomicBool,
}

/// The model that the path of a request names.
pub struct NamedModel(pub Arc<Model>);

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(page::routes())
        .route("/openapi.json", get(openapi))
        .route("/metrics", get(metrics::metrics))
        .route("/v2", get(inference_protocol::server_metadata))
        .route("/v2/health/live", get(inference_protocol::live))
        .route("/v2/health/ready", get(inference_protocol::ready))
        .route("/v2/models", get(inference_protocol::models))
        .route("/v2/models/{model_name}", get(inference_protocol::model_metadata))
        .route("/v2/models/{model_name}/ready", get(inference_protocol::model_ready))
        .route("/v2/models/{model_name}/infer", post(inference_protocol::infer))
        .route("/predictions/{model_name}", post(predictions::predict))
        .fallback(async || ApiError::not_found("no such path; /openapi.json lists all paths"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "the path does not have this method")
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&app), observed))
        // `Bodies` has the limit.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

/// Answers within the time limit, and counts the request.
async fn observed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map_or("unmatched", MatchedPath::as_str).to_owned();
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    let mut response =
        answer.unwrap_or_else(|_| ApiError::busy("the request took too long").into_response());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if app.is_stopping.load(Ordering::Relaxed) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    app.metrics.add_request(&route, response.status(), start.elapsed());
    tracing::debug!("{route}: {} in {:?}", response.status(), start.elapsed());
    response
}

impl FromRequestParts<Arc<App>> for NamedModel {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let name = Path::<String>::from_request_parts(parts, app).await;
        let model = name.ok().and_then(|Path(name)| app.models.get(&name).cloned());
        model.map(Self).ok_or_else(|| ApiError::not_found("no such model; /v2/models lists all"))
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "trainer serve",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(ErrorBody)),
    paths(
        page::page,
        openapi,
        metrics::metrics,
        inference_protocol::server_metadata,
        inference_protocol::live,
        inference_protocol::ready,
        inference_protocol::models,
        inference_protocol::model_metadata,
        inference_protocol::model_ready,
        inference_protocol::infer,
        predictions::predict,
    )
)]
struct Document;

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "server", responses(
    (status = 200, content_type = "application/json", body = serde_json::Value),
))]
async fn openapi() -> Response {
    json(&Document::openapi())
}
