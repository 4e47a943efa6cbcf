//! Files and folders of objects.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::project::has_kustomization;
use crate::resource::last_separator;
use crate::session::{Context, in_order};
use crate::source::{LoadError, SourceFile, display_path};
use crate::validate::{Intake, Rules, manifests as objects};
use crate::{BuildOptions, DiskReader, Session};

/// How deep folders are searched.
const MAX_DEPTH: usize = 64;
/// One thread reads so many files at once.
const BATCH: usize = 16;
/// A file of so many bytes is checked part by part, by several threads.
const LARGE: usize = 1 << 20;
/// A part of a large file has at least so many bytes.
const PART: usize = 1 << 18;

/// A line that separates documents is hardly longer than this.
const SEPARATOR_LINE: usize = 1 << 12;
/// The size of a buffer that most manifests fit into.
const USUAL_FILE_BYTES: usize = 16 << 10;

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
        let batch = |paths: &[PathBuf]| {
            let mut part = Read::default();
            for path in paths {
                self.file(path, Named::ByItsFolder, &mut part);
            }
            part.objects.settle();
            part
        };
        in_order(paths.chunks(BATCH), self.jobs, batch, |part| read.append(part));
    }

    fn file(&self, path: &Path, named: Named, read: &mut Read) {
        let result = DiskReader::open(path).and_then(|mut disk| {
            let mut bytes = Vec::with_capacity(USUAL_FILE_BYTES);
            disk.by_ref().take(LARGE as u64).read_to_end(&mut bytes)?;
            if bytes.len() < LARGE {
                self.small(path, &bytes, named, read);
                return Ok(());
            }
            let length = disk.metadata()?.len();
            self.large(path, Parts::new(disk, bytes, length), named, read)
        });
        if let Err(error) = result {
            let error = LoadError::Io { path: path.to_path_buf(), error };
            read.faults.push(unreadable(path, self.directory, &error));
        }
    }

    fn small(&self, path: &Path, bytes: &[u8], named: Named, read: &mut Read) {
        let sources = self.session.sources();
        match sources.add_without_text(path.to_path_buf(), bytes.len(), &DiskReader) {
            Ok(file) => self.text(&file, bytes, named, read),
            Err(_) => read.faults.push(too_much()),
        }
    }

    /// Checks the objects of a text.
    pub(super) fn text(&self, file: &SourceFile, bytes: &[u8], named: Named, read: &mut Read) {
        let options = self.options();
        let cx = Context::new(self.session, &options);
        let text = objects::Text::new(&cx, file, bytes);
        match text.and_then(|text| self.objects(&cx, &text, &mut read.objects)) {
            // In a folder lie other files, too.
            Ok(other) => read.faults.extend(other.filter(|_| named == Named::Itself)),
            Err(fault) => read.faults.push(*fault),
        }
    }

    /// Checks the objects of a large file. It is in memory as a whole only where something is found, or where it cannot be cut.
    fn large(
        &self,
        path: &Path,
        mut parts: Parts<impl io::Read + Send>,
        named: Named,
        read: &mut Read,
    ) -> io::Result<()> {
        let sources = self.session.sources();
        let length = parts.length;
        let Ok(file) = sources.add_without_text(path.to_path_buf(), length, &DiskReader) else {
            read.faults.push(too_much());
            return Ok(());
        };
        let options = self.options();
        let part = |(start, bytes): (usize, Vec<u8>)| {
            let cx = Context::new(self.session, &options);
            let mut objects = Intake::default();
            let text = objects::Text::part(&file, &bytes, start)?;
            let other = self.objects(&cx, &text, &mut objects);
            objects.settle();
            Some(other.map(|other| (objects, other)))
        };
        let mut found = Some(Ok((Intake::default(), None)));
        in_order(parts.by_ref(), self.jobs, part, |part| match (&mut found, part) {
            (Some(Ok((objects, other))), Some(Ok((part, not_an_object)))) => {
                objects.append(part);
                *other = other.take().or(not_an_object);
            }
            (Some(Ok(_)), Some(Err(fault))) => found = Some(Err(fault)),
            (found, None) => *found = None,
            (None | Some(Err(_)), Some(_)) => {}
        });
        if let Some(error) = parts.error {
            return Err(error);
        }
        match found {
            Some(Ok((objects, other))) => {
                read.objects.append(objects);
                read.faults.extend(other.filter(|_| named == Named::Itself));
            }
            Some(Err(fault)) => read.faults.push(*fault),
            // What can be cut nowhere is one document, and a fault is best shown with all of the text.
            None => self.text(&file, file.bytes(), named, read),
        }
        Ok(())
    }

    /// Takes in the objects of a text; returns the first document that is none.
    fn objects(
        &self,
        cx: &Context<'_>,
        text: &objects::Text<'_>,
        all: &mut Intake,
    ) -> Result<Option<Diagnostic>, Box<Diagnostic>> {
        let mut other = None;
        let mut add = |found: objects::Manifests, all: &mut Intake| {
            for object in found.objects {
                all.add_written(cx, self.rules, object);
            }
            let not_an_object = || Some(objects::not_an_object(cx, &found.not_an_object?));
            other = other.take().or_else(not_an_object);
        };
        let mut manifests = text.manifests(cx);
        if manifests.len() == 1 {
            manifests.try_for_each(|found| found.map(|found| add(found, all)))?;
        } else {
            // Of a file with a fault, nothing counts.
            let mut own = Intake::default();
            manifests.try_for_each(|found| found.map(|found| add(found, &mut own)))?;
            all.append(own);
        }
        Ok(other)
    }

    fn options(&self) -> BuildOptions {
        BuildOptions { shown_from: self.directory.to_path_buf(), ..BuildOptions::default() }
    }
}

/// The parts of a large file, each with the offset at which it begins; documents are not cut.
struct Parts<R> {
    reader: R,
    /// How many bytes the file has.
    length: usize,
    /// What was read and not yet returned, and the offset at which it begins.
    rest: Vec<u8>,
    start: usize,
    is_at_end: bool,
    error: Option<io::Error>,
}

impl<R: io::Read> Parts<io::Take<R>> {
    /// `rest`: what was read already.
    fn new(reader: R, rest: Vec<u8>, length: u64) -> Self {
        let reader = reader.take(length.saturating_sub(rest.len() as u64));
        let length = usize::try_from(length).unwrap_or(usize::MAX).max(rest.len());
        Self { reader, length, rest, start: 0, is_at_end: false, error: None }
    }
}

impl<R: io::Read> Iterator for Parts<R> {
    type Item = (usize, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        // Before this, no separator ends.
        let mut from = 0;
        while !self.is_at_end {
            if self.rest.len() >= from + PART {
                let near = self.rest.len().min(from + 2 * PART);
                if let Some(end) = last_separator(&self.rest[..near], from) {
                    let rest = self.rest.split_off(end);
                    let part = std::mem::replace(&mut self.rest, rest);
                    let start = self.start;
                    self.start += part.len();
                    return Some((start, part));
                }
                from = near.saturating_sub(SEPARATOR_LINE);
            }
            match self.reader.by_ref().take(PART as u64).read_to_end(&mut self.rest) {
                Ok(0) => self.is_at_end = true,
                Ok(_) => {}
                Err(error) => {
                    self.error = Some(error);
                    return None;
                }
            }
        }
        let part = std::mem::take(&mut self.rest);
        (!part.is_empty()).then_some((self.start, part))
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
