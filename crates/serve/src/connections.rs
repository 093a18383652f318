use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::app::{App, router};

/// Maximum number of connections; others wait in the queue of the operating system.
const MAX_CONNECTIONS: u32 = 512;
/// Time to send the head of a request, from the end of the one before on.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Time between two looks at whether the server is stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(50);
/// Time after the stop in which the next request on a connection is still answered: the client may
/// just have sent it.
const LAST_REQUESTS: Duration = Duration::from_secs(1);
/// Time after the stop for requests that are being answered.
const DRAIN: Duration = Duration::from_secs(30);

/// The connections of clients.
struct Connections {
    router: Router,
    /// A place per connection.
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

/// Accepts connections until `is_stopped`, and answers the requests on them.
pub async fn serve(
    listener: std::net::TcpListener,
    app: Arc<App>,
    is_stopped: impl Fn() -> bool,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let connections = Connections {
        router: router(Arc::clone(&app)),
        places: Arc::new(Semaphore::new(MAX_CONNECTIONS as usize)),
        graceful: GracefulShutdown::new(),
    };
    let stopped = async {
        while !is_stopped() {
            sleep(STOP_INTERVAL).await;
        }
    };
    tokio::select! {
        () = connections.accept(&listener) => {}
        () = stopped => {}
    }
    app.is_stopping.store(true, Ordering::Relaxed);
    // Those that are established already, for the operating system.
    timeout(STOP_INTERVAL, connections.accept(&listener)).await.ok();
    drop(listener);
    connections.drain().await;
    Ok(())
}

impl Connections {
    /// Accepts connections for ever.
    async fn accept(&self, listener: &TcpListener) {
        while let Ok(place) = Arc::clone(&self.places).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => self.start(stream, place),
                Err(error) => {
                    tracing::warn!("a connection cannot be accepted: {error}");
                    sleep(STOP_INTERVAL).await;
                }
            }
        }
    }

    fn start(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // Otherwise the last segment of a response may wait for an acknowledgement.
        stream.set_nodelay(true).ok();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        let service = TowerToHyperService::new(self.router.clone());
        let connection = self.graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
            drop(place);
        });
    }

    /// Waits until all connections have ended.
    async fn drain(self) {
        let all = self.places.acquire_many(MAX_CONNECTIONS);
        if timeout(LAST_REQUESTS, all).await.is_ok() {
            return;
        }
        if timeout(DRAIN, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("connections of slow clients are cut");
        }
    }
}
