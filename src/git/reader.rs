//! The files of a commit, as a [`Reader`].
//!
//! Paths are those of the work tree: a file that is `/work/shop/base/a.yaml` when it is checked out is read under that name.
//! Symbolic links lead within the tree of the commit, and out of the repository as they would on the disk. The bytes are
//! those that git holds: filters of a work tree (`core.autocrlf`, `working-tree-encoding`) are not applied, except that the
//! content behind a pointer of git LFS is read where it was fetched.
//!
//! The `.git` of the root is a directory here, too, because project files are searched up to it.

#![expect(clippy::disallowed_methods, reason = "what is outside of the repository is on the disk")]

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use gix::bstr::BStr;
use gix::objs::tree::EntryKind as Mode;
use gix::objs::{Find, Kind, TreeRefIter};

use super::{Clone as CloneKind, GitError, Revision, SHORT_ID_DIGITS, lfs};
use crate::source::{DiskReader, EntryKind, Reader};

/// How many links a path may lead through; more are a loop.
const MAX_LINKS: usize = 40;

/// The name under which the root holds git's own files.
const GIT_DIRECTORY: &str = ".git";

/// Reads the files of a commit. Thread-safe.
pub(crate) struct RevisionReader {
    root: PathBuf,
    common: PathBuf,
    clone: CloneKind,
    hash: gix::hash::Kind,
    /// Handles of the object store that no thread has at the moment.
    handles: Mutex<Vec<gix::OdbHandle>>,
    spare: Mutex<gix::OdbHandle>,
    tree: gix::ObjectId,
    directories: Mutex<HashMap<gix::ObjectId, Arc<Directory>>>,
    /// The first fault that was found. Who asks whether a file exists may not look at errors.
    fault: Mutex<Option<GitError>>,
}

type Directory = HashMap<OsString, Found>;

/// What stands in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    mode: Mode,
    id: gix::ObjectId,
}

/// Where a path leads.
enum Place {
    /// Into the tree, by the path within it. The root has no entry.
    Tree(PathBuf, Option<Found>),
    /// To git's own directory.
    Git,
    /// Out of the repository.
    Disk(PathBuf),
}

/// Whether a link at the end of a path counts as itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Follow,
    Keep,
}

