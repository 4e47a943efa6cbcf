//! `kiln create`: a kustomization for the files that are there.

#![expect(clippy::disallowed_methods, reason = "the files of the directory are looked through")]

use std::fs;
use std::path::Path;

use super::args::CreateArgs;
use super::opened::find;
use super::{Edited, Failure, Place, paths};
use crate::Code;
use crate::cli::{CommandError, Ending, file};
use crate::edit::{EditError, MetadataKind, NewKustomization, parse_pairs};
use crate::project::FILE_NAMES;
use crate::resource::read_objects;

pub(in crate::cli) fn run(args: &CreateArgs, place: &Place<'_>) -> Result<Ending, CommandError> {
    place.end(create(args, place))
}

fn create(args: &CreateArgs, place: &Place<'_>) -> Edited {
    let directory = place.directory();
    let mut resources = Vec::new();
    if !args.resources.is_empty() {
        let patterns: Vec<String> = args.resources.split(',').map(str::to_owned).collect();
        resources = paths::entries(directory, &patterns)?;
    }
    match find(directory) {
        Ok(_) => {
            let message = "kustomization file already exists".to_owned();
            return Err(EditError::Refused(message).into());
        }
        Err(Failure::Coded(Code::KustomizationMissing, _)) => {}
        Err(failure) => return Err(failure),
    }
    if args.autodetect {
        for found in detect(directory, args.recursive)? {
            if !resources.contains(&found) {
                resources.push(found);
            }
        }
    }
    let new = NewKustomization {
        resources,
        name_prefix: args.nameprefix.clone(),
        name_suffix: args.namesuffix.clone(),
        namespace: args.namespace.clone(),
        annotations: parse_pairs(&args.annotations, MetadataKind::Annotation)?,
        labels: parse_pairs(&args.labels, MetadataKind::Label)?,
    };
    file::replace(&directory.join(FILE_NAMES[0]), new.to_text().as_bytes())?;
    Ok(())
}

/// Returns the files of a directory that hold objects, and with `recursive` those below it. A directory that has a kustomization
/// stands for what is in it.
fn detect(directory: &Path, recursive: bool) -> Result<Vec<String>, CommandError> {
    let mut found = Vec::new();
    // The names of what is left to look at, the next one last.
    let mut waiting = names(directory, "")?;
    while let Some(name) = waiting.pop() {
        let path = directory.join(&name);
        let failed = || CommandError::io(format!("`{name}` cannot be read"));
        // Links to directories are not followed; one is an error, as in kustomize.
        if !fs::symlink_metadata(&path).map_err(failed())?.is_dir() {
            let bytes = fs::read(&path).map_err(failed())?;
            if read_objects(&bytes, 1).is_ok() {
                found.push(name);
            }
        } else if recursive {
            if FILE_NAMES.iter().any(|file| path.join(file).exists()) {
                found.push(name);
            } else {
                waiting.extend(names(directory, &name)?);
            }
        }
    }
    Ok(found)
}

/// Returns what is in a directory below another, the first name last.
fn names(root: &Path, below: &str) -> Result<Vec<String>, CommandError> {
    let directory = root.join(below);
    let entries = fs::read_dir(&directory)
        .map_err(CommandError::io(format!("`{}` cannot be read", directory.display())))?;
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    let full = |name: String| if below.is_empty() { name } else { format!("{below}/{name}") };
    Ok(names.into_iter().map(full).collect())
}
