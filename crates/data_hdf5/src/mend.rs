//! Commands that mend a file, for error messages. Each was tried.

use crate::context::ErrorContext;

/// Returns the command that replaces the object `x` by the Python expression `expression`.
pub fn command(context: &ErrorContext, expression: &str) -> String {
    let (file, object) = (file(context), &context.object);
    format!(
        "replace it: `python3 -c \"import h5py, numpy as np; f = h5py.File('{file}', 'r+'); \
         x = f['{object}'][()]; del f['{object}']; f['{object}'] = {expression}\"`"
    )
}

/// Returns the command that copies every dataset of a file to a new one, contiguous and without filters.
/// `h5repack` would leave out those with a filter that it does not know, with exit code 0.
pub fn copy(context: &ErrorContext) -> String {
    format!(
        "copy the data to a new file: `pip install h5py hdf5plugin`, then `python3 -c \"import h5py, \
         hdf5plugin; a = h5py.File('{}'); b = h5py.File('new.h5', 'w'); a.visititems(lambda name, x: \
         b.update({{name: x[()]}}) if isinstance(x, h5py.Dataset) else None)\"`",
        file(context)
    )
}

/// The path of the file if it can be part of such a command.
fn file(context: &ErrorContext) -> String {
    let path = context.file.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._- +,".contains(c);
    if path.chars().all(is_plain) { path } else { "old.h5".to_owned() }
}
