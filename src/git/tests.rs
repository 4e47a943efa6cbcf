//! Repositories that the tests write with the library.

#![expect(clippy::disallowed_methods, reason = "the tests make repositories")]

use std::fs;
use std::path::{Path, PathBuf};

use gix::objs::tree::EntryKind as Mode;

use super::*;
use crate::source::{EntryKind, Reader};

struct Made {
    directory: tempfile::TempDir,
    repository: gix::Repository,
    parent: Option<gix::ObjectId>,
}

impl Made {
    fn new() -> Self {
        let directory = tempfile::TempDir::new().unwrap();
        let repository = gix::init(directory.path()).unwrap();
        Self { directory, repository, parent: None }
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.directory.path()).unwrap()
    }

    /// Commits files on top of `parents`; the whole tree is what is named.
    fn commit(&mut self, parents: &[gix::ObjectId], files: &[(&str, Mode, &str)]) -> gix::ObjectId {
        let mut tree = self.repository.edit_tree(self.repository.empty_tree().id).unwrap();
        for (path, mode, text) in files {
            let id = match mode {
                Mode::Commit => gix::ObjectId::from_hex(text.as_bytes()).unwrap(),
                _ => self.repository.write_blob(text).unwrap().detach(),
            };
            tree.upsert(*path, *mode, id).unwrap();
        }
        let tree = tree.write().unwrap().detach();
        let who = gix::actor::SignatureRef {
            name: "a".into(),
            email: "a@example.com".into(),
            time: "1700000000 +0000",
        };
        let parents = parents.iter().copied();
        let commit = self.repository.new_commit_as(who, who, "change", tree, parents).unwrap();
        let id = commit.id;
        let head = self.repository.head_name().unwrap().unwrap();
        let any = gix::refs::transaction::PreviousValue::Any;
        self.repository.reference(head.as_ref(), id, any, "commit").unwrap();
        self.parent = Some(id);
        id
    }

    fn object_file(&self, id: gix::ObjectId) -> PathBuf {
        let id = id.to_string();
        self.root().join(".git/objects").join(&id[..2]).join(&id[2..])
    }
}

const FILE: Mode = Mode::Blob;

#[test]
fn a_commit_is_read_as_if_it_were_checked_out() {
    let mut made = Made::new();
    let first = made.commit(
        &[],
        &[
            ("base/a.yaml", FILE, "a: 1\n"),
            ("run.sh", Mode::BlobExecutable, "#!\n"),
            ("overlays/prod/up", Mode::Link, "../../base"),
            ("overlays/prod/file", Mode::Link, "up/a.yaml"),
            ("overlays/prod/loop", Mode::Link, "loop"),
            ("overlays/prod/gone", Mode::Link, "nowhere"),
        ],
    );
    made.commit(&[first], &[("base/a.yaml", FILE, "a: 2\n")]);
    // What is checked out does not count.
    fs::create_dir_all(made.root().join("base")).unwrap();
    fs::write(made.root().join("base/b.yaml"), "b").unwrap();
    let repository = Repository::discover(&made.root().join("base")).unwrap();
    assert_eq!(repository.root(), made.root());
    assert!(!repository.is_bare());
    let old = repository.resolve("HEAD~1").unwrap();
    assert_eq!(old.id(), first.to_string());
    let reader = repository.reader(old).unwrap();
    let at = |path: &str| made.root().join(path);
    assert_eq!(reader.read(&at("base/a.yaml")).unwrap(), b"a: 1\n");
    assert_eq!(reader.read(&at("overlays/prod/file")).unwrap(), b"a: 1\n");
    assert_eq!(reader.read(&at("overlays/../base/./a.yaml")).unwrap(), b"a: 1\n");
    assert_eq!(reader.canonicalize(&at("overlays/prod/up")).unwrap(), at("base"));
    assert_eq!(reader.canonicalize(&at("overlays/prod/up/..")).unwrap(), at(""));
    assert_eq!(reader.kind(&at("overlays/prod/up")).unwrap(), EntryKind::Symlink);
    assert_eq!(reader.kind(&at("overlays/prod/up/a.yaml")).unwrap(), EntryKind::File);
    assert_eq!(reader.kind(&at("run.sh")).unwrap(), EntryKind::File);
    assert_eq!(reader.kind(&at("")).unwrap(), EntryKind::Directory);
    assert_eq!(reader.kind(&at(".git")).unwrap(), EntryKind::Directory);
    assert_eq!(reader.list(&at("")).unwrap(), ["base", "overlays", "run.sh"]);
    assert_eq!(reader.list(&at("overlays/prod/up")).unwrap(), ["a.yaml"]);
    let kind_of_error = |path: &str| reader.read(&at(path)).unwrap_err().kind();
    assert_eq!(kind_of_error("base/b.yaml"), std::io::ErrorKind::NotFound);
    assert_eq!(kind_of_error("base/a.yaml/x"), std::io::ErrorKind::NotADirectory);
    assert_eq!(kind_of_error("overlays/prod/gone"), std::io::ErrorKind::NotFound);
    assert_eq!(kind_of_error("base"), std::io::ErrorKind::IsADirectory);
    assert!(reader.read(&at("overlays/prod/loop")).unwrap_err().to_string().contains("symbolic"));
    assert!(reader.canonicalize(&at("overlays/prod/loop")).is_err());
    // Outside there is the disk.
    let outside = tempfile::TempDir::new().unwrap();
    fs::write(outside.path().join("x"), "x").unwrap();
    assert_eq!(reader.read(&outside.path().join("x")).unwrap(), b"x");
    assert_eq!(reader.fault(), None);
    let new = repository.reader(repository.resolve("HEAD").unwrap()).unwrap();
    assert_eq!(new.read(&at("base/a.yaml")).unwrap(), b"a: 2\n");
}

