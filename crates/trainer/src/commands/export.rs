use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::export::{ExportError, PortableModel, onnx, pytorch};
use support::durable_fs;

use crate::cli::{ExportFormat, ExportModelArgs};
use crate::context::Context;
use crate::error::Failure;
use crate::{print, text};

/// Writes the model of a run for other programs.
pub fn export_model(args: &ExportModelArgs, context: &Context) -> Result<ExitCode, Failure> {
    let model = context.predictor(args.runs.path(), &args.run, args.device.as_deref())?;
    let model = model.portable()?;
    let default = match args.to {
        ExportFormat::Onnx => format!("{}.onnx", model.name),
        ExportFormat::Safetensors => format!("{}-pytorch", model.name),
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(default));
    if out.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!(
            "{} already exists\n  --out sets the output path",
            out.display()
        )));
    }
    write(&out, args.to, &model)?;
    print::result(&text::path(&out))?;
    Ok(ExitCode::SUCCESS)
}

fn write(out: &Path, format: ExportFormat, model: &PortableModel) -> Result<(), Failure> {
    match format {
        ExportFormat::Onnx => write_file(out, &onnx::to_bytes(model)?),
        ExportFormat::Safetensors => {
            let (tensors, source) = (pytorch::tensors(model)?, pytorch::source(model)?);
            write_file(&out.join("model.safetensors"), &tensors)?;
            write_file(&out.join("model.py"), source.as_bytes())
        }
    }
}

/// Writes a file and the directories that it lacks.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let created = directory.map_or(Ok(()), durable_fs::create_dir_all);
    created
        .and_then(|()| durable_fs::write(path, bytes))
        .map_err(|error| Failure::unstyled(&format!("cannot write {}: {error}", path.display())))
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Self::run(&error)
    }
}
