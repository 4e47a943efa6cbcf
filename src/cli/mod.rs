//! The command line: arguments to options, results to streams and exit codes.
//!
//! Only this room knows clap, the standard streams, the environment and the disk. A command returns what happened; the
//! exit code is decided here: 0 done, 1 the input is at fault, 2 kiln could not run. Results go to stdout, diagnostics to
//! stderr. A reader that closes stdout early is no fault.
//!
//! Under the name `kustomize` kiln is kustomize: its commands and flags, no project file, and 1 for every failure.

#![expect(
    clippy::disallowed_methods,
    reason = "the command line is where paths, files and streams come from"
)]

mod affected;
mod argocd;
mod args;
mod blame;
mod build;
mod deps;
mod diff;
mod edit;
mod eject;
mod environments;
mod explain;
mod file;
mod graph;
mod import;
mod inputs;
mod remotes;
mod render;
mod schema;
mod shell;
mod side;
mod staged;
mod terminal;
mod validate;
mod values;
mod version;
mod write_tree;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use clap::Parser;

use args::{
    Arguments, ColorChoice, Command, ErrorFormat, GlobalArgs, KustomizeArguments, KustomizeCommand,
};
use build::{ProjectChoice, Surroundings};
use terminal::Terminal;

use crate::values::ValueArgs;

/// The stack that a command needs, in bytes: trees are walked recursively, and this suffices for the deepest that is read.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 512 << 20 } else { 6 << 20 };

/// The variable that asks for the label `app.kubernetes.io/managed-by` under the name `kustomize`.
const MANAGED_BY_LABEL_VARIABLE: &str = "KUSTOMIZE_ENABLE_MANAGEDBY_LABEL";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It did what was asked.
    Done,
    /// The input is at fault, or the answer is no.
    No,
    /// It could not be done, and the reason was said.
    Unable,
}

/// The name that kiln was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Kiln,
    Kustomize,
}

impl Name {
    /// Returns the name in the first argument of a process, which may be a path.
    fn of(program: Option<&OsStr>) -> Self {
        let stem = program.and_then(|program| Path::new(program).file_stem());
        if stem.is_some_and(|stem| stem == "kustomize") { Self::Kustomize } else { Self::Kiln }
    }

    /// The exit code when kiln could not run.
    fn failure(self) -> ExitCode {
        match self {
            Self::Kiln => ExitCode::from(2),
            Self::Kustomize => ExitCode::from(1),
        }
    }
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
    #[error("{0}")]
    Usage(String),
}

impl CommandError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }

    fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }

    fn code(&self) -> crate::Code {
        match self {
            Self::Io { .. } => crate::Code::Output,
            Self::Usage(_) => crate::Code::Usage,
        }
    }
}

/// Runs kiln with the arguments of the process.
pub fn main() -> ExitCode {
    let name = Name::of(std::env::args_os().next().as_deref());
    let command: Result<Box<dyn FnOnce() -> Result<Ending, CommandError> + Send>, clap::Error> =
        match name {
            Name::Kiln => {
                Arguments::try_parse().map(|arguments| Box::new(move || run(&arguments)) as Box<_>)
            }
            Name::Kustomize => KustomizeArguments::try_parse()
                .map(|arguments| Box::new(move || run_as_kustomize(&arguments)) as Box<_>),
        };
    let result = match command {
        Ok(command) => with_deep_stack(command),
        Err(error) => {
            // Help and the version are results; they go to stdout and end with 0.
            let code = if error.use_stderr() { name.failure() } else { ExitCode::SUCCESS };
            return if error.print().is_ok() { code } else { ExitCode::SUCCESS };
        }
    };
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::No) => ExitCode::from(1),
        Ok(Ending::Unable) => ExitCode::from(2),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error[{}] {error}", error.code());
            name.failure()
        }
    }
}

/// The size of the stack that the process was given, in bytes; 0 if it is not known.
fn own_stack_bytes() -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let limit = getrlimit(Resource::Stack).current;
        limit.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }
    #[cfg(not(unix))]
    0
}

