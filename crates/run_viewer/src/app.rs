use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use report::{RUNS_POLICY, RUNS_SCRIPT, RUNS_STYLE, runs_page};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;

use crate::runs::Runs;
use crate::{events, files};

/// Allows a file that is shown nothing but its own style.
const FILE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
);

/// What all requests share.
pub struct App {
    address: SocketAddr,
    pub directory: PathBuf,
    runs: Mutex<Runs>,
    /// A client has come.
    pub arrived: Notify,
    /// The files were looked at; each client has a receiver.
    pub changes: watch::Sender<()>,
}

impl App {
    pub fn new(address: SocketAddr, directory: PathBuf) -> Self {
        let runs = Mutex::new(Runs::new(directory.clone()));
        Self { address, directory, runs, arrived: Notify::new(), changes: watch::Sender::new(()) }
    }

    pub fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request names this server. The page of another site may have a name that leads to a
    /// loopback address, but not the name of that address.
    fn is_named(&self, headers: &HeaderMap) -> bool {
        let host =
            headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let ip = name.trim_matches(['[', ']']).parse::<IpAddr>();
        !self.address.ip().is_loopback()
            || name.eq_ignore_ascii_case("localhost")
            || ip.is_ok_and(|ip| ip == self.address.ip())
    }
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/style.css", get(async || ([(header::CONTENT_TYPE, "text/css")], RUNS_STYLE)))
        .route(
            "/script.js",
            get(async || ([(header::CONTENT_TYPE, "text/javascript")], RUNS_SCRIPT)),
        )
        .route("/events/{version}", get(events::events))
        .route("/events/{version}/{*names}", get(events::events))
        .route("/runs/{*path}", get(files::file))
        .fallback(async || files::NOT_FOUND)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guarded))
        .with_state(app)
}

async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = if !matches!(*request.method(), Method::GET | Method::HEAD) {
        (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response()
    } else if !app.is_named(request.headers()) {
        let address = app.address;
        (StatusCode::MISDIRECTED_REQUEST, format!("This server is http://{address}\n"))
            .into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(FILE_POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

async fn page(State(app): State<Arc<App>>) -> Response {
    let page = spawn_blocking(move || {
        let mut runs = app.runs();
        runs.refresh();
        runs_page(&app.directory, &runs.rows(), runs.version)
    });
    page.await.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), html)
}

/// A page that `report` made for this server.
pub fn html(page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, RUNS_POLICY),
    ];
    (headers, page).into_response()
}
