use std::fs::{self, File};
use std::io::{self, Read, Take};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{self, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use report::{FolderEntry, PAGE_POLICY, folder_page};
use tokio::task::spawn_blocking;

use crate::app::{App, html};

pub const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "There is no such file.\n");

/// Bytes that are read at once.
const PIECE: u64 = 1 << 16;

/// A file of a run, or the list of a folder.
pub async fn file(
    State(app): State<Arc<App>>,
    extract::Path(path): extract::Path<String>,
) -> Response {
    let Some(found) = found(&app.directory, &path) else { return NOT_FOUND.into_response() };
    let answer = if found.is_dir() { folder(&found, &path) } else { content(&found) };
    answer.unwrap_or_else(|_| NOT_FOUND.into_response())
}

/// The file or folder at `path` below `directory`. Nothing is found outside, even by a link, and
/// nothing that is hidden.
fn found(directory: &Path, path: &str) -> Option<PathBuf> {
    let is_plain = |path: &Path| {
        path.components().all(|part| matches!(part, Component::Normal(name) if !name.as_encoded_bytes().starts_with(b".")))
    };
    let root = directory.canonicalize().ok()?;
    let found = root.join(path).canonicalize().ok()?;
    let is_inside = is_plain(Path::new(path)) && found.strip_prefix(&root).is_ok_and(is_plain);
    // A pipe would block.
    (is_inside && (found.is_file() || found.is_dir())).then_some(found)
}

fn folder(found: &Path, path: &str) -> io::Result<Response> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(found)?.flatten() {
        let (kind, name) = (entry.file_type()?, entry.file_name());
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        if kind.is_file() || kind.is_dir() {
            let bytes = kind.is_file().then(|| entry.metadata().map_or(0, |found| found.len()));
            entries.push(FolderEntry { name: name.to_owned(), bytes });
        }
    }
    entries.sort();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    Ok(html(folder_page(&parts, &entries)))
}

fn content(path: &Path) -> io::Result<Response> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_LENGTH, length.into());
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let content_type = content_type(extension).unwrap_or("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if extension == "html" {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    }
    if content_type == "application/octet-stream" {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    // A log may grow meanwhile.
    Ok((headers, Body::from_stream(pieces(file.take(length)))).into_response())
}

/// The type of a file that a browser shows; it saves the others.
fn content_type(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "csv" => "text/csv; charset=utf-8",
        "toml" | "log" | "jsonl" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

fn pieces(file: Take<File>) -> impl Stream<Item = io::Result<Vec<u8>>> {
    stream::try_unfold(file, async |mut file| {
        let read = spawn_blocking(move || {
            let mut piece = Vec::new();
            file.by_ref().take(PIECE).read_to_end(&mut piece).map(|_| (piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        Ok((!piece.is_empty()).then_some((piece, file)))
    })
}
