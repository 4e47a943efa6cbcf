//! [`Reader`]s for tests and for callers that hold their files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::{EntryKind, Reader, clean};

/// Files in memory: absolute paths and their bytes, and symbolic links. Directories exist where a file lies below them.
#[derive(Clone, Debug, Default)]
pub struct MemoryReader {
    files: BTreeMap<PathBuf, Vec<u8>>,
    links: BTreeMap<PathBuf, PathBuf>,
}

/// How many links a path may lead through; more are a loop.
const MAX_LINKS: usize = 40;

impl MemoryReader {
    /// Returns a reader without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file at an absolute path, replacing what was there.
    pub fn insert(&mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// Adds a symbolic link at an absolute path; a relative target starts at the link's directory.
    pub fn link(&mut self, path: impl Into<PathBuf>, target: impl Into<PathBuf>) {
        self.links.insert(path.into(), target.into());
    }

    fn missing(path: &Path) -> io::Error {
        io::Error::new(io::ErrorKind::NotFound, format!("{}: no such file", path.display()))
    }

    fn is_directory(&self, path: &Path) -> bool {
        let first_below =
            self.files.range(path.to_path_buf()..).find(|(file, _)| file.as_path() != path);
        let first_link =
            self.links.range(path.to_path_buf()..).find(|(link, _)| link.as_path() != path);
        first_below.is_some_and(|(file, _)| file.starts_with(path))
            || first_link.is_some_and(|(link, _)| link.starts_with(path))
    }

    /// Follows the links on the way to a path, and the one at its end if asked.
    fn resolve(&self, path: &Path, follow_last: bool) -> io::Result<PathBuf> {
        let mut resolved = clean(path);
        for _ in 0..MAX_LINKS {
            let count = resolved.components().count();
            let mut prefix = PathBuf::new();
            let mut next = None;
            for (index, component) in resolved.components().enumerate() {
                prefix.push(component);
                let is_last = index + 1 == count;
                if let Some(target) = self.links.get(&prefix).filter(|_| follow_last || !is_last) {
                    let rest: PathBuf = resolved.components().skip(index + 1).collect();
                    let directory = prefix.parent().unwrap_or(Path::new("/"));
                    next = Some(clean(&directory.join(target).join(rest)));
                    break;
                }
            }
            match next {
                Some(path) => resolved = path,
                None => return Ok(resolved),
            }
        }
        Err(io::Error::other(format!("{}: too many symbolic links", path.display())))
    }
}

impl FromIterator<(PathBuf, Vec<u8>)> for MemoryReader {
    fn from_iter<T: IntoIterator<Item = (PathBuf, Vec<u8>)>>(files: T) -> Self {
        Self { files: files.into_iter().collect(), links: BTreeMap::new() }
    }
}

impl Reader for MemoryReader {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(&self.resolve(path, true)?).cloned().ok_or_else(|| Self::missing(path))
    }

    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        let path = self.resolve(path, false)?;
        if self.links.contains_key(&path) {
            Ok(EntryKind::Symlink)
        } else if self.files.contains_key(&path) {
            Ok(EntryKind::File)
        } else if self.is_directory(&path) {
            Ok(EntryKind::Directory)
        } else {
            Err(Self::missing(&path))
        }
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let path = self.resolve(path, true)?;
        self.kind(&path).map(|_| path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let path = self.resolve(path, true)?;
        let mut names: Vec<OsString> = Vec::new();
        for file in self.files.keys().chain(self.links.keys()) {
            let Ok(rest) = file.strip_prefix(&path) else { continue };
            let Some(first) = rest.components().next() else { continue };
            let name = first.as_os_str();
            if names.last().is_none_or(|last| last != name) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// Counts the reads that go through it to another reader, per path, and notes what was looked for in vain.
pub struct CountingReader<R> {
    inner: R,
    reads: Mutex<BTreeMap<PathBuf, usize>>,
    absent: Mutex<BTreeSet<PathBuf>>,
    links: Mutex<BTreeSet<PathBuf>>,
    listed: Mutex<BTreeSet<PathBuf>>,
}

impl<R: Reader> CountingReader<R> {
    /// Wraps a reader.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            reads: Mutex::default(),
            absent: Mutex::default(),
            links: Mutex::default(),
            listed: Mutex::default(),
        }
    }

    /// Returns how often each path was read.
    pub fn reads(&self) -> BTreeMap<PathBuf, usize> {
        lock(&self.reads).clone()
    }

    /// Returns the paths at which nothing was.
    pub fn absent(&self) -> BTreeSet<PathBuf> {
        lock(&self.absent).clone()
    }

    /// Returns the symbolic links that paths led through.
    pub fn links(&self) -> BTreeSet<PathBuf> {
        lock(&self.links).clone()
    }

    /// Returns the directories whose entries were asked for.
    pub fn listed(&self) -> BTreeSet<PathBuf> {
        lock(&self.listed).clone()
    }

    /// Notes that nothing is at a path, if that is what a question was answered with.
    fn note<T>(&self, path: &Path, answer: io::Result<T>) -> io::Result<T> {
        let is_absent = |e: &io::Error| {
            matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        };
        if answer.as_ref().err().is_some_and(is_absent) {
            lock(&self.absent).insert(clean(path));
        }
        answer
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<R: Reader> Reader for CountingReader<R> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        *lock(&self.reads).entry(path.to_path_buf()).or_default() += 1;
        self.note(path, self.inner.read(path))
    }

    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        let kind = self.note(path, self.inner.kind(path))?;
        if kind == EntryKind::Symlink {
            lock(&self.links).insert(clean(path));
        }
        Ok(kind)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let resolved = self.note(path, self.inner.canonicalize(path))?;
        if resolved != path {
            for prefix in path.ancestors() {
                if self.inner.kind(prefix).is_ok_and(|kind| kind == EntryKind::Symlink) {
                    lock(&self.links).insert(clean(prefix));
                }
            }
        }
        Ok(resolved)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        lock(&self.listed).insert(clean(path));
        self.note(path, self.inner.list(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_in_vain_is_noted() {
        let mut reader = MemoryReader::new();
        reader.insert("/p/a.yaml", "a");
        reader.link("/p/l", "/q");
        reader.insert("/q/b.yaml", "b");
        let reader = CountingReader::new(reader);
        assert!(reader.read(Path::new("/p/a.yaml")).is_ok());
        assert!(reader.kind(Path::new("/p/none.yaml")).is_err());
        assert!(reader.canonicalize(Path::new("/p/l/b.yaml")).is_ok());
        assert!(reader.list(Path::new("/q")).is_ok());
        let paths = |set: BTreeSet<PathBuf>| -> Vec<String> {
            set.iter().map(|path| path.display().to_string()).collect()
        };
        assert_eq!(reader.reads().len(), 1);
        assert_eq!(paths(reader.absent()), ["/p/none.yaml"]);
        assert_eq!(paths(reader.links()), ["/p/l"]);
        assert_eq!(paths(reader.listed()), ["/q"]);
    }

    #[test]
    fn directories_follow_from_files() {
        let mut reader = MemoryReader::new();
        reader.insert("/p/base/a.yaml", "a");
        reader.insert("/p/base-2/b.yaml", "b");
        assert_eq!(reader.kind(Path::new("/p/base")).unwrap(), EntryKind::Directory);
        assert_eq!(reader.kind(Path::new("/p/base/../base/a.yaml")).unwrap(), EntryKind::File);
        assert!(reader.kind(Path::new("/p/bas")).is_err());
        assert_eq!(reader.list(Path::new("/p")).unwrap(), ["base", "base-2"]);
    }
}
