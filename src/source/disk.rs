//! The [`Reader`] of real files.
#![expect(clippy::disallowed_methods, reason = "the one place of the library that reads the disk")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{EntryKind, Reader};

/// Reads files from the disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskReader;

impl Reader for DiskReader {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        let kind = fs::symlink_metadata(path)?.file_type();
        Ok(if kind.is_file() {
            EntryKind::File
        } else if kind.is_dir() {
            EntryKind::Directory
        } else if kind.is_symlink() {
            EntryKind::Symlink
        } else {
            EntryKind::Other
        })
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name());
        }
        names.sort();
        Ok(names)
    }
}
