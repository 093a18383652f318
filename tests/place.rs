//! A directory with a small data set and a config, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use data::Examples;
use data::SplitKind;
use tempfile::TempDir;

/// A directory of one test, removed with the value.
pub struct Place(TempDir);

/// What a finished program left.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The config that every place starts with, as `tiny.toml`.
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
"#;

impl Place {
    /// A place with `tiny.toml` and the data that it names: 60 and 12 images of 6x6x3 in 3
    /// classes that a small model can tell apart.
    pub fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.write("tiny.toml", TINY);
        fs::create_dir(place.path("data")).unwrap();
        let classes = ["red", "green", "blue"].map(String::from);
        for (file, part, count) in [("train", SplitKind::Train, 60), ("test", SplitKind::Test, 12)]
        {
            let path = place.path(format!("data/{file}.h5"));
            data_hdf5::write(&path, part, &coloured(count), &classes).unwrap();
        }
        place
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

    /// The program with `args`, to be started in this place.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command.env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
        for data in ["SIGNS_DIR", "CAT_DIR", "FOOTBALL_DIR"] {
            command.env_remove(data);
        }
        // Without it a library of the graphics drivers writes a line to stderr.
        command.env("XDG_RUNTIME_DIR", self.0.path());
        command
    }

    /// Runs the program to its end.
    pub fn trainer(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Runs the program, which must succeed.
    pub fn succeed(&self, args: &[&str]) -> Ran {
        let ran = self.trainer(args);
        assert_eq!(ran.code, Some(0), "trainer {args:?}: {ran:#?}");
        ran
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The devices of the program, the best one first.
    pub fn devices(&self) -> Vec<String> {
        let listed = self.succeed(&["devices"]).stdout;
        let names = listed.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned());
        names.collect()
    }

    /// The names in a directory of this place, sorted; none if there is no such directory.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).into_iter().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    /// The program must have refused its input with `code` and each of `words` in its message,
    /// of which the last is the remedy, and without a panic.
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

/// `count` images of 6x6x3, each mostly of the colour of its class, with a fixed noise.
pub fn coloured(count: usize) -> Examples {
    let labels: Vec<u32> = (0..count as u32).map(|item| item % 3).collect();
    let pixel = |label: u32, value: usize| {
        let noise = ((value * 2_654_435_761) >> 7) % 120;
        noise as u8 + if value % 3 == label as usize { 90 } else { 0 }
    };
    let pixels = labels.iter().enumerate();
    let pixels =
        pixels.flat_map(|(item, &label)| (0..108).map(move |at| pixel(label, item * 108 + at)));
    Examples::images([6, 6, 3], pixels.collect(), labels)
}