/// Returns a path of the disk with its symbolic links resolved.
pub(super) fn resolved_on_disk(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// Returns whether a pack of the object store was got from a remote that promises the rest.
pub(super) fn has_promised_packs(objects: &Path) -> bool {
    let names = DiskReader.list(&objects.join("pack")).unwrap_or_default();
    names.iter().any(|name| Path::new(name).extension() == Some(OsStr::new("promisor")))
}

impl RevisionReader {
    pub(super) fn new(
        repository: &gix::Repository,
        clone: CloneKind,
        root: &Path,
        revision: Revision,
    ) -> Result<Self, GitError> {
        let mut reader = Self {
            root: root.to_path_buf(),
            common: repository.common_dir().to_path_buf(),
            clone,
            hash: repository.object_hash(),
            handles: Mutex::default(),
            spare: Mutex::new(repository.objects.clone()),
            tree: revision.id,
            directories: Mutex::default(),
            fault: Mutex::default(),
        };
        let commit = reader.object(&revision.id, Kind::Commit, Path::new("HEAD"))?;
        let commit = gix::objs::CommitRef::from_bytes(&commit, reader.hash);
        let commit = commit.map_err(|error| GitError::Unreadable(error.to_string()))?;
        reader.tree = commit.tree();
        reader.directory(&reader.tree, Path::new(""))?;
        Ok(reader)
    }

    /// Returns the first fault of the repository that was met. What was made of the files counts only if there is none: a
    /// file whose object is missing looks absent to those who only ask whether it exists.
    pub(crate) fn fault(&self) -> Option<GitError> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the first fault of the repository.
    fn note(&self, error: io::Error) -> io::Error {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<GitError>());
        if let Some(inner) = inner {
            let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
            fault.get_or_insert_with(|| inner.clone());
        }
        error
    }

    /// Returns the bytes of an object.
    fn object(&self, id: &gix::ObjectId, kind: Kind, path: &Path) -> Result<Vec<u8>, GitError> {
        let free = self.handles.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let handle = free
            .unwrap_or_else(|| self.spare.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let mut bytes = Vec::new();
        let found = handle.try_find(id, &mut bytes);
        let found = found.map(|data| data.map(|data| data.kind));
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        match found {
            Ok(Some(found)) if found == kind => Ok(bytes),
            Ok(Some(found)) => {
                Err(GitError::Unreadable(format!("the object {id} is a {found}, not a {kind}")))
            }
            Ok(None) => Err(GitError::MissingObject {
                id: id.to_string(),
                path: if path.as_os_str().is_empty() { Path::new(".") } else { path }
                    .display()
                    .to_string(),
                clone: self.clone,
            }),
            Err(error) => Err(GitError::Unreadable(error.to_string())),
        }
    }

    fn directory(&self, id: &gix::ObjectId, path: &Path) -> Result<Arc<Directory>, GitError> {
        let known =
            self.directories.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let bytes = self.object(id, Kind::Tree, path)?;
        let mut directory = Directory::new();
        for entry in TreeRefIter::from_bytes(&bytes, self.hash) {
            let entry = entry.map_err(|error| GitError::Unreadable(error.to_string()))?;
            // A name that the operating system cannot write cannot be asked for.
            let Ok(name) = gix::path::from_bstr(entry.filename) else { continue };
            let name = name.into_owned().into_os_string();
            directory.insert(name, Found { mode: entry.mode.kind(), id: entry.oid.to_owned() });
        }
        let directory = Arc::new(directory);
        let mut known = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(known.entry(*id).or_insert(directory)))
    }

    fn missing(path: &Path) -> io::Error {
        io::Error::new(io::ErrorKind::NotFound, format!("{}: no such file", path.display()))
    }

    /// Follows a path component by component, from the root of the repository if it is written below it, else from the
    /// root of the disk.
    fn resolve(&self, path: &Path, last: Last) -> io::Result<Place> {
        let (mut at, mut rest): (PathBuf, Vec<OsString>) = match path.strip_prefix(&self.root) {
            Ok(inside) => (self.root.clone(), components(inside)),
            Err(_) => (PathBuf::new(), components(path)),
        };
        rest.reverse();
        let mut links = 0;
        let mut found = None;
        while let Some(part) = rest.pop() {
            if part == ".." {
                at.pop();
                found = self.entry(&at)?;
                continue;
            }
            // What is absolute begins anew.
            let next = at.join(&part);
            let link = match next.strip_prefix(&self.root) {
                Ok(inside) if inside == Path::new(GIT_DIRECTORY) => {
                    return if rest.is_empty() { Ok(Place::Git) } else { Err(Self::missing(path)) };
                }
                Ok(inside) if inside.as_os_str().is_empty() => {
                    found = None;
                    None
                }
                Ok(inside) => {
                    let entry = self.step(found, &part, inside, path)?;
                    found = Some(entry);
                    match entry.mode {
                        Mode::Link if last == Last::Follow || !rest.is_empty() => {
                            let target = self.object(&entry.id, Kind::Blob, inside);
                            let target = target.map_err(io::Error::other)?;
                            let target = gix::path::from_bstr(BStr::new(&target));
                            Some(target.map_err(|_| Self::missing(path))?.into_owned())
                        }
                        Mode::Blob | Mode::BlobExecutable | Mode::Link if !rest.is_empty() => {
                            return Err(io::Error::new(
                                io::ErrorKind::NotADirectory,
                                format!("{}: a part of it is no directory", path.display()),
                            ));
                        }
                        _ => None,
                    }
                }
                Err(_) if last == Last::Keep && rest.is_empty() => None,
                // What is no link, or does not exist, the question about it will tell.
                Err(_) => fs::read_link(&next).ok(),
            };
            let Some(target) = link else {
                at = next;
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                let message = format!("{}: too many symbolic links", path.display());
                return Err(io::Error::other(message));
            }
            rest.extend(components(&target).into_iter().rev());
            // The link itself is left; an absolute target starts at its own root.
            found = self.entry(&at)?;
        }
        match at.strip_prefix(&self.root) {
            Ok(inside) => Ok(Place::Tree(inside.to_path_buf(), found)),
            Err(_) => Ok(Place::Disk(at)),
        }
    }

    /// Returns the entry at a path that was resolved; none for the root and for what is outside.
    fn entry(&self, resolved: &Path) -> io::Result<Option<Found>> {
        let Ok(inside) = resolved.strip_prefix(&self.root) else { return Ok(None) };
        let mut found = None;
        let mut path = PathBuf::new();
        for part in inside.components() {
            path.push(part);
            found = Some(self.step(found, part.as_os_str(), &path, resolved)?);
        }
        Ok(found)
    }

    /// Goes from a directory of the tree to one of its entries. `inside`: the path of the entry within the tree.
    fn step(
        &self,
        from: Option<Found>,
        part: &OsStr,
        inside: &Path,
        path: &Path,
    ) -> io::Result<Found> {
        let (id, mode) = from.map_or((self.tree, Mode::Tree), |found| (found.id, found.mode));
        let parent = inside.parent().unwrap_or(Path::new(""));
        match mode {
            Mode::Tree => {}
            Mode::Commit => {
                return Err(io::Error::other(submodule(parent, &id)));
            }
            _ => return Err(Self::missing(path)),
        }
        let directory = self.directory(&id, parent).map_err(io::Error::other)?;
        directory.get(part).copied().ok_or_else(|| Self::missing(path))
    }

    fn file(&self, inside: &Path, id: &gix::ObjectId) -> io::Result<Vec<u8>> {
        let bytes = self.object(id, Kind::Blob, inside).map_err(io::Error::other)?;
        if !lfs::is_pointer(&bytes) {
            return Ok(bytes);
        }
        let content = lfs::object_path(&self.common, &bytes).map(|path| DiskReader.read(&path));
        match content {
            Some(Ok(content)) => Ok(content),
            _ => {
                let path = inside.display().to_string();
                let missing = || GitError::Unreadable(format!("`{path}` is no LFS pointer"));
                Err(io::Error::other(lfs::fault(&path, &bytes).unwrap_or_else(missing)))
            }
        }
    }
}

