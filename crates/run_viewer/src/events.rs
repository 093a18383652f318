use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::app::App;
use crate::runs::Shown;

/// Time between two looks at the files.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks at the files while there are clients, for ever.
pub async fn watch(app: Arc<App>) {
    loop {
        app.arrived.notified().await;
        while app.changes.receiver_count() > 0 {
            sleep(INTERVAL).await;
            let of_task = Arc::clone(&app);
            spawn_blocking(move || of_task.runs().refresh()).await.ok();
            app.changes.send_replace(());
        }
        let mut runs = app.runs();
        // Another client may have come in between.
        if app.changes.receiver_count() == 0 {
            runs.unfollow();
        }
    }
}

/// What a client asks for: what is new since a version, and the curves of runs.
#[derive(Debug, Deserialize)]
pub struct Request {
    version: u64,
    /// Names separated by `/`.
    #[serde(default)]
    names: String,
}

/// What is new, at once and then when it happens.
pub async fn events(
    State(app): State<Arc<App>>,
    Path(request): Path<Request>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let shown = Shown::new(request.version, request.names.split('/'));
    let client = spawn_blocking(move || Client::start(app, shown)).await.ok();
    let messages = stream::unfold(client, async |client| {
        let mut client = client?;
        let message = client.next().await?;
        Some((Ok(Event::default().data(message)), Some(client)))
    });
    Sse::new(messages).keep_alive(KeepAlive::default())
}

struct Client {
    app: Arc<App>,
    changes: watch::Receiver<()>,
    shown: Shown,
}

impl Client {
    fn start(app: Arc<App>, shown: Shown) -> Self {
        let mut runs = app.runs();
        let changes = app.changes.subscribe();
        runs.refresh();
        runs.follow(&shown);
        drop(runs);
        app.arrived.notify_one();
        Self { app, changes, shown }
    }

    async fn next(&mut self) -> Option<String> {
        loop {
            let message = {
                let runs = self.app.runs();
                runs.news(&mut self.shown).and_then(|news| serde_json::to_string(&news).ok())
            };
            if message.is_some() {
                return message;
            }
            self.changes.changed().await.ok()?;
        }
    }
}
