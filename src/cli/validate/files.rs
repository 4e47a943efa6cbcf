//! Files and folders of objects.

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
            return self.file(path, Named::Itself, read);
        }
        let paths = manifests(path);
        let batches: Vec<&[PathBuf]> = paths.chunks(BATCH).collect();
        let batch = |index: usize| {
            let mut part = Read::default();
            for path in batches[index] {
                self.file(path, Named::ByItsFolder, &mut part);
            }
            part
        };
        in_order(batches.len(), self.jobs, batch, |part| read.append(part));
    }

    fn file(&self, path: &Path, named: Named, read: &mut Read) {
        let bytes = match DiskReader.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let error = LoadError::Io { path: path.to_path_buf(), error };
                return read.faults.push(unreadable(path, self.directory, &error));
            }
        };
        let (sources, path) = (self.session.sources(), path.to_path_buf());
        // A large text would be read a second time while the first is still there.
        if bytes.len() < LARGE {
            match sources.add_without_text(path, bytes.len(), &DiskReader) {
                Ok(file) => self.text(&file, &bytes, named, read),
                Err(_) => read.faults.push(too_much()),
            }
        } else {
            match sources.add(path, bytes.into()) {
                Ok(file) => self.text(&file, file.bytes(), named, read),
                Err(_) => read.faults.push(too_much()),
            }
        }
    }

    /// Checks the objects of a text.
    pub(super) fn text(&self, file: &SourceFile, bytes: &[u8], named: Named, read: &mut Read) {
        let options =
            BuildOptions { shown_from: self.directory.to_path_buf(), ..BuildOptions::default() };
        let cx = Context::new(self.session, &options);
        let other = objects::Text::new(&cx, file, bytes).and_then(|text| {
            if bytes.len() < LARGE {
                let found = objects::read_pieces(&cx, &text, &text.pieces)?;
                for object in found.objects {
                    read.objects.add_written(&cx, self.rules, object);
                }
                return Ok(found.not_an_object.map(|node| objects::not_an_object(&cx, &node)));
            }
            let (objects, other) = self.large(&options, &text)?;
            read.objects.append(objects);
            Ok(other)
        });
        match other {
            // In a folder lie other files, too.
            Ok(other) => read.faults.extend(other.filter(|_| named == Named::Itself)),
            Err(fault) => read.faults.push(*fault),
        }
    }

    /// Checks the objects of a large text; returns the first document that is none, too.
    fn large(
        &self,
        options: &BuildOptions,
        text: &objects::Text<'_>,
    ) -> Result<(Intake, Option<Diagnostic>), Box<Diagnostic>> {
        let batches: Vec<&[(usize, usize)]> = text.pieces.chunks(PIECES).collect();
        let batch = |index: usize| {
            let cx = Context::new(self.session, options);
            let found = objects::read_pieces(&cx, text, batches[index])?;
            let mut part = Intake::default();
            for object in found.objects {
                part.add_written(&cx, self.rules, object);
            }
            Ok((part, found.not_an_object.map(|node| objects::not_an_object(&cx, &node))))
        };
        let mut all = Ok((Intake::default(), None));
        in_order(batches.len(), self.jobs, batch, |part| match (&mut all, part) {
            (Ok((objects, other)), Ok((part, not_an_object))) => {
                objects.append(part);
                *other = other.take().or(not_an_object);
            }
            (Ok(_), Err(fault)) => all = Err(fault),
            (Err(_), _) => {}
        });
        all
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
