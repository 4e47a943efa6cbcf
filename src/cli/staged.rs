//! What `kiln render --require-staged` asks of the git index: that the next commit holds the rendered tree as it is on disk.
//!
//! A commit is also without its sources where a file that was compiled is not known to git at all, so those are asked for,
//! too. Whether they are staged in full is not: filters (`git-crypt`, LFS) make other bytes of a source than the index has.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};
use crate::git::{GitError, Index, Repository, Staged};
use crate::source::{EntryKind, Reader, SourceMap, display_path};

/// How many files are listed.
const MAX_LISTED: usize = 20;

/// The files of a rendered tree.
#[derive(Default)]
pub(super) struct RenderedFiles<'r> {
    /// The paths in it, with `/` between parts, and their bytes.
    pub(super) files: Vec<(&'r str, &'r [u8])>,
    /// The folders of the tree that were rendered, each with `/` at its end; nothing for all of it.
    pub(super) folders: Vec<String>,
    /// What this run has written.
    pub(super) changed: BTreeSet<&'r str>,
}

/// What is not as it will be committed.
#[derive(Debug, Default)]
pub(super) struct Unstaged {
    /// Rendered files, absolute, and what is wrong with them.
    pub(super) rendered: Vec<(PathBuf, &'static str)>,
    /// Files that were compiled and that git does not know.
    pub(super) sources: Vec<PathBuf>,
}

impl Unstaged {
    /// Compares rendered files with the index of the repository that they are in. `tree_directory`: absolute.
    pub(super) fn add_rendered(
        &mut self,
        reader: &dyn Reader,
        tree_directory: &Path,
        tree: &RenderedFiles<'_>,
    ) -> Result<(), GitError> {
        // The tree may be a link into another work tree, and gone with its last file.
        let directory = reader.canonicalize(tree_directory);
        let directory = directory.unwrap_or_else(|_| tree_directory.to_path_buf());
        let existing = directory.ancestors().find(|above| reader.kind(above).is_ok());
        let index = Repository::discover(existing.unwrap_or(&directory))?.index()?;
        for (path, bytes) in &tree.files {
            let is_changed = tree.changed.contains(path);
            let what = match index.state(&directory.join(path), Some(bytes)) {
                Staged::Untracked => "not in the index",
                Staged::Differs => "differs from the index",
                Staged::Conflicted => "in conflict in the index",
                Staged::Same if is_changed => "written by this run",
                Staged::Same => continue,
            };
            self.rendered.push((tree_directory.join(path), what));
        }
        let expected: HashSet<&str> = tree.files.iter().map(|(path, _)| *path).collect();
        for path in index.below(&directory) {
            let Ok(inside) = path.strip_prefix(&directory) else { continue };
            let inside = inside.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
            let is_own = tree.folders.is_empty()
                || tree.folders.iter().any(|folder| inside.starts_with(folder));
            let is_gone = reader.kind(&path).is_err();
            if is_own && is_gone && !expected.contains(inside.as_str()) {
                self.rendered.push((tree_directory.join(inside), "removed, but in the index"));
            }
        }
        Ok(())
    }

    /// Looks for files that were compiled and that the next commit would not have.
    pub(super) fn add_sources(
        &mut self,
        reader: &dyn Reader,
        root: &Path,
        sources: &SourceMap,
    ) -> Result<(), GitError> {
        let repository = Repository::discover(root)?;
        let index = repository.index()?;
        let mut paths = BTreeSet::new();
        for file in sources.all() {
            let path = file.path();
            if !file.is_inside() && !file.is_rendered() && path.starts_with(repository.root()) {
                paths.insert(path.to_path_buf());
            }
        }
        paths.retain(|path| {
            is_untracked(&index, path) && !is_in_submodule(reader, repository.root(), path)
        });
        self.sources.extend(paths);
        Ok(())
    }

    /// Returns a list for people and the errors; nothing if all is staged. `directory`: where paths are seen from. `trees`:
    /// the rendered trees by their directories.
    pub(super) fn report(
        &self,
        directory: &Path,
        trees: &BTreeMap<PathBuf, RenderedFiles<'_>>,
    ) -> (String, Vec<Diagnostic>) {
        let mut list = String::new();
        let mut errors = Vec::new();
        let shown = |path: &Path| display_path(path, directory);
        for (path, what) in self.rendered.iter().take(MAX_LISTED) {
            let _ = writeln!(list, "{}: {what}", shown(path));
        }
        if self.rendered.len() > MAX_LISTED {
            let _ = writeln!(list, "and {} more", self.rendered.len() - MAX_LISTED);
        }
        if !self.rendered.is_empty() {
            let message = match self.rendered.len() {
                1 => "a rendered file is not staged as it is now".to_owned(),
                count => format!("{count} rendered files are not staged as they are now"),
            };
            let concerned = trees
                .keys()
                .filter(|tree| self.rendered.iter().any(|(path, _)| path.starts_with(tree)));
            let arguments: Vec<String> = concerned.map(|tree| quoted(&shown(tree))).collect();
            let help = format!("run `git add {}`", arguments.join(" "));
            errors.push(Diagnostic::error(Code::RenderNotStaged, message).help(help));
        }
        if !self.sources.is_empty() {
            let names: Vec<String> = self.sources.iter().map(|path| shown(path)).collect();
            let listed = names[..names.len().min(MAX_LISTED)].join("`, `");
            let verb = if names.len() == 1 { "is" } else { "are" };
            let message = format!("`{listed}` {verb} compiled, and not known to git");
            let arguments: Vec<String> =
                names.iter().take(MAX_LISTED).map(|name| quoted(name)).collect();
            let help = format!("run `git add {}`", arguments.join(" "));
            errors.push(Diagnostic::error(Code::RenderSourceUntracked, message).help(help));
        }
        (list, errors)
    }
}

fn is_untracked(index: &Index, path: &Path) -> bool {
    // The bytes do not matter to whether there is an entry.
    index.state(path, Some(&[])) == Staged::Untracked
}

/// Returns whether a file belongs to a repository inside of the repository.
fn is_in_submodule(reader: &dyn Reader, root: &Path, path: &Path) -> bool {
    path.ancestors().skip(1).take_while(|directory| *directory != root).any(|directory| {
        matches!(reader.kind(&directory.join(".git")), Ok(EntryKind::File | EntryKind::Directory))
    })
}

/// Writes a path so that a shell takes it as one word.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', "'\\''"))
}
