//! What a build of an environment depends on, and whether it is the same on both sides.
//!
//! A build is a function of what its [`Reader`] answers. An environment is compiled once, on the second side, and everything it
//! asks is noted: files that it reads, files and directories that it looks for, links that it follows. If the first side
//! answers every one of these questions in the same way, its build is the same. Of the project file counts what it says
//! for all environments and for this one.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::side::{self, Side};
use crate::diff::same_value;
use crate::git::GitError;
use crate::project::{Environment, ValuesFile};
use crate::provenance::OriginId;
use crate::values::ValueArgs as Values;
use crate::yaml::{Dialect, Key, Node, parse_document};
use crate::{BuildOptions, EntryKind, Reader, Session};

/// What is asked of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Question {
    Read,
    Kind,
    Canonicalize,
    List,
}

/// Notes what is asked of another reader.
struct Recording<'r> {
    inner: &'r dyn Reader,
    asked: Mutex<BTreeSet<(Question, PathBuf)>>,
}

impl Recording<'_> {
    fn note(&self, question: Question, path: &Path) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert((question, path.to_path_buf()));
    }
}

impl Reader for Recording<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.note(Question::Read, path);
        self.inner.read(path)
    }

    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        self.note(Question::Kind, path);
        self.inner.kind(path)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.note(Question::Canonicalize, path);
        self.inner.canonicalize(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.note(Question::List, path);
        self.inner.list(path)
    }
}

/// Compares the answers of two readers; each question is put once.
struct Answers<'r> {
    old: &'r dyn Reader,
    new: &'r dyn Reader,
    known: Mutex<HashMap<(Question, PathBuf), bool>>,
}

impl Answers<'_> {
    fn are_same(&self, question: &(Question, PathBuf)) -> bool {
        let known =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).get(question).copied();
        if let Some(known) = known {
            return known;
        }
        let (kind, path) = question;
        let (old, new) = (self.old, self.new);
        let same = match kind {
            Question::Read => is_same(&old.read(path), &new.read(path)),
            Question::Kind => is_same(&old.kind(path), &new.kind(path)),
            Question::Canonicalize => is_same(&old.canonicalize(path), &new.canonicalize(path)),
            Question::List => is_same(&old.list(path), &new.list(path)),
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(question.clone(), same);
        same
    }
}

fn is_same<T: PartialEq>(old: &io::Result<T>, new: &io::Result<T>) -> bool {
    match (old, new) {
        (Ok(old), Ok(new)) => old == new,
        // What is not in a revision may be another thing in each.
        (Err(old), Err(new)) => old.kind() == new.kind() && git_text(old) == git_text(new),
        _ => false,
    }
}

/// Returns what an error says of a revision.
fn git_text(error: &io::Error) -> Option<String> {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<GitError>());
    inner.map(ToString::to_string)
}

/// Compares the inputs of environments of two sides.
pub(super) struct Inputs<'r> {
    new: &'r Side<'r>,
    values: &'r Values,
    /// The project files.
    documents: [Option<Node>; 2],
    answers: Answers<'r>,
    shown_from: &'r Path,
}

impl<'r> Inputs<'r> {
    pub(super) fn new(
        old: &'r Side<'r>,
        new: &'r Side<'r>,
        values: &'r Values,
        shown_from: &'r Path,
    ) -> Self {
        let (before, after) = (old.session.reader(), new.session.reader());
        let answers = Answers { old: before, new: after, known: Mutex::default() };
        let documents = [project_document(old), project_document(new)];
        Self { new, values, documents, answers, shown_from }
    }

    /// Returns whether an environment has the same inputs on both sides.
    pub(super) fn are_same(&self, before: &Environment, after: &Environment) -> bool {
        if !self.has_same_settings(before, after) {
            return false;
        }
        let recording = Recording { inner: self.new.session.reader(), asked: Mutex::default() };
        let session = Session::for_one_build(&recording);
        let target = self.new.target_of(after);
        let options = BuildOptions {
            shown_from: self.shown_from.to_path_buf(),
            jobs: 1,
            ..BuildOptions::default()
        };
        // What is wrong with it is what `build` says.
        side::build_in(&session, &self.new.project, &target, self.values, options);
        drop(session);
        let asked = recording.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        asked.iter().all(|question| self.answers.are_same(question))
    }

    /// Returns whether the project files say the same for all environments and for this one.
    fn has_same_settings(&self, before: &Environment, after: &Environment) -> bool {
        let [old, new] = &self.documents;
        let files = |environment: &Environment| -> Vec<(String, bool)> {
            let file = |file: &ValuesFile| (file.path.as_str().to_owned(), file.optional);
            environment.values.iter().map(file).collect()
        };
        before.path == after.path
            && before.name == after.name
            && before.vars == after.vars
            && files(before) == files(after)
            && same_value(&common(old.as_ref()), &common(new.as_ref()))
            && same_value(&own(old.as_ref(), before), &own(new.as_ref(), after))
    }
}

fn project_document(side: &Side<'_>) -> Option<Node> {
    let file = side.session.file(side.project.path.as_deref()?).ok()?;
    let text = std::str::from_utf8(file.bytes()).ok()?;
    parse_document(text, file.base(), Dialect::V2).ok().flatten()
}

/// Returns what a project file says for all environments.
fn common(document: Option<&Node>) -> Node {
    let mut node = document.cloned().unwrap_or_else(|| Node::map(Vec::new(), OriginId::NONE));
    for key in ["apiVersion", "kind", "environments"] {
        node.remove(Key::text_key(key));
    }
    node
}

/// Returns what it says for one environment, beside its path.
fn own(document: Option<&Node>, environment: &Environment) -> Node {
    let environments = document.and_then(|node| node.get(Key::text_key("environments")));
    let entries = environments.and_then(Node::entries).unwrap_or_default();
    let entry = entries.iter().find(|entry| entry.key_origin == environment.at);
    let mut node =
        entry.map_or_else(|| Node::map(Vec::new(), OriginId::NONE), |entry| entry.value.clone());
    node.remove(Key::text_key("path"));
    node
}
