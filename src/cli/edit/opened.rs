//! The kustomization file of a directory: found, checked, changed and put back.

#![expect(clippy::disallowed_methods, reason = "this is where the file is looked for")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Edited, Failure, Place};
use crate::cli::{CommandError, file};
use crate::edit::{Edit, GeneratorKind};
use crate::project::{FILE_NAMES, check_types};
use crate::session::Context;
use crate::source::SourceFile;
use crate::{BuildOptions, Code, DiskReader, Lints, Session};

/// The kustomization file of the directory.
pub(super) struct Opened {
    pub(super) file_name: &'static str,
    pub(super) path: PathBuf,
    old: String,
    pub(super) edit: Edit,
}

impl Opened {
    pub(super) fn new(place: &Place<'_>) -> Edited<Self> {
        let directory = place.directory();
        let found = find(directory)?;
        let path = directory.join(found);
        if path.is_dir() {
            let message = format!("{found} should be a file");
            return Err(Failure::Coded(Code::KustomizationMissing, message));
        }
        let session = Session::new(&DiskReader);
        let read = session.file(&path).map_err(|_| {
            let error = fs::read(&path).err().unwrap_or_else(|| io::ErrorKind::Other.into());
            CommandError::io(format!("`{}` cannot be read", path.display()))(error)
        })?;
        check(&session, &read, place)?;
        let old = String::from_utf8_lossy(read.bytes()).into_owned();
        // The text was parsed just now.
        let edit = Edit::new(&old).map_err(|_| Failure::Reported)?;
        Ok(Self { file_name: found, path, old, edit })
    }

    pub(super) fn check_generator(
        &self,
        kind: GeneratorKind,
        index: usize,
        place: &Place<'_>,
        what: &str,
    ) -> Edited {
        let session = Session::new(&DiskReader);
        let options = options(place);
        let mut cx = Context::new(&session, &options);
        let directory =
            fs::canonicalize(place.directory()).unwrap_or_else(|_| place.directory().to_path_buf());
        let during = if what.is_empty() {
            format!("failed to create {}", kind.command())
        } else {
            format!("failed to create {}: {what}{}", kind.command(), kind.structure())
        };
        self.edit
            .check_generator(&mut cx, &directory, kind, index)
            .map_err(|error| error.during(&during).into())
    }

    /// Returns the new text; none if it is the old one.
    pub(super) fn finish(mut self, place: &Place<'_>) -> Edited<Option<String>> {
        for notice in std::mem::take(&mut self.edit.notices) {
            place.notice(&notice);
        }
        match self.edit.finish() {
            Ok(text) => Ok((text != self.old).then_some(text)),
            Err(error) => {
                let message = format!("`{}` is not changed: {error}", self.file_name);
                Err(Failure::Coded(Code::EditNotInPlace, message))
            }
        }
    }

    pub(super) fn write(self, place: &Place<'_>) -> Edited {
        let path = self.path.clone();
        if let Some(text) = self.finish(place)? {
            file::replace(&path, text.as_bytes())?;
        }
        Ok(())
    }
}

fn options(place: &Place<'_>) -> BuildOptions {
    BuildOptions {
        target: place.directory().to_path_buf(),
        shown_from: place.directory().to_path_buf(),
        ..BuildOptions::default()
    }
}

/// Reports what is wrong with the fields of a kustomization file.
fn check(session: &Session<'_>, file: &SourceFile, place: &Place<'_>) -> Edited {
    let options = options(place);
    let mut cx = Context::new(session, &options);
    let checked = check_types(&mut cx, file);
    let diagnostics = cx.sink.into_sorted(session.sources(), &Lints::default());
    place.terminal.report(&diagnostics, session.sources());
    checked.map_err(|_| Failure::Reported)
}

/// Returns the name of the one kustomization file of a directory.
pub(super) fn find(directory: &Path) -> Edited<&'static str> {
    let found: Vec<&'static str> =
        FILE_NAMES.into_iter().filter(|name| directory.join(name).exists()).collect();
    match found[..] {
        [name] => Ok(name),
        [] => {
            let message = "Missing kustomization file 'kustomization.yaml'.".to_owned();
            Err(Failure::Coded(Code::KustomizationMissing, message))
        }
        _ => {
            let message = format!("Found multiple kustomization file: [{}]", found.join(" "));
            Err(Failure::Coded(Code::KustomizationAmbiguous, message))
        }
    }
}
