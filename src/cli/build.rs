//! `kiln build`.

use std::path::PathBuf;

use super::args::{BuildArgs, LoadRestrictor, ReorderOutput};
use super::{CommandError, Ending, Terminal, file, write_stdout};
use crate::{
    BuildOptions, DiskReader, Layout, Lints, LoadRestriction, Output, ProjectLocation, Reorder,
    Session,
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

pub(super) fn run(args: &BuildArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let output = args.output.as_ref().map(|output| directory.join(output));
    let into_directory = output.as_ref().is_some_and(|output| output.is_dir());
    let reader = DiskReader;
    let session = Session::for_one_build(&reader);
    let target = directory.join(&args.target);

    let mut lints = Lints { strict: around.strict, ..Lints::default() };
    let location = match &around.project {
        ProjectChoice::Without => None,
        ProjectChoice::Nearest => Some(ProjectLocation::Above(&target)),
        ProjectChoice::File(file) => Some(ProjectLocation::File(file)),
    };
    if let Some(location) = location {
        let project = crate::load_project(&session, location, directory);
        let Some(project) = project.value else {
            terminal.report(&project.diagnostics, session.sources());
            return Ok(Ending::No);
        };
        lints.levels = project.levels;
    }

    let options = BuildOptions {
        target,
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
    };
    let outcome = crate::build(&session, &options);
    terminal.report(&outcome.diagnostics, session.sources());
    let Some(build) = outcome.value else { return Ok(Ending::No) };
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
