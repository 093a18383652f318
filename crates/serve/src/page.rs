use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use export::web::{PageFile, PageModel, models_json, served_page};

use crate::api_error::ApiError;
use crate::app::App;

/// The page loads nothing but what this server has.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const INDEX: &str = "index.html";

/// The page and its files.
pub fn routes() -> Router<Arc<App>> {
    let router = Router::new().route("/", get(page)).route("/models.json", get(models));
    let files = served_page().into_iter().filter(|file| file.path != INDEX);
    files.fold(router, |router, file| {
        let path = format!("/{}", file.path);
        router.route(&path, get(async move || response(file)))
    })
}

/// The page for people
#[utoipa::path(get, path = "/", tag = "server", responses(
    (status = 200, content_type = "text/html", body = String),
))]
pub async fn page() -> Response {
    let index = served_page().into_iter().find(|file| file.path == INDEX);
    index.map_or_else(|| ApiError::internal("there is no page").into_response(), response)
}

async fn models(State(app): State<Arc<App>>) -> Response {
    let models = app.models.values().map(|model| PageModel {
        name: &model.name,
        classes: &model.identity.classes,
        shape: model.identity.shape,
        fit: model.identity.fit,
    });
    let bytes = models_json(&models.collect::<Vec<_>>()).into();
    response(PageFile { path: "models.json", content_type: "application/json", bytes })
}

fn response(file: PageFile) -> Response {
    let headers =
        [(header::CONTENT_TYPE, file.content_type), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, file.bytes.into_owned()).into_response()
}
