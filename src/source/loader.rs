//! Which file or directory an entry of a kustomization names, and whether it may be read.
//!
//! The rules are kustomize's (`api/internal/loader`): an entry is relative to the directory of the kustomization
//! that names it, with symbolic links resolved; under [`LoadRestriction::RootOnly`] a *file* must then lie in or
//! below that directory, while a *directory* may lie anywhere. A directory that contains one that is already being
//! built is a cycle.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::{EntryKind, Reader, RemoteSpec, clean, is_http_url, join, parse_remote};

/// Whether files outside the directory of a kustomization may be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LoadRestriction {
    /// Files must lie in or below the directory of the kustomization that names them (kustomize's default).
    #[default]
    RootOnly,
    /// Files may lie anywhere.
    None,
}

/// Why an entry could not be resolved to something to read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Nothing stands at the path.
    #[error("`{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// A directory, pipe or device stands where a file is needed.
    #[error("`{}` is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// A file stands where a directory is needed.
    #[error("`{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// The file lies outside the directory of the kustomization.
    #[error("`{}` is not in or below `{}`", .path.display(), .root.display())]
    OutsideRoot {
        /// The file, symbolic links resolved.
        path: PathBuf,
        /// The directory it should be in.
        root: PathBuf,
    },
    /// A base is named by an absolute path.
    #[error("a base cannot be an absolute path")]
    Absolute(PathBuf),
    /// The entry is an empty string.
    #[error("the entry is empty")]
    Empty,
    /// The entry is a URL or a git repository.
    #[error("the entry is remote")]
    Remote(Option<RemoteDirectory>),
    /// The file is a template that could not be rendered.
    #[error("the template `{}` could not be rendered", .0.display())]
    Template(PathBuf),
    /// The input of the run is too large.
    #[error("more than 2 GiB of input in one run")]
    TooMuchInput(PathBuf),
    /// The operating system refused.
    #[error("`{}`: {error}", .path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

/// A directory of a git repository, as a remote base names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteDirectory {
    /// What `git clone` takes.
    pub clone_url: String,
    /// The directory inside the repository; empty for its root.
    pub directory: String,
    /// The branch, tag or commit; empty for the default branch.
    pub reference: String,
}

impl From<RemoteSpec> for RemoteDirectory {
    fn from(spec: RemoteSpec) -> Self {
        Self { clone_url: spec.clone_url(), directory: spec.directory, reference: spec.reference }
    }
}

fn at(path: &Path, error: io::Error) -> LoadError {
    let path = path.to_path_buf();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LoadError::Missing(path),
        _ => LoadError::Io { path, error },
    }
}

/// Resolves entries through a [`Reader`]; directories are resolved once.
pub(crate) struct Loader<'r> {
    reader: &'r dyn Reader,
    restriction: LoadRestriction,
    /// Remote entries, and what stands for them.
    remotes: &'r [(String, PathBuf)],
    directories: Mutex<HashMap<PathBuf, Option<PathBuf>>>,
}

impl<'r> Loader<'r> {
    /// Returns a loader that asks `reader`.
    pub(crate) fn new(
        reader: &'r dyn Reader,
        restriction: LoadRestriction,
        remotes: &'r [(String, PathBuf)],
    ) -> Self {
        Self { reader, restriction, remotes, directories: Mutex::default() }
    }

