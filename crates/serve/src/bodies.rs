use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api_error::ApiError;

/// Maximum number of bytes of a body.
const MAX_BODY: usize = 8 << 20;
/// Number of bytes of a body above which the rest is not received. Until then it is, because a client
/// that is cut off while it sends does not see the response.
const MAX_RECEIVED: usize = 4 * MAX_BODY;
/// Maximum number of bytes of all bodies that are in memory.
const MAX_ALL: usize = 64 << 20;
/// Time to send a body.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The memory for bodies of requests.
pub struct Bodies(Arc<Semaphore>);

/// A body, which counts as in memory until it is dropped.
pub struct ReceivedBody {
    pub bytes: Vec<u8>,
    _memory: OwnedSemaphorePermit,
}

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_ALL)))
    }
}

impl Bodies {
    /// Receives a body.
    pub async fn receive(&self, body: Body) -> Result<ReceivedBody, ApiError> {
        let slow = |_| ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body took too long");
        tokio::time::timeout(TIMEOUT, self.receive_all(body)).await.map_err(slow)?
    }

    async fn receive_all(&self, mut body: Body) -> Result<ReceivedBody, ApiError> {
        let (mut bytes, mut size) = (Vec::new(), 0);
        let mut memory = self.reserve(0)?;
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|error| ApiError::bad_request(error.to_string()))?;
            let chunk = frame.into_data().unwrap_or_default();
            size += chunk.len();
            if size > MAX_RECEIVED {
                break;
            }
            if size <= MAX_BODY {
                memory.merge(self.reserve(chunk.len())?);
                bytes.extend_from_slice(&chunk);
            }
        }
        if size > MAX_BODY {
            let message = format!("the body has more than {} MiB", MAX_BODY >> 20);
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        Ok(ReceivedBody { bytes, _memory: memory })
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let memory = Arc::clone(&self.0).try_acquire_many_owned(bytes as u32);
        memory.map_err(|_| ApiError::busy("too many requests"))
    }
}