#[cfg(unix)]
#[test]
fn a_link_to_the_repository_leads_into_the_commit() {
    let mut made = Made::new();
    made.commit(&[], &[("base/a.yaml", FILE, "a: 1\n")]);
    let outside = tempfile::TempDir::new().unwrap();
    let link = outside.path().join("link");
    std::os::unix::fs::symlink(made.root(), &link).unwrap();
    let repository = Repository::discover(&link).unwrap();
    let reader = repository.reader(repository.resolve("HEAD").unwrap()).unwrap();
    assert_eq!(reader.read(&link.join("base/a.yaml")).unwrap(), b"a: 1\n");
    assert_eq!(reader.canonicalize(&link.join("base")).unwrap(), made.root().join("base"));
    assert_eq!(reader.kind(&link).unwrap(), EntryKind::Symlink);
}

#[test]
fn what_a_revision_does_not_hold_is_named() {
    let mut made = Made::new();
    let digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 5\n");
    let commit = made.commit(
        &[],
        &[
            ("vendor/lib", Mode::Commit, "1111111111111111111111111111111111111111"),
            ("big.yaml", FILE, &pointer),
            ("a.yaml", FILE, "a: 1\n"),
        ],
    );
    let repository = Repository::discover(&made.root()).unwrap();
    let revision = repository.resolve("HEAD").unwrap();
    let at = |path: &str| made.root().join(path);
    let reader = repository.reader(revision).unwrap();
    // Coming by is no fault.
    assert!(reader.kind(&at("vendor/lib")).is_err());
    assert!(reader.kind(&at("vendor/lib/x")).is_err());
    assert_eq!(reader.list(&at("vendor")).unwrap(), ["lib"]);
    assert_eq!(reader.fault(), None);
    assert!(reader.canonicalize(&at("vendor/lib")).is_err());
    assert!(reader.list(&at("vendor/lib")).is_err());
    assert_eq!(
        reader.fault(),
        Some(GitError::Submodule { path: "vendor/lib".to_owned(), commit: "1".repeat(10) })
    );
    let reader = repository.reader(revision).unwrap();
    assert!(reader.read(&at("big.yaml")).is_err());
    assert_eq!(
        reader.fault(),
        Some(GitError::LfsPointer { path: "big.yaml".to_owned(), digest: digest[..10].to_owned() })
    );
    // Once it is fetched it is read.
    let object = at(".git/lfs/objects/4d/7a").join(digest);
    fs::create_dir_all(object.parent().unwrap()).unwrap();
    fs::write(object, "b: 2\n").unwrap();
    let reader = repository.reader(revision).unwrap();
    assert_eq!(reader.read(&at("big.yaml")).unwrap(), b"b: 2\n");
    // An object that is lost.
    let id = made.repository.find_commit(commit).unwrap().tree().unwrap();
    let blob = id.find_entry("a.yaml").unwrap().object_id();
    fs::remove_file(made.object_file(blob)).unwrap();
    let repository = Repository::discover(&made.root()).unwrap();
    let reader = repository.reader(revision).unwrap();
    let error = reader.read(&at("a.yaml")).unwrap_err();
    assert!(error.to_string().contains("`a.yaml` is not in this repository"), "{error}");
    assert!(matches!(reader.fault(), Some(GitError::MissingObject { clone: Clone::Full, .. })));
}