    /// Returns the copy that stands for a remote entry.
    fn vendored(&self, entry: &str) -> Option<&'r Path> {
        self.remotes.iter().find(|(remote, _)| remote == entry).map(|(_, path)| path.as_path())
    }

    /// Returns the path to read for the file entry `entry` of a kustomization in `root`.
    pub(crate) fn file(&self, root: &Path, entry: &str) -> Result<PathBuf, LoadError> {
        if let Some(path) = self.vendored(entry) {
            let (resolved, kind) = self.resolve(path)?;
            return match kind {
                EntryKind::File => Ok(resolved),
                _ => Err(LoadError::NotAFile(path.to_path_buf())),
            };
        }
        if is_http_url(entry) {
            return Err(LoadError::Remote(parse_remote(entry).map(RemoteDirectory::from)));
        }
        let entry_path = Path::new(entry);
        let path =
            if entry_path.is_absolute() { clean(entry_path) } else { join(root, entry_path) };
        let (resolved, kind) = self.resolve(&path)?;
        if kind != EntryKind::File {
            return Err(LoadError::NotAFile(path));
        }
        if self.restriction == LoadRestriction::RootOnly && !resolved.starts_with(root) {
            return Err(LoadError::OutsideRoot { path: resolved, root: root.to_path_buf() });
        }
        Ok(resolved)
    }

    /// Returns the directory, symbolic links resolved, that the entry `entry` of a kustomization in `root` names.
    pub(crate) fn directory(&self, root: &Path, entry: &str) -> Result<PathBuf, LoadError> {
        if entry.is_empty() {
            return Err(LoadError::Empty);
        }
        if let Some(path) = self.vendored(entry) {
            return self.existing_directory(path);
        }
        if let Some(remote) = parse_remote(entry) {
            return Err(LoadError::Remote(Some(remote.into())));
        }
        let entry_path = Path::new(entry);
        if entry_path.is_absolute() {
            return Err(LoadError::Absolute(entry_path.to_path_buf()));
        }
        self.existing_directory(&join(root, entry_path))
    }

    /// Returns the directory at an absolute path, symbolic links resolved.
    pub(crate) fn existing_directory(&self, path: &Path) -> Result<PathBuf, LoadError> {
        match self.resolve(path)? {
            (resolved, EntryKind::Directory) => Ok(resolved),
            _ => Err(LoadError::NotADirectory(path.to_path_buf())),
        }
    }

    /// Resolves symbolic links, the directory part once per directory, the last part only if it is a link; and says what
    /// stands there.
    fn resolve(&self, path: &Path) -> Result<(PathBuf, EntryKind), LoadError> {
        let with_kind = |resolved: io::Result<PathBuf>| {
            let resolved = resolved.map_err(|e| at(path, e))?;
            let kind = self.reader.kind(&resolved).map_err(|e| at(path, e))?;
            Ok((resolved, kind))
        };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return with_kind(self.reader.canonicalize(path));
        };
        let Some(directory) = self.resolve_directory(parent)? else {
            return Err(LoadError::Missing(path.to_path_buf()));
        };
        let joined = directory.join(name);
        match self.reader.kind(&joined).map_err(|e| at(path, e))? {
            EntryKind::Symlink => with_kind(self.reader.canonicalize(&joined)),
            kind => Ok((joined, kind)),
        }
    }

    fn resolve_directory(&self, path: &Path) -> Result<Option<PathBuf>, LoadError> {
        let mut known = self.directories.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(resolved) = known.get(path) {
            return Ok(resolved.clone());
        }
        let resolved = match self.reader.canonicalize(path) {
            Ok(resolved) => Some(resolved),
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                None
            }
            Err(e) => return Err(at(path, e)),
        };
        known.insert(path.to_path_buf(), resolved.clone());
        Ok(resolved)
    }

    /// Returns the names in a directory, sorted; nothing if it cannot be read. For help texts only.
    pub(crate) fn names(&self, directory: &Path) -> Vec<String> {
        let names = self.reader.list(directory).unwrap_or_default();
        names
            .iter()
            .filter_map(|n: &std::ffi::OsString| OsStr::to_str(n).map(str::to_owned))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemoryReader;

    fn reader() -> MemoryReader {
        let mut reader = MemoryReader::new();
        reader.insert("/p/base/a.yaml", "");
        reader.insert("/p/overlay/b.yaml", "");
        reader
    }

    #[test]
    fn files_stay_below_their_kustomization() {
        let reader = reader();
        let loader = Loader::new(&reader, LoadRestriction::RootOnly, &[]);
        let root = Path::new("/p/overlay");
        assert_eq!(loader.file(root, "b.yaml").unwrap(), Path::new("/p/overlay/b.yaml"));
        assert!(matches!(loader.file(root, "../base/a.yaml"), Err(LoadError::OutsideRoot { .. })));
        assert!(matches!(loader.file(root, "nope.yaml"), Err(LoadError::Missing(_))));
        assert!(matches!(loader.file(root, "../base"), Err(LoadError::NotAFile(_))));
        assert!(matches!(
            loader.file(root, "https://example.com/a.yaml"),
            Err(LoadError::Remote(_))
        ));
        let free = Loader::new(&reader, LoadRestriction::None, &[]);
        assert_eq!(free.file(root, "../base/a.yaml").unwrap(), Path::new("/p/base/a.yaml"));
    }

    #[test]
    fn directories_may_lie_anywhere() {
        let reader = reader();
        let loader = Loader::new(&reader, LoadRestriction::RootOnly, &[]);
        let root = Path::new("/p/overlay");
        assert_eq!(loader.directory(root, "../base").unwrap(), Path::new("/p/base"));
        assert!(matches!(loader.directory(root, "/p/base"), Err(LoadError::Absolute(_))));
        assert!(matches!(loader.directory(root, ""), Err(LoadError::Empty)));
        assert!(matches!(loader.directory(root, "b.yaml"), Err(LoadError::NotADirectory(_))));
        assert!(matches!(
            loader.directory(root, "github.com/o/r"),
            Err(LoadError::Remote(Some(_)))
        ));
    }
}
