//! `kiln build`.

use std::path::Path;

use super::args::{BuildArgs, LoadRestrictor, ReorderOutput};
use super::{CommandError, Ending, file, write_stderr, write_stdout};
use crate::diagnostic::render;
use crate::{BuildOptions, DiskReader, Layout, LoadRestriction, Output, Reorder, Session};

pub(super) fn run(args: &BuildArgs, directory: &Path) -> Result<Ending, CommandError> {
    let output = args.output.as_ref().map(|output| directory.join(output));
    let into_directory = output.as_ref().is_some_and(|output| output.is_dir());
    let options = BuildOptions {
        target: directory.join(&args.target),
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
        managed_by_label: args.enable_managedby_label,
    };
    let reader = DiskReader;
    let session = Session::new(&reader);
    let outcome = crate::build(&session, &options);
    write_stderr(&render::short(&outcome.diagnostics, session.sources(), directory));
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
