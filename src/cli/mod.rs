//! The command line: arguments to options, results to streams and exit codes.
//!
//! Only this room knows clap, the standard streams, the environment and the disk. A command returns what happened; the
//! exit code is decided here: 0 done, 1 the input is at fault, 2 kiln could not run. Results go to stdout, diagnostics to
//! stderr. A reader that closes stdout early is no fault.

#![expect(
    clippy::disallowed_methods,
    reason = "the command line is where paths, files and streams come from"
)]

mod args;
mod build;
mod file;
mod version;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It did what was asked.
    Done,
    /// The input is at fault, or the answer is no.
    No,
}

/// Why a command could not run.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("{what}: {error}")]
    Io {
        what: String,
        #[source]
        error: io::Error,
    },
}

impl CommandError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }

    fn is_broken_pipe(&self) -> bool {
        let Self::Io { error, .. } = self;
        error.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Runs kiln with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version are results; they go to stdout and end with 0.
            let code = if error.use_stderr() { 2 } else { 0 };
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::SUCCESS };
        }
    };
    match run(&arguments) {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::No) => ExitCode::from(1),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error[cli::output] {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Ending, CommandError> {
    let directory = working_directory(arguments)?;
    match &arguments.command {
        Command::Build(build) => build::run(build, &directory),
        Command::Version => version::run(),
    }
}

/// The directory that relative paths start from.
fn working_directory(arguments: &Arguments) -> Result<PathBuf, CommandError> {
    let current = std::env::current_dir()
        .map_err(CommandError::io("the working directory cannot be read"))?;
    Ok(match &arguments.directory {
        Some(directory) => current.join(directory),
        None => current,
    })
}

/// Writes a result to stdout.
fn write_stdout(bytes: &[u8]) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(CommandError::io("stdout cannot be written"))
}

/// Writes diagnostics to stderr.
fn write_stderr(text: &str) {
    // There is no place left to report that stderr cannot be written.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
