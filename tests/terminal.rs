//! Commands on a pseudo-terminal.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::test_dir::TestDir;

/// Last line of the shell of a [`Terminal`], before the exit code of its command.
const ENDED: &str = "ended with code ";

/// A shell command that runs on a pseudo-terminal of 40 rows and 120 columns.
pub struct Terminal {
    script: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Starts `command` in `dir` with these environment variables.
    pub fn start(dir: &TestDir, command: &str, variables: &[(&str, &str)]) -> Self {
        // `script` ends with its child, whether or not it has read everything that was written:
        // the shell waits for a line, which `end` sends when it has seen the last output.
        // Ctrl-C is for the command: unlike bash, other shells would end with it.
        let run = format!("trap : INT; stty rows 40 cols 120; {command}");
        let shell = format!("{run}; echo '{ENDED}'$?; read line");
        let mut script = Command::new("script");
        script.args(["--quiet", "--command", &shell, "/dev/null"]).current_dir(dir.path(""));
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
            script.env_remove(name);
        }
        script.env("SHELL", "/bin/sh").env("TERM", "xterm").envs(variables.iter().copied());
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut output, all) = (script.stdout.take().unwrap(), Arc::clone(&shown));
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                all.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Self { script, shown, reader }
    }

    pub fn press(&mut self, keys: &str) {
        self.script.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// What was shown until now.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until `text` was shown `count` times.
    #[track_caller]
    pub fn wait_for(&self, text: &str, count: usize) {
        wait_until(|| self.shown().matches(text).count() >= count);
    }

    /// Exit code of the command when it has ended, and everything that was shown.
    #[track_caller]
    pub fn end(mut self) -> (i32, String) {
        // The line ends only after the code.
        let code = |shown: &str| {
            let (line, _) = shown.rsplit_once(ENDED)?.1.split_once('\r')?;
            line.parse().ok()
        };
        wait_until(|| code(&self.shown()).is_some());
        self.press("\n");
        self.script.wait().unwrap();
        let shown = String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned();
        self.reader.join().unwrap();
        (code(&shown).unwrap(), shown)
    }

    /// Closes the terminal while its command runs.
    pub fn close(mut self) {
        self.script.kill().unwrap();
        self.script.wait().unwrap();
    }
}

#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not happen within a minute");
        thread::sleep(Duration::from_millis(20));
    }
}