/// Runs a command on a stack that suffices for the deepest trees: its own where it can, because a second thread would use
/// memory of its own too.
fn with_deep_stack(
    command: Box<dyn FnOnce() -> Result<Ending, CommandError> + Send>,
) -> Result<Ending, CommandError> {
    if own_stack_bytes() >= STACK_BYTES {
        return command();
    }
    let thread =
        thread::Builder::new().name("kiln".to_owned()).stack_size(STACK_BYTES).spawn(command);
    let thread = thread.map_err(CommandError::io("no thread can be started"))?;
    // The panic has printed its own message; it goes on here.
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn run(arguments: &Arguments) -> Result<Ending, CommandError> {
    let global = &arguments.global;
    let terminal = Terminal {
        directory: working_directory(global.directory.as_deref())?,
        format: global.error_format,
        color: global.color,
        quiet: global.quiet,
        show_secrets: global.show_secrets,
    };
    let around = Surroundings {
        terminal: &terminal,
        project: project_choice(global, &terminal.directory),
        strict: global.strict,
        jobs: global.jobs.map_or_else(processors, NonZeroUsize::get),
        managed_by_label: false,
    };
    match &arguments.command {
        Command::Build(build) => {
            let values = build::value_args(&build.values, &terminal.directory)?;
            let extra = build::Extra { list_remotes: build.list_remotes, validate: build.validate };
            build::run(&build.build, &values, extra, &around)
        }
        Command::Render(args) => render::run(args, &around),
        Command::Validate(args) => validate::run(args, &around),
        Command::Diff(args) => diff::run(args, &around),
        Command::Affected(args) => affected::run(args, &around),
        Command::Blame(args) => blame::run(args, &around),
        Command::Values(args) => values::run(args, &around),
        Command::Deps(args) => deps::run(args, &around),
        Command::Graph(args) => graph::run(args, &around),
        Command::Envs(args) => environments::envs(args, &around),
        Command::Survey(args) => environments::survey(args, &around),
        Command::Eject(args) => eject::run(args, &around),
        Command::Argocd(args) => argocd::run(args, &around),
        Command::Edit(args) => {
            edit::run(args, &edit::Place { terminal: &terminal, name: Name::Kiln })
        }
        Command::Create(args) => match &global.project {
            Some(file) => environments::create(file, &around),
            None => edit::create(args, &edit::Place { terminal: &terminal, name: Name::Kiln }),
        },
        Command::Schema(args) => schema::run(&args.command, &around),
        Command::Explain(explain) => explain::run(explain.code.as_deref()),
        Command::Version => version::run(),
        Command::Completions(args) => shell::completions(args.shell, Name::Kiln),
        Command::Man(args) => shell::man(&args.command),
    }
}

fn run_as_kustomize(arguments: &KustomizeArguments) -> Result<Ending, CommandError> {
    // What starts kustomize shows the first lines of its errors, often without a terminal.
    let terminal = Terminal {
        directory: working_directory(None)?,
        format: ErrorFormat::Short,
        color: ColorChoice::Never,
        quiet: false,
        show_secrets: false,
    };
    let place = edit::Place { terminal: &terminal, name: Name::Kustomize };
    match &arguments.command {
        KustomizeCommand::Build(build) => {
            let around = Surroundings {
                terminal: &terminal,
                project: ProjectChoice::Without,
                strict: false,
                jobs: processors(),
                managed_by_label: managed_by_label_from_environment(),
            };
            build::run(build, &ValueArgs::default(), build::Extra::default(), &around)
        }
        KustomizeCommand::Edit(args) => edit::run(args, &place),
        KustomizeCommand::Create(args) => edit::create(args, &place),
        KustomizeCommand::Version(args) => version::run_as_kustomize(args),
        KustomizeCommand::Completion(args) => shell::completions(args.shell, Name::Kustomize),
    }
}

/// Prints the help of the command that was typed.
fn print_help(name: Name) -> Result<Ending, CommandError> {
    let arguments = std::env::args_os().chain([OsString::from("--help")]);
    let help = match name {
        Name::Kiln => Arguments::try_parse_from(arguments).map(drop),
        Name::Kustomize => KustomizeArguments::try_parse_from(arguments).map(drop),
    };
    match help {
        Ok(()) => Ok(Ending::Done),
        Err(help) => {
            help.print().map_err(CommandError::io("stdout cannot be written"))?;
            Ok(Ending::Done)
        }
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Go's `strconv.ParseBool`, which counts anything else as false.
fn managed_by_label_from_environment() -> bool {
    let value = std::env::var(MANAGED_BY_LABEL_VARIABLE).unwrap_or_default();
    matches!(value.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True")
}

fn project_choice(global: &GlobalArgs, directory: &Path) -> ProjectChoice {
    match &global.project {
        _ if global.no_project => ProjectChoice::Without,
        Some(file) => ProjectChoice::File(directory.join(file)),
        None => ProjectChoice::Nearest,
    }
}

/// The directory that relative paths start from.
fn working_directory(chosen: Option<&Path>) -> Result<PathBuf, CommandError> {
    let current = std::env::current_dir()
        .map_err(CommandError::io("the working directory cannot be read"))?;
    Ok(match chosen {
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
