//! Files and folders of objects.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::project::has_kustomization;
use crate::session::{Context, in_order};
use crate::source::{LoadError, Reader, SourceFile, display_path};
use crate::validate::{Intake, Rules, manifests as objects};
use crate::{BuildOptions, DiskReader, Session};

/// How deep folders are searched.
const MAX_DEPTH: usize = 64;
/// One thread reads so many files at once.
const BATCH: usize = 16;
/// Several threads check the documents of a file of so many bytes.
const LARGE: usize = 1 << 20;
/// One thread checks so many documents of a large file at once.
const PIECES: usize = 64;

/// What files hold.
#[derive(Default)]
pub(super) struct Read {
    pub(super) objects: Intake,
    pub(super) faults: Vec<Diagnostic>,
}

/// How a file was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Named {
    Itself,
    ByItsFolder,
}

/// Reads files one by one, and checks what they hold.
pub(super) struct Files<'r> {
    pub(super) session: &'r Session<'r>,
    pub(super) rules: &'r Rules,
    /// What paths are shown from.
    pub(super) directory: &'r Path,
    /// How many threads read.
    pub(super) jobs: usize,
}

impl Read {
    pub(super) fn append(&mut self, other: Self) {
        self.objects.append(other.objects);
        self.faults.extend(other.faults);
    }
}

impl Files<'_> {
    /// Reads a file, or the files of a folder; what has a kustomization is left out.
    pub(super) fn read(&self, path: &Path, read: &mut Read) {
        if !path.is_dir() {
            return read.append(self.file(path, Named::Itself));
        }
        let paths = manifests(path);
        let batches: Vec<&[PathBuf]> = paths.chunks(BATCH).collect();
        let batch = |index: usize| {
            let mut part = Read::default();
            batches[index].iter().for_each(|path| part.append(self.file(path, Named::ByItsFolder)));
            part
        };
        in_order(batches.len(), self.jobs, batch, |part| read.append(part));
    }

    fn file(&self, path: &Path, named: Named) -> Read {
        let fault = |fault| Read { faults: vec![fault], ..Read::default() };
        let bytes = match DiskReader.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let error = LoadError::Io { path: path.to_path_buf(), error };
                return fault(unreadable(path, self.directory, &error));
            }
        };
        let (sources, path) = (self.session.sources(), path.to_path_buf());
        // A large text would be read a second time while the first is still there.
        if bytes.len() < LARGE {
            match sources.add_without_text(path, bytes.len(), &DiskReader) {
                Ok(file) => self.text(&file, &bytes, named),
                Err(_) => fault(too_much()),
            }
        } else {
            match sources.add(path, bytes.into()) {
                Ok(file) => self.text(&file, file.bytes(), named),
                Err(_) => fault(too_much()),
            }
        }
    }

    /// Checks the objects of a text.
    pub(super) fn text(&self, file: &SourceFile, bytes: &[u8], named: Named) -> Read {
        self.checked(file, bytes, named)
            .unwrap_or_else(|fault| Read { faults: vec![*fault], ..Read::default() })
    }

    fn checked(
        &self,
        file: &SourceFile,
        bytes: &[u8],
        named: Named,
    ) -> Result<Read, Box<Diagnostic>> {
        let options =
            BuildOptions { shown_from: self.directory.to_path_buf(), ..BuildOptions::default() };
        let text = objects::Text::new(&Context::new(self.session, &options), file, bytes)?;
        let jobs = if bytes.len() < LARGE { 1 } else { self.jobs };
        let size = if bytes.len() < LARGE { text.pieces.len() } else { PIECES };
        let batches: Vec<Range<usize>> = (0..text.pieces.len())
            .step_by(size.max(1))
            .map(|first| first..(first + size).min(text.pieces.len()))
            .collect();
        let check = |index: usize| {
            let cx = Context::new(self.session, &options);
            let pieces = &text.pieces[batches[index].clone()];
            let found = objects::read_pieces(&cx, &text, pieces)?;
            let mut part = Intake::default();
            for object in found.objects {
                part.add_written(&cx, self.rules, object);
            }
            let other = found.not_an_object;
            Ok((part, other.map(|node| objects::not_an_object(&cx, &node))))
        };
        let mut read = Read::default();
        let mut fault = None;
        in_order(batches.len(), jobs, check, |part| match part {
            Ok((part, other)) => {
                read.objects.append(part);
                // In a folder lie other files, too.
                let is_first = read.faults.is_empty() && named == Named::Itself;
                read.faults.extend(other.filter(|_| is_first));
            }
            Err(found) => fault = fault.take().or(Some(found)),
        });
        fault.map_or(Ok(read), Err)
    }
}

/// Reads one file.
pub(super) fn read_file(
    session: &Session<'_>,
    path: &Path,
    directory: &Path,
) -> Result<Arc<SourceFile>, Box<Diagnostic>> {
    session.file(path).map_err(|error| Box::new(unreadable(path, directory, &error)))
}

fn unreadable(path: &Path, directory: &Path, error: &LoadError) -> Diagnostic {
    let message = format!("`{}` cannot be read: {error}", display_path(path, directory));
    Diagnostic::error(Code::FileUnreadable, message)
}

pub(super) fn too_much() -> Diagnostic {
    Diagnostic::error(Code::FileTooLarge, "more than 2 GiB of input in one run")
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
