//! `kiln build`.

use std::path::{Path, PathBuf};

use super::args::{BuildArgs, LoadRestrictor, ReorderOutput, ValueArgs};
use super::validate::checker::{Checker, Unit};
use super::{CommandError, Ending, Terminal, file, remotes, write_stdout};
use crate::values::{Setting, ValueArgs as Values};
use crate::{
    BuildOptions, DiskReader, Layout, Lints, LoadRestriction, Output, Project, ProjectLocation,
    Reorder, Session, Severity, workspace,
};

/// Which project file counts.
pub(super) enum ProjectChoice {
    /// None.
    Without,
    /// The nearest above the target.
    Nearest,
    /// This one, absolute.
    File(PathBuf),
}

/// What decides about a build besides its own flags.
pub(super) struct Surroundings<'a> {
    /// The terminal, with the directory that relative paths start from.
    pub(super) terminal: &'a Terminal,
    pub(super) project: ProjectChoice,
    pub(super) strict: bool,
    /// How many threads work.
    pub(super) jobs: usize,
    /// Whether the environment asks for the label that `--enable-managedby-label` asks for.
    pub(super) managed_by_label: bool,
}

/// Values of the command line, with absolute paths.
pub(super) fn value_args(args: &ValueArgs, directory: &Path) -> Result<Values, CommandError> {
    let mut settings = Vec::new();
    settings.extend(args.set.iter().cloned().map(Setting::Typed));
    settings.extend(args.set_string.iter().cloned().map(Setting::Text));
    settings.extend(args.set_json.iter().cloned().map(Setting::Json));
    for text in &args.set_file {
        let Some((_, path)) = text.split_once('=') else {
            return Err(CommandError::Usage(format!(
                "`--set-file {text}` is written as PATH=FILE"
            )));
        };
        settings.push(Setting::File(text.clone(), directory.join(path)));
    }
    Ok(Values { files: args.values.iter().map(|file| directory.join(file)).collect(), settings })
}

/// Reads the project file; none if it has faults, which are reported.
pub(super) fn load_project(
    session: &Session<'_>,
    around: &Surroundings<'_>,
    above: &Path,
) -> Option<Project> {
    let terminal = around.terminal;
    let location = match &around.project {
        ProjectChoice::Without => return Some(Project::default()),
        ProjectChoice::Nearest => ProjectLocation::Above(above),
        ProjectChoice::File(file) => ProjectLocation::File(file),
    };
    let project = crate::load_project(session, location, &terminal.directory, around.strict);
    terminal.report(&project.diagnostics, session.sources());
    project.value
}

/// What kiln's own flags ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extra {
    /// List the remote entries instead.
    pub(super) list_remotes: bool,
    /// Check the objects.
    pub(super) validate: bool,
}

pub(super) fn run(
    args: &BuildArgs,
    value_args: &Values,
    extra: Extra,
    around: &Surroundings<'_>,
) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let output = args.output.as_ref().map(|output| directory.join(output));
    let into_directory = output.as_ref().is_some_and(|output| output.is_dir());
    let reader = DiskReader;
    let session = Session::for_one_build(&reader);
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let above = directory.join(&args.target);
    let above = if above.exists() { above } else { directory.to_path_buf() };
    let Some(project) = load_project(&session, around, &above) else { return Ok(Ending::No) };
    let target = args.target.to_string_lossy();
    let target = workspace::resolve_target(&session, &project, &target, directory, &lints);
    terminal.report(&target.diagnostics, session.sources());
    let Some(target) = target.value else { return Ok(Ending::No) };
    if extra.list_remotes {
        return remotes::list(&project, &target.directory, directory);
    }
    let options = BuildOptions {
        shown_from: directory.to_path_buf(),
        load_restriction: match args.load_restrictor {
            LoadRestrictor::RootOnly => LoadRestriction::RootOnly,
            LoadRestrictor::None => LoadRestriction::None,
        },
        reorder: match args.reorder {
            None => Reorder::Unspecified,
            Some(ReorderOutput::Legacy) => Reorder::Legacy,
            Some(ReorderOutput::None) => Reorder::None,
        },
        layout: if into_directory { Layout::FilePerObject } else { Layout::Stream },
        managed_by_label: args.enable_managedby_label || around.managed_by_label,
        jobs: around.jobs,
        lints,
        ..BuildOptions::default()
    };
    let prepared = workspace::prepare(&session, &project, &target, value_args, options);
    let mut diagnostics = prepared.diagnostics;
    let Some(prepared) = prepared.value else {
        terminal.report(&diagnostics, session.sources());
        return Ok(Ending::No);
    };
    let outcome = crate::build(&session, &prepared.options);
    diagnostics.extend(outcome.diagnostics);
    if let Some(build) = outcome.value.as_ref().filter(|_| extra.validate) {
        let checker = Checker::new(&session, &project, value_args, around);
        let unit = Unit::of_build(&checker.name_of(&target), build, prepared.settings.clone());
        diagnostics.extend(checker.check(unit, around.jobs).into_diagnostics());
    }
    diagnostics.sort_by_key(|d| d.severity);
    terminal.report(&diagnostics, session.sources());
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let Some(build) = outcome.value.filter(|_| !failed) else { return Ok(Ending::No) };
    match (&build.output, output) {
        (Output::Stream(bytes), None) => write_stdout(bytes)?,
        (Output::Stream(bytes), Some(path)) => file::replace(&path, bytes)?,
        (Output::Files(files), Some(path)) => {
            for one in files {
                file::replace(&path.join(&one.name), &one.bytes)?;
            }
        }
        (Output::Files(_), None) => {}
    }
    // The trees of a build are as large as its input; the process ends anyway.
    std::mem::forget(build);
    std::mem::forget(session);
    Ok(Ending::Done)
}
