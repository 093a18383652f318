use std::ops::Range;

use toml::de::DeTable;

use super::spans;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::error::ConfigError;
use crate::hint;
use crate::layer::Layer;

/// Parses the table of a layer.
pub fn parse(layer: &Layer) -> Result<DeTable<'_>, ConfigError> {
    let table = DeTable::parse(layer.toml()).map_err(|error| {
        let span = spans::shifted(&error.span().unwrap_or(0..0), layer.start());
        error_at(layer, span, None, hint::explain(error.message()))
    })?;
    Ok(spans::shift(table.into_inner(), layer.start()))
}

/// Returns the error `message` about the text at `span`.
pub fn error_at(
    layer: &Layer,
    span: Range<usize>,
    key: Option<String>,
    message: String,
) -> ConfigError {
    let location = layer.location(span.start);
    let item = Diagnostic { location, key, message, span, related: Vec::new() };
    Diagnostics::new(std::slice::from_ref(layer), vec![item]).into()
}
