//! The one door to the outside: what the compiler may ask about files.

use std::io;
use std::path::{Path, PathBuf};

/// What stands at a path, symbolic links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, whatever it leads to.
    Symlink,
    /// A named pipe, a device, a socket.
    Other,
}

/// Reads files for the compiler. The library reaches the outside world through this trait only.
///
/// All paths are absolute. Implementations must answer the same question the same way during a run.
pub trait Reader: Sync {
    /// Returns the bytes of the file at `path`, symbolic links followed.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Fills `into` with the first bytes of the file at `path`, and returns how many there are.
    fn read_into(&self, path: &Path, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.read(path)?;
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    /// Returns what stands at `path`, symbolic links not followed.
    fn kind(&self, path: &Path) -> io::Result<EntryKind>;

    /// Returns `path` with every symbolic link resolved; an error if it does not exist.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// Returns the names of the entries of the directory at `path`, sorted.
    fn list(&self, path: &Path) -> io::Result<Vec<std::ffi::OsString>>;

    /// Returns the names of the directories in the directory at `path`, sorted, symbolic links not followed.
    fn directories(&self, path: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        let mut names = self.list(path)?;
        names.retain(|name| matches!(self.kind(&path.join(name)), Ok(EntryKind::Directory)));
        Ok(names)
    }
}
