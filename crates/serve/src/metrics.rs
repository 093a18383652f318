use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::api_error::ApiError;
use crate::app::App;

type Labels<const N: usize> = [(&'static str, String); N];
type Histograms = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// Counters of the server, for Prometheus.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels<2>, Counter>,
    seconds: Histograms,
    batch_sizes: Histograms,
    queue_depths: Family<Labels<1>, Gauge>,
}

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Default for Metrics {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || {
            Histogram::new([
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
            ])
        };
        let examples: fn() -> Histogram =
            || Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0]);
        let (requests, queue_depths) = (Family::default(), Family::default());
        let seconds = Histograms::new_with_constructor(seconds);
        let batch_sizes = Histograms::new_with_constructor(examples);
        let mut registry = Registry::default();
        registry.register("http_requests", "Answered requests", requests.clone());
        let help = "Time from the head of a request to its response";
        let (name, unit) = ("http_request_duration", Unit::Seconds);
        registry.register_with_unit(name, help, unit, seconds.clone());
        let help = "Examples that a model computed together";
        registry.register("batch_size", help, batch_sizes.clone());
        let help = "Examples accepted and not answered";
        registry.register("queue_depth", help, queue_depths.clone());
        Self { registry, requests, seconds, batch_sizes, queue_depths }
    }
}

impl Metrics {
    /// Counts a request.
    pub fn add_request(&self, route: &str, status: StatusCode, duration: Duration) {
        let route = ("route", route.to_owned());
        let status = ("status", status.as_str().to_owned());
        self.requests.get_or_create(&[route.clone(), status]).inc();
        self.seconds.get_or_create(&[route]).observe(duration.as_secs_f64());
    }

    /// The sizes of the batches of a model.
    pub fn batch_sizes(&self, model: &str) -> Histogram {
        self.batch_sizes.get_or_create(&[("model", model.to_owned())]).clone()
    }
}

/// Metrics for Prometheus
///
/// `http_requests_total` by route and status, `http_request_duration_seconds` by route, and
/// `batch_size` and `queue_depth`, in examples, by model.
#[utoipa::path(get, path = "/metrics", tag = "server", responses(
    (status = 200, content_type = "application/openmetrics-text", body = String),
))]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let metrics = &app.metrics;
    for model in app.models.values() {
        let depth = metrics.queue_depths.get_or_create(&[("model", model.name.clone())]);
        depth.set(model.queue_depth() as i64);
    }
    let mut text = String::new();
    encode(&mut text, &metrics.registry).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}
