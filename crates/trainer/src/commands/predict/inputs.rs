use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use data_sources::images::{DecodedImage, ImageList};

use crate::error::Failure;

/// An image to classify.
pub enum Input {
    File(PathBuf),
    /// An image on the standard input.
    Bytes(Vec<u8>),
}

/// Maximum number of bytes of the standard input.
const MAX_STDIN: u64 = 1 << 30;

impl Input {
    /// Name in the output.
    pub fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// Path of the file; `-` for the standard input.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Bytes(_) => Path::new("-"),
        }
    }
}

/// The images that the arguments name: files, folders with all folders in them, glob patterns, and
/// `-` for the standard input, which is an image or a list of paths.
pub fn inputs(arguments: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for argument in arguments {
        if argument == Path::new("-") {
            inputs.extend(standard_input()?);
        } else {
            inputs.extend(files(argument)?.into_iter().map(Input::File));
        }
    }
    Ok(inputs)
}

fn files(argument: &Path) -> Result<Vec<PathBuf>, Failure> {
    if argument.is_dir() {
        let files = ImageList::files_below(argument)?;
        if files.is_empty() {
            return Err(Failure::usage(format!(
                "{} contains no images\n  name images, or a folder of images",
                argument.display()
            )));
        }
        return Ok(files);
    }
    let text = argument.to_string_lossy();
    if argument.exists() || !text.contains(['*', '?', '[']) {
        return Ok(vec![argument.to_owned()]);
    }
    let unusable = |reason: String| Failure::usage(format!("the pattern {text} {reason}"));
    let paths = glob::glob(&text).map_err(|error| unusable(format!("is invalid: {error}")))?;
    let paths: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    if paths.is_empty() {
        return Err(unusable("matches no file\n  check the path".to_owned()));
    }
    Ok(paths)
}

fn standard_input() -> Result<Vec<Input>, Failure> {
    let mut bytes = Vec::new();
    let read = stdin().lock().take(MAX_STDIN).read_to_end(&mut bytes);
    read.map_err(|error| Failure::run(format!("cannot read the standard input: {error}")))?;
    let names = str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
    match names {
        Some(names) if DecodedImage::decode(&bytes).is_err() => {
            let names = names.lines().map(str::trim_end).filter(|name| !name.is_empty());
            Ok(names.map(|name| Input::File(name.into())).collect())
        }
        _ => Ok(vec![Input::Bytes(bytes)]),
    }
}
