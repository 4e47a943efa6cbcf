//! A [`Reader`] that sees one repository.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::{EntryKind, Reader, clean};

/// Passes on what lies in or below a directory, symbolic links resolved; everything else cannot be read. The directories
/// above it, on the way down, have names and nothing in them.
#[derive(Clone, Copy)]
pub(crate) struct ConfinedReader<'r> {
    inner: &'r dyn Reader,
    root: &'r Path,
}

impl<'r> ConfinedReader<'r> {
    /// `root`: the root of the repository, absolute, without symbolic links.
    pub(crate) fn new(inner: &'r dyn Reader, root: &'r Path) -> Self {
        Self { inner, root }
    }

    fn inside(&self, resolved: PathBuf) -> io::Result<PathBuf> {
        if resolved.starts_with(self.root) {
            return Ok(resolved);
        }
        Err(outside())
    }

    fn inside_or_above(&self, resolved: PathBuf) -> io::Result<PathBuf> {
        if self.root.starts_with(&resolved) { Ok(resolved) } else { self.inside(resolved) }
    }

    fn resolved(&self, path: &Path) -> io::Result<PathBuf> {
        self.inside(self.inner.canonicalize(path)?)
    }
}

fn outside() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "it lies outside of the repository")
}

impl Reader for ConfinedReader<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(&self.resolved(path)?)
    }

    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        let path = clean(path);
        // The last part may be a link, whose own kind is asked for.
        let place = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => {
                self.inside_or_above(self.inner.canonicalize(parent)?.join(name))
            }
            _ => self.canonicalize(&path),
        };
        self.inner.kind(&place?)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.inside_or_above(self.inner.canonicalize(path)?)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.inner.list(&self.resolved(path)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemoryReader;

    #[test]
    fn nothing_outside_can_be_read() {
        let mut memory = MemoryReader::new();
        memory.insert("/repo/app/a.yaml", "inside");
        memory.insert("/other/b.yaml", "outside");
        memory.link("/repo/app/link", "../../other/b.yaml");
        memory.link("/repo/app/own", "a.yaml");
        let reader = ConfinedReader::new(&memory, Path::new("/repo"));
        assert_eq!(reader.read(Path::new("/repo/app/a.yaml")).unwrap(), b"inside");
        assert_eq!(reader.read(Path::new("/repo/app/own")).unwrap(), b"inside");
        assert_eq!(reader.kind(Path::new("/repo")).unwrap(), EntryKind::Directory);
        assert_eq!(reader.kind(Path::new("/repo/app/link")).unwrap(), EntryKind::Symlink);
        for path in ["/other/b.yaml", "/repo/app/link", "/repo/app/../../other/b.yaml"] {
            let error = reader.read(Path::new(path)).expect_err("it lies outside");
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{path}");
        }
        for path in ["/other", "/repo/..", "/"] {
            assert!(reader.list(Path::new(path)).is_err(), "{path}");
        }
        assert!(reader.canonicalize(Path::new("/other")).is_err());
        assert_eq!(reader.canonicalize(Path::new("/repo/..")).unwrap(), Path::new("/"));
        assert!(reader.kind(Path::new("/other/b.yaml")).is_err());
    }
}
