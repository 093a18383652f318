//! A temporary directory with a small data set and a config, in which the program is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use data::Examples;
use data::SplitKind;
use tempfile::TempDir;

/// A temporary directory, removed on drop.
pub struct TestDir(TempDir);

/// Exit code and output of a finished program.
#[derive(Debug)]
pub struct ProgramOutput {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Contents of `tiny.toml` in a new test directory.
pub const TINY: &str = r#"name = "tiny"

[dataset.hdf5]
directory = "data"
train = "train.h5"
test = "test.h5"

[split]
validation_fraction = 0.2

[model.mlp]
hidden = [8]

[optimizer.adam]
learning_rate = 1e-2

[training]
epochs = 3
batch_size = 16
checkpoint.every_epochs = 1
"#;

impl TestDir {
    /// Creates a directory with `tiny.toml` and its data: 60 training and 12 test images of 6x6x3
    /// in 3 classes that a small model can distinguish.
    pub fn new() -> Self {
        let dir = Self(TempDir::new().unwrap());
        dir.write("tiny.toml", TINY);
        fs::create_dir(dir.path("data")).unwrap();
        let classes = ["red", "green", "blue"].map(String::from);
        for (file, part, items) in
            [("train", SplitKind::Train, 0..60), ("test", SplitKind::Test, 60..72)]
        {
            let path = dir.path(format!("data/{file}.h5"));
            let images = coloured(72).select(&items.collect::<Vec<_>>());
            data_hdf5::write(&path, part, &images, &classes).unwrap();
        }
        dir
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(name), contents).unwrap();
    }

    pub fn read(&self, name: impl AsRef<Path>) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A command that runs the program with `args` in this directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command.env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
        for data in ["SIGNS_DIR", "CAT_DIR", "FOOTBALL_DIR"] {
            command.env_remove(data);
        }
        // Without it a library of the graphics drivers writes a line to stderr.
        command.env("XDG_RUNTIME_DIR", self.0.path());
        command.env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    /// Runs a line of the shell in this directory.
    pub fn shell(&self, line: &str) -> ProgramOutput {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.0.path()).stdin(Stdio::null());
        command.output().unwrap().into()
    }

    /// Runs the program to its end.
    pub fn trainer(&self, args: &[&str]) -> ProgramOutput {
        self.command(args).output().unwrap().into()
    }

    /// Runs the program, which must succeed.
    pub fn succeed(&self, args: &[&str]) -> ProgramOutput {
        let output = self.trainer(args);
        assert_eq!(output.code, Some(0), "trainer {args:?}: {output:#?}");
        output
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Names of the devices of the program, best first.
    pub fn devices(&self) -> Vec<String> {
        let listed = self.succeed(&["devices"]).stdout;
        let names = listed.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned());
        names.collect()
    }

    /// Sorted file names in a subdirectory; empty if it does not exist.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl From<Output> for ProgramOutput {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl ProgramOutput {
    /// Asserts that the program failed with exit code `code` and a message that contains each of
    /// `words`, without a panic.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert!(!self.stderr.contains("RUST_BACKTRACE"), "{}", self.stderr);
    }
}

/// Generates `count` images of 6x6x3 in the colour of their class, with deterministic noise.
pub fn coloured(count: usize) -> Examples {
    let labels: Vec<u32> = (0..count as u32).map(|item| item % 3).collect();
    let pixel = |label: u32, value: usize| {
        // Mixed bits (MurmurHash3), so that no two images are alike.
        let mut bits = (value as u64 + 1).wrapping_mul(0xff51_afd7_ed55_8ccd);
        bits = (bits ^ bits >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        let noise = (bits ^ bits >> 33) % 120;
        noise as u8 + if value % 3 == label as usize { 90 } else { 0 }
    };
    let pixels = labels.iter().enumerate();
    let pixels =
        pixels.flat_map(|(item, &label)| (0..108).map(move |at| pixel(label, item * 108 + at)));
    Examples::images([6, 6, 3], pixels.collect(), labels)
}
