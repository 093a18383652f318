use std::sync::Arc;

/// File that an example was read from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Path relative to the data set, with `/` between its parts.
    pub file: Arc<str>,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Name of the group that must stay in one part, for example a person or a session.
    pub group: Option<Arc<str>>,
}
