//! The index: what the next commit would hold.

#![allow(dead_code, reason = "what is staged is asked by hooks")]

use std::path::{Path, PathBuf};

use gix::bstr::BStr;

use super::GitError;

/// How a file of the disk stands to the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Staged {
    /// Git does not know the path.
    Untracked,
    /// The index has the same bytes; or, of a file that does not exist, no entry.
    Same,
    /// The index has other bytes, or is told of the path only (`git add --intent-to-add`), or has a file that does not exist.
    Differs,
    /// The path is in conflict.
    Conflicted,
}

/// The index of a repository, as it stood when it was read.
pub(crate) struct Index {
    state: gix::index::State,
    root: PathBuf,
}

impl Index {
    pub(super) fn read(repository: &gix::Repository, root: &Path) -> Result<Self, GitError> {
        let index = repository.index_or_empty();
        let index = index.map_err(|error| GitError::Index(error.to_string()))?;
        let file = gix::index::File::clone(&index);
        Ok(Self { state: file.into_parts().0, root: root.to_path_buf() })
    }

    /// Returns the name of a path (absolute) in the index; none outside the work tree.
    fn name(&self, path: &Path) -> Option<Vec<u8>> {
        let inside = path.strip_prefix(&self.root).ok()?;
        let mut name = Vec::new();
        for part in inside.components() {
            if !name.is_empty() {
                name.push(b'/');
            }
            name.extend_from_slice(part.as_os_str().as_encoded_bytes());
        }
        Some(name)
    }

    /// Compares a file of the disk with the index. `path`: absolute, symbolic links resolved. `bytes`: the file as it
    /// stands on the disk; none if it does not exist.
    ///
    /// Bytes are compared as they are: what filters (`core.autocrlf`, `text`) would make of them does not count, except
    /// that CR LF may stand for LF.
    pub(crate) fn state(&self, path: &Path, bytes: Option<&[u8]>) -> Staged {
        let Some(name) = self.name(path) else { return Staged::Untracked };
        let name: &BStr = name.as_slice().into();
        let Some(range) = self.state.entry_range(name) else {
            return if bytes.is_some() { Staged::Untracked } else { Staged::Same };
        };
        let [entry] = &self.state.entries()[range] else { return Staged::Conflicted };
        if entry.stage() != gix::index::entry::Stage::Unconflicted {
            return Staged::Conflicted;
        }
        let Some(bytes) = bytes else { return Staged::Differs };
        let hash = |bytes: &[u8]| {
            gix::objs::compute_hash(self.state.object_hash(), gix::objs::Kind::Blob, bytes).ok()
        };
        let is_intent = entry.flags.contains(gix::index::entry::Flags::INTENT_TO_ADD);
        let is_same = hash(bytes) == Some(entry.id)
            || (bytes.contains(&b'\r') && hash(&without_cr(bytes)) == Some(entry.id));
        if is_same && !is_intent { Staged::Same } else { Staged::Differs }
    }

    /// Returns the files that the index has below a directory (absolute, symbolic links resolved), in its order.
    pub(crate) fn below(&self, directory: &Path) -> Vec<PathBuf> {
        let Some(mut prefix) = self.name(directory) else { return Vec::new() };
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let entries = match prefix.as_slice() {
            [] => self.state.entries(),
            prefix => self.state.prefixed_entries(prefix.into()).unwrap_or_default(),
        };
        let mut paths: Vec<PathBuf> = entries
            .iter()
            .filter_map(|entry| gix::path::from_bstr(entry.path(&self.state)).ok())
            .map(|inside| self.root.join(inside))
            .collect();
        // A path in conflict has several entries.
        paths.dedup();
        paths
    }
}

fn without_cr(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    out
}