#[test]
fn a_shallow_clone_says_what_to_fetch() {
    let mut made = Made::new();
    let root = made.commit(&[], &[("a", FILE, "0")]);
    let one = made.commit(&[root], &[("a", FILE, "1")]);
    let other = made.commit(&[root], &[("a", FILE, "2")]);
    let repository = Repository::discover(&made.root()).unwrap();
    let revision = |id: gix::ObjectId| repository.resolve(&id.to_string()).unwrap();
    let base = repository.merge_base(revision(one), revision(other)).unwrap();
    assert_eq!(base.id(), root.to_string());
    assert_eq!(repository.merge_base(revision(one), revision(one)).unwrap(), revision(one));
    // As `git clone --depth 1` leaves it.
    fs::write(made.root().join(".git/shallow"), format!("{one}\n{other}\n")).unwrap();
    fs::remove_file(made.object_file(root)).unwrap();
    let repository = Repository::discover(&made.root()).unwrap();
    let error = repository.merge_base(revision(one), revision(other)).unwrap_err();
    assert!(matches!(error, GitError::NoMergeBase { clone: Clone::Shallow, .. }), "{error}");
    assert!(error.help().unwrap().contains("--unshallow"));
    for unknown in ["main~7", "nope", "", "-x", &root.to_string()] {
        let error = repository.resolve(unknown).unwrap_err();
        assert!(matches!(error, GitError::Revision { clone: Clone::Shallow, .. }), "{unknown}");
        assert!(error.help().unwrap().contains("fetch-depth: 0"));
    }
    let outside = tempfile::TempDir::new().unwrap();
    assert!(matches!(Repository::discover(outside.path()), Err(GitError::NoRepository(_))));
}

#[test]
fn linked_work_trees_and_bare_repositories_have_a_root() {
    let mut made = Made::new();
    let id = made.commit(&[], &[("a.yaml", FILE, "a: 1\n")]);
    let linked = tempfile::TempDir::new().unwrap();
    let linked = fs::canonicalize(linked.path()).unwrap();
    fs::create_dir_all(&linked).unwrap();
    let own = made.root().join(".git/worktrees/linked");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("gitdir"), format!("{}\n", linked.join(".git").display())).unwrap();
    fs::write(own.join("commondir"), "../..\n").unwrap();
    fs::write(own.join("HEAD"), format!("{id}\n")).unwrap();
    fs::write(linked.join(".git"), format!("gitdir: {}\n", own.display())).unwrap();
    let repository = Repository::discover(&linked).unwrap();
    assert_eq!(repository.root(), linked);
    let reader = repository.reader(repository.resolve("HEAD").unwrap()).unwrap();
    assert_eq!(reader.read(&linked.join("a.yaml")).unwrap(), b"a: 1\n");
    fs::remove_dir_all(&linked).unwrap();

    let bare = tempfile::TempDir::new().unwrap();
    gix::init_bare(bare.path()).unwrap();
    let objects = format!("{}\n", made.root().join(".git/objects").display());
    fs::write(bare.path().join("objects/info/alternates"), objects).unwrap_or_else(|_| {
        fs::create_dir_all(bare.path().join("objects/info")).unwrap();
        let objects = format!("{}\n", made.root().join(".git/objects").display());
        fs::write(bare.path().join("objects/info/alternates"), objects).unwrap();
    });
    let repository = Repository::discover(bare.path()).unwrap();
    assert!(repository.is_bare());
    let reader = repository.reader(repository.resolve(&id.to_string()).unwrap()).unwrap();
    assert_eq!(reader.read(&repository.root().join("a.yaml")).unwrap(), b"a: 1\n");
}

#[test]
fn the_index_says_what_is_staged() {
    let mut made = Made::new();
    let commit = made.commit(
        &[],
        &[
            ("rendered/prod/a.yaml", FILE, "a: 1\n"),
            ("rendered/prod/b.yaml", FILE, "b: 1\n"),
            ("rendered-more/c.yaml", FILE, "c: 1\n"),
        ],
    );
    let repository = Repository::discover(&made.root()).unwrap();
    let at = |path: &str| made.root().join(path);
    let empty = repository.index().unwrap();
    assert_eq!(empty.state(&at("rendered/prod/a.yaml"), Some(b"a: 1\n")), Staged::Untracked);
    let tree = made.repository.find_commit(commit).unwrap().tree_id().unwrap();
    let mut index = made.repository.index_from_tree(&tree).unwrap();
    index.write(gix::index::write::Options::default()).unwrap();
    let index = repository.index().unwrap();
    for (path, bytes, state) in [
        ("rendered/prod/a.yaml", Some("a: 1\n"), Staged::Same),
        ("rendered/prod/a.yaml", Some("a: 1\r\n"), Staged::Same),
        ("rendered/prod/a.yaml", Some("a: 2\n"), Staged::Differs),
        ("rendered/prod/a.yaml", None, Staged::Differs),
        ("rendered/prod/new.yaml", Some(""), Staged::Untracked),
        ("rendered/prod/new.yaml", None, Staged::Same),
        ("rendered/prod", None, Staged::Same),
    ] {
        let found = index.state(&at(path), bytes.map(str::as_bytes));
        assert_eq!(found, state, "{path} {bytes:?}");
    }
    assert_eq!(index.state(Path::new("/elsewhere"), Some(b"")), Staged::Untracked);
    let below = index.below(&at("rendered"));
    assert_eq!(below, [at("rendered/prod/a.yaml"), at("rendered/prod/b.yaml")]);
    assert_eq!(index.below(&made.root()).len(), 3);
    assert!(index.below(&at("nowhere")).is_empty());
}
