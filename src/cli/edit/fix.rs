//! `kiln edit fix`: the file, and what it builds to before and after.

#![expect(clippy::disallowed_methods, reason = "vars are looked for in the files of the directory")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::args::FixArgs;
use super::opened::Opened;
use super::{Edited, Place};
use crate::cli::{file, write_stdout};
use crate::edit::{Fix, convert_vars};
use crate::{BuildOptions, DiskReader, Output, Session};

/// Says what `edit fix` did, as kustomize does.
const FIXED: &str = "
Fixed fields:
  patchesJson6902 -> patches
  patchesStrategicMerge -> patches
  commonLabels -> labels
";

const HOW_TO_FIX_VARS: &str = "
To convert vars -> replacements, run the command `kustomize edit fix --vars`

WARNING: Converting vars to replacements will potentially overwrite many resource files 
and the resulting files may not produce the same output when `kustomize build` is run. 
We recommend doing this in a clean git repository where the change is easy to undo.
";

/// Fixes the kustomization of the directory.
pub(super) fn run(args: &FixArgs, place: &Place<'_>) -> Edited {
    let directory = place.directory();
    let before = build(directory);
    let mut opened = Opened::new(place)?;
    let is_file = |path: &str| directory.join(path).is_file();
    opened.edit.fix(&Fix { is_file: &is_file })?;
    let mut report = FIXED.to_owned();
    let mut changed = Vec::new();
    if args.vars {
        let read = |path: &str| fs::read(directory.join(path)).ok();
        let is_directory = |path: &str| directory.join(path).is_dir();
        let (replacements, files) = convert_vars(&opened.edit, &read, &is_directory)?;
        opened.edit.replace_vars(replacements);
        changed = files;
        report.push_str("  vars -> replacements\n");
    } else {
        report.push_str(HOW_TO_FIX_VARS);
    }
    let path = opened.path.clone();
    let text = opened.finish(place)?;
    for file in changed {
        file::replace(&directory.join(&file.path), file.text.as_bytes())?;
    }
    if let Some(text) = text {
        file::replace(&path, text.as_bytes())?;
    }
    let now = "Warning: 'Fixed' kustomization now produces";
    let _ = match build(directory) {
        Err(error) => {
            writeln!(report, "{now} the error when running `kustomize build`: {error}")
        }
        Ok(after) if before.as_ref().ok() != Some(&after) => {
            let after = String::from_utf8_lossy(&after);
            writeln!(
                report,
                "{now} different output when running `kustomize build`:\n...{after}..."
            )
        }
        Ok(_) => Ok(()),
    };
    write_stdout(report.as_bytes())?;
    Ok(())
}

/// Builds the kustomization of a directory; the first error if that is not possible.
fn build(directory: &Path) -> Result<Vec<u8>, String> {
    let session = Session::for_one_build(&DiskReader);
    let options = BuildOptions {
        target: directory.to_path_buf(),
        shown_from: directory.to_path_buf(),
        ..BuildOptions::default()
    };
    let outcome = crate::build(&session, &options);
    match outcome.value.map(|build| build.output) {
        Some(Output::Stream(bytes)) => Ok(bytes),
        _ => Err(outcome.diagnostics.into_iter().next().map(|d| d.message).unwrap_or_default()),
    }
}
