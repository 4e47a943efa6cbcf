//! Files and folders of objects.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::project::has_kustomization;
use crate::session::{Context, in_parallel};
use crate::source::{SourceFile, display_path};
use crate::validate;
use crate::yaml::Node;
use crate::{BuildOptions, DiskReader, Session};

/// How deep folders are searched.
const MAX_DEPTH: usize = 64;

/// What files hold.
#[derive(Default)]
pub(super) struct Read {
    pub(super) objects: Vec<Node>,
    pub(super) faults: Vec<Diagnostic>,
}

/// How a file was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Itself,
    ByItsFolder,
}

/// Reads a file, or the files of a folder; what has a kustomization is left out. `directory`: what paths are shown from. `jobs`: how many
/// threads read.
pub(super) fn read_path(
    session: &Session<'_>,
    path: &Path,
    (directory, jobs): (&Path, usize),
    read: &mut Read,
) {
    if path.is_dir() {
        let paths = manifests(path);
        let all = in_parallel(paths.len(), jobs, |index| {
            let mut one = Read::default();
            read_objects(session, &paths[index], Named::ByItsFolder, directory, &mut one);
            one
        });
        for one in all {
            read.objects.extend(one.objects);
            read.faults.extend(one.faults);
        }
    } else {
        read_objects(session, path, Named::Itself, directory, read);
    }
}

/// Reads one file.
pub(super) fn read_file(
    session: &Session<'_>,
    path: &Path,
    directory: &Path,
) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
    session.file(path).map_err(|error| {
        let message = format!("`{}` cannot be read: {error}", display_path(path, directory));
        Box::new(Diagnostic::error(Code::FileUnreadable, message))
    })
}

fn read_objects(
    session: &Session<'_>,
    path: &Path,
    named: Named,
    directory: &Path,
    read: &mut Read,
) {
    match read_file(session, path, directory) {
        Ok(file) => add_objects(session, &file, named, directory, read),
        Err(fault) => read.faults.push(*fault),
    }
}

/// Adds the objects of a file.
pub(super) fn add_objects(
    session: &Session<'_>,
    file: &SourceFile,
    named: Named,
    directory: &Path,
    read: &mut Read,
) {
    let options = BuildOptions { shown_from: directory.to_path_buf(), ..BuildOptions::default() };
    let cx = Context::new(session, &options);
    match validate::manifests::read(&cx, file) {
        Ok(manifests) => {
            // In a folder lie other files, too.
            let other = manifests.not_an_object.filter(|_| named == Named::Itself);
            read.faults.extend(other.map(|node| validate::manifests::not_an_object(&cx, &node)));
            read.objects.extend(manifests.objects);
        }
        Err(fault) => read.faults.push(*fault),
    }
}

/// Returns the files of objects in a folder and below it, sorted.
pub(in crate::cli) fn manifests(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(directory.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if has_kustomization(&DiskReader, &folder) {
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let is_hidden = name.to_string_lossy().starts_with('.');
            let kind = entry.file_type().ok();
            if kind.is_some_and(|kind| kind.is_dir()) {
                if !is_hidden && depth < MAX_DEPTH {
                    folders.push((path, depth + 1));
                }
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
