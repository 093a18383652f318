//! HTTP server of a page that shows the runs of a folder and follows those that go on.
//!
//! - `points`: the complete lines of a file that grows.
//! - `run`: one run, read again when its files change.
//! - `runs`: all runs, and what is new to a client.
//! - `events`: the task that looks at the files while there are clients, and what it sends to them.
//! - `files`: the files of runs.
//! - `app`: the routes, and what they refuse.

#![forbid(unsafe_code)]

mod app;
mod events;
mod files;
mod points;
mod run;
mod runs;
#[cfg(test)]
mod tests;

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use tokio::time::sleep;

use app::App;

/// Time between two looks at whether the server is stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(100);

/// Serves the page of the runs in `directory`, which may not exist yet, until `is_stopped`, which is
/// polled. Connections are then cut.
///
/// # Errors
///
/// If the operating system refuses the listener.
pub fn serve(
    listener: TcpListener,
    directory: PathBuf,
    is_stopped: impl Fn() -> bool,
) -> io::Result<()> {
    let app = Arc::new(App::new(listener.local_addr()?, directory));
    listener.set_nonblocking(true)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::spawn(events::watch(Arc::clone(&app)));
        let stopped = async {
            while !is_stopped() {
                sleep(STOP_INTERVAL).await;
            }
        };
        tokio::select! {
            served = axum::serve(listener, app::router(app)) => served,
            () = stopped => Ok(()),
        }
    });
    runtime.shutdown_background();
    served
}
