//! What can be wrong with a repository, and what to do.

use std::path::PathBuf;

/// How much of a repository a clone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clone {
    /// All of it.
    Full,
    /// The newest commits.
    Shallow,
    /// Some objects are left to be fetched when they are asked for.
    Partial,
}

/// A fault of a repository or of what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GitError {
    /// There is no repository.
    #[error("`{}` is in no git repository", .0.display())]
    NoRepository(PathBuf),
    /// The repository cannot be read.
    #[error("the git repository cannot be read: {0}")]
    Unreadable(String),
    /// A revision is not known, or is no commit.
    #[error("`{revision}` {}", if *ambiguous { "means several objects" } else { "is no commit of this repository" })]
    Revision {
        /// What was asked for.
        revision: String,
        /// It is the beginning of several ids, or an id and a branch.
        ambiguous: bool,
        /// How much of the repository is there.
        clone: Clone,
    },
    /// Two commits have no common ancestor that is there.
    #[error("`{one}` and `{other}` have no common ancestor{}", match clone {
        Clone::Shallow => " in this shallow clone",
        Clone::Full | Clone::Partial => "",
    })]
    NoMergeBase {
        /// The one commit.
        one: String,
        /// The other one.
        other: String,
        /// How much of the repository is there.
        clone: Clone,
    },
    /// An object is not there.
    #[error("the object {id} of `{path}` is not in this {}", match clone {
        Clone::Full => "repository",
        Clone::Shallow => "shallow clone",
        Clone::Partial => "partial clone",
    })]
    MissingObject {
        /// The id of the object.
        id: String,
        /// The path that it belongs to, within the repository.
        path: String,
        /// How much of the repository is there.
        clone: Clone,
    },
    /// A file of a submodule was asked for.
    #[error("`{path}` is a submodule at {commit}, whose files are in another repository")]
    Submodule {
        /// The path of the submodule, within the repository.
        path: String,
        /// Its commit.
        commit: String,
    },
    /// A file is a pointer into the storage of git LFS, and its content is not there.
    #[error("`{path}` is a git LFS pointer to {digest}, and its content is not in this clone")]
    LfsPointer {
        /// The path of the file.
        path: String,
        /// The beginning of the SHA-256 of the content.
        digest: String,
    },
    /// There is no index.
    #[error("the git index cannot be read: {0}")]
    Index(String),
}

impl GitError {
    /// Returns whether the fault is of the files that were asked for, and not of the repository: what does not need them can
    /// go on.
    pub(crate) fn is_of_files(&self) -> bool {
        matches!(self, Self::Submodule { .. } | Self::LfsPointer { .. })
    }

    /// Returns what to do.
    pub(crate) fn help(&self) -> Option<String> {
        let deepen = "run `git fetch --unshallow`, or set `fetch-depth: 0` for actions/checkout";
        let text = match self {
            Self::NoRepository(_) => {
                "run kiln inside a git repository, or compare two directories with `--from` and `--to`"
            }
            Self::Revision { ambiguous: true, .. } => {
                "write more of the id, or `refs/heads/` before a branch"
            }
            Self::Revision { clone: Clone::Shallow, .. } => {
                "the clone is shallow: run `git fetch --unshallow`, or set `fetch-depth: 0` for actions/checkout"
            }
            Self::Revision { .. } => {
                "name a branch, a tag or a commit; `git fetch` gets those of the remote"
            }
            Self::NoMergeBase { clone: Clone::Shallow, .. }
            | Self::MissingObject { clone: Clone::Shallow, .. } => deepen,
            Self::NoMergeBase { .. } => {
                "compare the revisions themselves, with `--no-merge-base` or as `A..B`"
            }
            Self::MissingObject { clone: Clone::Partial, .. } => {
                "run `git fetch --refetch --no-filter`, which gets every object"
            }
            Self::MissingObject { .. } => "run `git fsck`: the repository is damaged",
            Self::Submodule { .. } => {
                "a revision does not contain it: check both sides out and compare them with `--from` and `--to`"
            }
            Self::LfsPointer { .. } => {
                "run `git lfs pull` for the commit that is checked out, `git lfs fetch --all` for any other"
            }
            Self::Unreadable(_) | Self::Index(_) => return None,
        };
        Some(text.to_owned())
    }
}
