//! Git repositories: revisions, the files of a revision, the index.
//!
//! Comes in: a directory and what the user calls a revision. Goes out: a [`RevisionReader`], which answers a build from the
//! tree of a commit, and an [`Index`], which says whether a file is staged as it stands on the disk. Objects are read in
//! process from the object store; nothing is checked out, no `git` is started, nothing is fetched or written.
//!
//! ```text
//! let repository = Repository::discover(directory)?;              // the nearest above, or what GIT_DIR names
//! let revision = repository.resolve("origin/main")?;              // a commit: any revision syntax of git
//! let base = repository.merge_base(&revision, &repository.resolve("HEAD")?)?;
//! let reader = repository.reader(&base)?;                         // a `Reader`: `Session::new(&reader)`
//! let index = repository.index()?;                                // `index.state(path, Some(&bytes))`, `index.below(path)`
//! ```
//!
//! Linked work trees, `.git` files, alternates, bare repositories and both hashes of git work. What a clone lacks
//! because it is shallow or partial, what a submodule holds, and what git LFS keeps elsewhere are errors that name the
//! remedy ([`GitError::help`]).

mod error;
mod index;
mod lfs;
mod reader;

use std::path::{Path, PathBuf};

pub(crate) use error::{Clone, GitError};
pub(crate) use index::{Index, Staged};
pub(crate) use lfs::fault as lfs_fault;
pub(crate) use reader::RevisionReader;

/// A repository that was found.
pub(crate) struct Repository {
    inner: gix::ThreadSafeRepository,
    root: PathBuf,
}

/// A commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Revision {
    id: gix::ObjectId,
}

impl Revision {
    /// Returns the id as git writes it.
    pub(crate) fn id(&self) -> String {
        self.id.to_string()
    }

    /// Returns the first digits of the id.
    pub(crate) fn short(&self) -> String {
        self.id.to_hex_with_len(SHORT_ID_DIGITS).to_string()
    }
}

/// How many digits of an id are enough for people, as in git.
const SHORT_ID_DIGITS: usize = 10;

impl Repository {
    /// Returns the repository that `GIT_DIR` names, else the nearest one above a directory (absolute), as git finds it.
    ///
    /// Whose repository it is does not matter: nothing that it configures is run.
    pub(crate) fn discover(directory: &Path) -> Result<Self, GitError> {
        use gix::discover::upwards;
        let options = upwards::Options { match_ceiling_dir_or_error: false, ..Default::default() };
        let found = gix::ThreadSafeRepository::discover_with_environment_overrides_opts(
            directory,
            options,
            gix::sec::trust::Mapping::default(),
        );
        let inner = found.map_err(|error| match error.downcast_any_ref::<upwards::Error>() {
            Some(
                upwards::Error::NoGitRepository { .. }
                | upwards::Error::NoGitRepositoryWithinCeiling { .. }
                | upwards::Error::NoGitRepositoryWithinFs { .. },
            ) => GitError::NoRepository(directory.to_path_buf()),
            _ => GitError::Unreadable(error.to_string()),
        })?;
        let root = inner.work_dir().unwrap_or_else(|| inner.git_dir()).to_path_buf();
        let root = std::path::absolute(&root).unwrap_or(root);
        let root = reader::resolved_on_disk(&root).unwrap_or(root);
        Ok(Self { inner, root })
    }

    /// Returns the root of the work tree, symbolic links resolved; of a bare repository, its own directory.
    #[allow(dead_code, reason = "what is staged is asked by hooks")]
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns whether there are no files beside the objects.
    pub(crate) fn is_bare(&self) -> bool {
        self.inner.work_dir().is_none()
    }

    fn kind(&self, repository: &gix::Repository) -> Clone {
        let partial = repository.config_snapshot().string("extensions.partialClone").is_some();
        let is_promised = partial || reader::has_promised_packs(self.inner.objects_dir());
        match (repository.is_shallow(), is_promised) {
            (Ok(true), _) => Clone::Shallow,
            (_, true) => Clone::Partial,
            _ => Clone::Full,
        }
    }

    /// Returns the commit that a revision means: a branch, a tag, an id or its beginning, `HEAD~2`, `main@{upstream}`.
    pub(crate) fn resolve(&self, revision: &str) -> Result<Revision, GitError> {
        let repository = self.inner.to_thread_local();
        let unknown = |ambiguous| GitError::Revision {
            revision: revision.to_owned(),
            ambiguous,
            clone: self.kind(&repository),
        };
        // The empty revision and a flag are never meant.
        if revision.is_empty() || revision.starts_with('-') {
            return Err(unknown(false));
        }
        let found = repository.rev_parse_single(revision).and_then(|id| id.object());
        let commit = found.and_then(gix::Object::peel_to_commit);
        commit.map(|commit| Revision { id: commit.id }).map_err(|error| {
            use gix::revision::spec::parse::Error;
            let cause = error.downcast_any_ref::<Error>();
            unknown(matches!(
                cause,
                Some(Error::AmbiguousPrefix { .. } | Error::AmbiguousRefAndObject { .. })
            ))
        })
    }

    /// Returns the best common ancestor of two commits.
    pub(crate) fn merge_base(&self, one: Revision, other: Revision) -> Result<Revision, GitError> {
        if one == other {
            return Ok(one);
        }
        let mut repository = self.inner.to_thread_local();
        repository.object_cache_size_if_unset(OBJECT_CACHE_BYTES);
        let found = repository.merge_base(one.id, other.id);
        let found = found.map_err(|error| GitError::Unreadable(error.to_string()))?;
        let id = found.map(gix::Id::detach).ok_or_else(|| GitError::NoMergeBase {
            one: one.short(),
            other: other.short(),
            clone: self.kind(&repository),
        })?;
        Ok(Revision { id })
    }

    /// Returns what reads the files of a commit: everything below [`Repository::root`] from its tree, all other files from
    /// the disk.
    pub(crate) fn reader(&self, revision: Revision) -> Result<RevisionReader, GitError> {
        let repository = self.inner.to_thread_local();
        RevisionReader::new(&repository, self.kind(&repository), &self.root, revision)
    }

    /// Reads the index.
    #[allow(dead_code, reason = "what is staged is asked by hooks")]
    pub(crate) fn index(&self) -> Result<Index, GitError> {
        Index::read(&self.inner.to_thread_local(), &self.root)
    }
}

/// What a walk through the history keeps of the commits that it read.
const OBJECT_CACHE_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests;