fn submodule(path: &Path, id: &gix::ObjectId) -> GitError {
    let commit = id.to_hex_with_len(SHORT_ID_DIGITS).to_string();
    GitError::Submodule { path: path.display().to_string(), commit }
}

/// Returns the parts of a path, in order, without `.`; the root is a part of its own.
fn components(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    parts.map(|part| part.as_os_str().to_owned()).collect()
}

impl RevisionReader {
    fn bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.resolve(path, Last::Follow)? {
            Place::Tree(inside, Some(found)) => match found.mode {
                Mode::Blob | Mode::BlobExecutable => self.file(&inside, &found.id),
                Mode::Commit => Err(io::Error::other(submodule(&inside, &found.id))),
                Mode::Tree | Mode::Link => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            },
            Place::Tree(_, None) | Place::Git => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Place::Disk(path) => DiskReader.read(&path),
        }
    }

    fn entry_kind(&self, path: &Path) -> io::Result<EntryKind> {
        match self.resolve(path, Last::Keep)? {
            Place::Tree(inside, Some(found)) => match found.mode {
                Mode::Blob | Mode::BlobExecutable => Ok(EntryKind::File),
                Mode::Link => Ok(EntryKind::Symlink),
                Mode::Tree => Ok(EntryKind::Directory),
                Mode::Commit => Err(io::Error::other(submodule(&inside, &found.id))),
            },
            Place::Tree(_, None) | Place::Git => Ok(EntryKind::Directory),
            Place::Disk(path) => DiskReader.kind(&path),
        }
    }

    fn resolved(&self, path: &Path) -> io::Result<PathBuf> {
        match self.resolve(path, Last::Follow)? {
            Place::Tree(inside, Some(Found { mode: Mode::Commit, id })) => {
                Err(io::Error::other(submodule(&inside, &id)))
            }
            Place::Tree(inside, _) if inside.as_os_str().is_empty() => Ok(self.root.clone()),
            Place::Tree(inside, _) => Ok(self.root.join(inside)),
            Place::Git => Ok(self.root.join(GIT_DIRECTORY)),
            Place::Disk(path) => DiskReader.canonicalize(&path),
        }
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let (inside, id) = match self.resolve(path, Last::Follow)? {
            Place::Tree(inside, None) => (inside, self.tree),
            Place::Tree(inside, Some(Found { mode: Mode::Tree, id })) => (inside, id),
            Place::Tree(inside, Some(Found { mode: Mode::Commit, id })) => {
                return Err(io::Error::other(submodule(&inside, &id)));
            }
            Place::Git => return Ok(Vec::new()),
            Place::Tree(..) => return Err(io::Error::from(io::ErrorKind::NotADirectory)),
            Place::Disk(path) => return DiskReader.list(&path),
        };
        let directory = self.directory(&id, &inside).map_err(io::Error::other)?;
        let mut names: Vec<OsString> = directory.keys().cloned().collect();
        names.sort();
        Ok(names)
    }
}

impl Reader for RevisionReader {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.bytes(path).map_err(|error| self.note(error))
    }

    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        self.entry_kind(path).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<GitError>());
            // Who walks through the tree comes by a submodule; what needs it asks for more.
            if inner.is_some_and(GitError::is_of_files) { error } else { self.note(error) }
        })
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.resolved(path).map_err(|error| self.note(error))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.names(path).map_err(|error| self.note(error))
    }
}
