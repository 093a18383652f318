//! `trainer export`: the model of a run for other programs.

use std::path::{Path, PathBuf};
use std::{env, fs};

use ::export::{PortableModel, onnx, pytorch, web};
use clap::{Args, ValueEnum};
use support::durable_fs;

use crate::cli::RunsOption;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, text};

#[derive(Debug, Args)]
pub struct ExportModelArgs {
    /// Name or directory of the run, or its file best_model.bpk
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    runs: RunsOption,
    /// Format of the model
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: ExportFormat,
    /// Output file or, for safetensors and web, directory [default: NAME.onnx, NAME-pytorch, NAME-web]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Folder of ONNX Runtime for browsers, for web [default: where scripts/onnxruntime_web puts it]
    #[arg(long, value_name = "DIR")]
    runtime: Option<PathBuf>,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

/// Format of an exported model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// A file for ONNX Runtime and others, with normalisation and probabilities
    Onnx,
    /// A directory with the weights and a PyTorch module that loads them
    Safetensors,
    /// A directory with a page that classifies images in the browser, for any web server
    Web,
}

pub fn run(args: &ExportModelArgs, context: &Context) -> Result<(), Failure> {
    if args.runtime.is_some() && args.to != ExportFormat::Web {
        return Err(Failure::usage("--runtime is for --to web"));
    }
    let model = context.predictor(args.runs.path(), &args.run, args.device.as_deref())?;
    let model = model.portable()?;
    let default = match args.to {
        ExportFormat::Onnx => format!("{}.onnx", model.name),
        ExportFormat::Safetensors => format!("{}-pytorch", model.name),
        ExportFormat::Web => format!("{}-web", model.name),
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(default));
    if out.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!(
            "{} already exists\n  --out sets the output path",
            out.display()
        )));
    }
    write(&out, args, &model)?;
    print::result(&text::path(&out))
}

fn write(out: &Path, args: &ExportModelArgs, model: &PortableModel) -> Result<(), Failure> {
    match args.to {
        ExportFormat::Onnx => write_file(out, &onnx::to_bytes(model)?),
        ExportFormat::Safetensors => {
            let (tensors, source) = (pytorch::tensors(model)?, pytorch::source(model)?);
            write_file(&out.join("model.safetensors"), &tensors)?;
            write_file(&out.join("model.py"), source.as_bytes())
        }
        ExportFormat::Web => {
            let runtime = runtime(args.runtime.as_deref())?;
            for file in web::files(model)? {
                write_file(&out.join(file.path), &file.bytes)?;
            }
            for (name, path) in web::RUNTIME {
                let bytes = fs::read(runtime.join(name))?;
                write_file(&out.join(path), &bytes)?;
            }
            Ok(())
        }
    }
}

/// The folder of ONNX Runtime for browsers: `given`, that of the release package, or that of
/// `scripts/onnxruntime_web`.
fn runtime(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let program = env::current_exe().unwrap_or_default();
    let folders = match given {
        Some(given) => vec![given.to_owned()],
        None => vec![
            program.with_file_name("share").join("onnxruntime-web"),
            dirs::cache_dir().unwrap_or_default().join("trainer-onnxruntime-web"),
        ],
    };
    let names = web::RUNTIME.map(|(name, _)| name);
    let is_whole = |folder: &&PathBuf| names.iter().all(|name| folder.join(name).is_file());
    folders.iter().find(is_whole).cloned().ok_or_else(|| {
        let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        Failure::usage(format!(
            "ONNX Runtime for browsers is not in {}\n  run scripts/onnxruntime_web, or set --runtime to the folder `dist` of the npm package onnxruntime-web {}",
            folders.join(" or "),
            web::RUNTIME_VERSION
        ))
    })
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let created = directory.map_or(Ok(()), durable_fs::create_dir_all);
    created
        .and_then(|()| durable_fs::write(path, bytes))
        .map_err(|error| Failure::run(format!("cannot write {}: {error}", path.display())))
}
