use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;

use crate::api_error::ErrorBody;
use crate::json::json;
use crate::{inference_protocol, metrics, page, predictions};

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
pub async fn openapi() -> Response {
    json(&Document::openapi()).into_response()
}
