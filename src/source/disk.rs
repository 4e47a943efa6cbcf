//! The [`Reader`] of real files.
#![expect(clippy::disallowed_methods, reason = "the one place of the library that reads the disk")]

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{EntryKind, Reader};

/// The size of a buffer that most manifests fit into.
const USUAL_FILE_BYTES: usize = 16 << 10;

/// Reads files from the disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskReader;

impl DiskReader {
    /// Opens a file that is to be read step by step.
    pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
        fs::File::open(path)
    }
}

impl Reader for DiskReader {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(USUAL_FILE_BYTES);
        // Nothing is asked about the size before, as `fs::read` does: most files fit.
        Self::open(path)?.take(u64::MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_into(&self, path: &Path, mut into: &mut [u8]) -> io::Result<usize> {
        let length = into.len();
        let mut file = Self::open(path)?;
        // A file that has become shorter leaves the rest as it is.
        while !into.is_empty() {
            match file.read(into)? {
                0 => break,
                count => into = &mut into[count..],
            }
        }
        Ok(length - into.len())
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

    fn directories(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // The listing knows it; asking for each of thousands of files takes longer than reading them.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.push(entry.file_name());
            }
        }
        names.sort();
        Ok(names)
    }
}
