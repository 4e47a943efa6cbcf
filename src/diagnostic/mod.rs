//! Faults and warnings as values.
//!
//! Every room that finds a fault builds a [`Diagnostic`]: a stable [`Code`], a message, the places it is about, what to do,
//! and the route of kustomizations that led there. It goes into a [`Sink`]; nothing is printed while the compiler works.
//! [`Lints`] decides at the end which warnings are dropped or become errors, and [`render`] turns diagnostics into text.

mod code;
mod level;
pub mod render;
mod secrets;

use std::collections::HashSet;
use std::sync::Arc;

use crate::provenance::OriginId;
#[cfg(test)]
use crate::source::FileId;
use crate::source::{SourceMap, Span};

pub use code::Code;
pub(crate) use level::Leveled;
pub use level::{Level, Lints};

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The input cannot be compiled.
    Error,
    /// The input compiles, perhaps not to what was meant.
    Warning,
}

impl Severity {
    /// Returns the word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place that a diagnostic is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words for the place; may be empty.
    pub text: String,
    /// Whether this is the place at fault, rather than one that explains it.
    pub primary: bool,
}

/// A kustomization on the way to the one at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// The entry that leads on.
    pub span: Span,
    /// What the entry is, as `resources[2]`.
    pub what: String,
}

/// A fault or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong: lower case, no final stop.
    pub message: String,
    /// The places, the one at fault first. Empty only where no file is concerned.
    pub labels: Vec<Label>,
    /// What the reader can do.
    pub help: Option<String>,
    /// The route to the fault, from the target inwards.
    pub trace: Vec<TraceStep>,
}

impl Diagnostic {
    /// Returns an error without a place.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// Returns a warning without a place.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, severity, message, labels: Vec::new(), help: None, trace: Vec::new() }
    }

    /// Adds a place: the first one is the place at fault, the others explain it.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>, text: impl Into<String>) -> Self {
        if let Some(span) = span.into() {
            let primary = self.labels.is_empty();
            self.labels.push(Label { span, text: text.into(), primary });
        }
        self
    }

    /// Sets what the reader can do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the place at fault.
    pub fn primary(&self) -> Option<&Label> {
        self.labels.iter().find(|l| l.primary)
    }
}

/// The error of a function that has put at least one error into the [`Sink`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reported;

/// The result of a function that reports its faults to the [`Sink`].
pub(crate) type Fallible<T> = Result<T, Reported>;

/// What a build knows of entries that do nothing: one in a file that several targets share may do something in another.
#[derive(Clone, Debug, Default)]
pub struct IdleEntries {
    /// Entries that did something, by the code that would be reported if they had not.
    effective: HashSet<(Code, OriginId)>,
    /// Warnings about entries that did nothing where they were tried, with the entry.
    idle: Vec<(OriginId, Diagnostic)>,
}

impl IdleEntries {
    /// Returns the warnings about the entries of this build that did nothing in any of `all`, the builds of one session, at
    /// their levels.
    pub fn reported(&self, all: &[&Self], sources: &SourceMap, lints: &Lints) -> Vec<Diagnostic> {
        let mut sink = Sink::default();
        for (entry, diagnostic) in &self.idle {
            if !all.iter().any(|one| one.effective.contains(&(diagnostic.code, *entry))) {
                sink.push(diagnostic.clone());
            }
        }
        sink.into_sorted(sources, lints)
    }
}

/// Collects the diagnostics of a build.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink {
    diagnostics: Vec<Diagnostic>,
    places: HashSet<(Code, Span)>,
    /// Entries that did something, by the code that would be reported if they had not.
    effective: HashSet<(Code, OriginId)>,
    /// Warnings about entries that did nothing where they were tried, with the entry.
    idle: Vec<(OriginId, Diagnostic)>,
}

impl Sink {
    /// Adds a diagnostic; the same code at the same place is kept once.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.primary().map(|l| (diagnostic.code, l.span));
        if place.is_none_or(|p| self.places.insert(p)) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Notes that an entry did something.
    pub(crate) fn effective(&mut self, code: Code, entry: OriginId) {
        self.effective.insert((code, entry));
    }

    /// Adds a warning about an entry that does nothing. It counts only if the entry does nothing anywhere: one in a
    /// component or a base is tried wherever that is used.
    pub(crate) fn idle(&mut self, entry: OriginId, diagnostic: Diagnostic) {
        self.idle.push((entry, diagnostic));
    }

    /// Returns whether there is an error.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// Takes over what was found below a kustomization that `route` leads to.
    pub(crate) fn adopt(&mut self, below: &Self, route: &[TraceStep]) {
        let behind = |diagnostic: &Diagnostic| {
            let trace = route.iter().chain(&diagnostic.trace).cloned().collect();
            Diagnostic { trace, ..diagnostic.clone() }
        };
        for diagnostic in &below.diagnostics {
            self.push(behind(diagnostic));
        }
        self.effective.extend(below.effective.iter().copied());
        self.idle.extend(below.idle.iter().map(|(entry, diagnostic)| (*entry, behind(diagnostic))));
    }

    /// Takes what is known of entries that do nothing, so that it is not reported.
    pub(crate) fn take_idle(&mut self) -> IdleEntries {
        IdleEntries {
            effective: std::mem::take(&mut self.effective),
            idle: std::mem::take(&mut self.idle),
        }
    }

    /// Drops the warnings about entries that do nothing.
    pub(crate) fn forget_idle(&mut self) {
        self.idle.clear();
    }

    /// Adds an error.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        debug_assert_eq!(diagnostic.severity, Severity::Error, "a warning does not stop anything");
        self.push(diagnostic);
        Reported
    }

    /// Returns the diagnostics in the order they were found.
    pub(crate) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the diagnostics at their levels, errors first, then by file and place.
    pub(crate) fn into_sorted(mut self, sources: &SourceMap, lints: &Lints) -> Vec<Diagnostic> {
        for (entry, diagnostic) in std::mem::take(&mut self.idle) {
            if !self.effective.contains(&(diagnostic.code, entry)) {
                self.push(diagnostic);
            }
        }
        let mut diagnostics = lints.apply(self.diagnostics, sources);
        let place = |d: &Diagnostic| {
            let span = d.primary()?.span;
            let file = sources.file(span.file)?;
            let (file, offset) = sources.locate_on_disk(file.base() + span.start)?;
            Some((file.path().to_path_buf(), offset))
        };
        diagnostics.sort_by_cached_key(|d| (d.severity, place(d)));
        diagnostics
    }
}

/// Returns the file, line and column where a diagnostic is, in a file on disk.
pub(crate) fn place_of(
    sources: &SourceMap,
    span: Span,
) -> Option<(Arc<crate::source::SourceFile>, u32)> {
    let file = sources.file(span.file)?;
    sources.locate_on_disk(file.base() + span.start)
}

/// Returns a span over a whole file.
#[cfg(test)]
pub(crate) fn file_span(file: FileId) -> Span {
    Span { file, start: 0, end: 0 }
}

/// Returns the candidate that is nearest to a name, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    nearest_within(limit(name.chars().count()), name, candidates)
}

/// Like [`nearest`], at most so many edits away.
pub(crate) fn nearest_within<'a>(
    limit: usize,
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let outline = Outline::of(name);
    let mut folded = Vec::new();
    fold(name, &mut folded);
    let mut other = Vec::new();
    let mut rows = Rows::default();
    let near = candidates.into_iter().filter_map(|candidate| {
        if !outline.may_be_near(Outline::of(candidate), limit) {
            return None;
        }
        fold(candidate, &mut other);
        Some((rows.edit_distance(&folded, &other, limit)?, candidate))
    });
    near.min().map(|(_, candidate)| candidate)
}

/// Returns how many edits may be between a name of so many characters and one that is near.
pub(crate) fn limit(length: usize) -> usize {
    (length / 3).clamp(1, 3)
}

fn fold(text: &str, out: &mut Vec<char>) {
    out.clear();
    out.extend(text.chars().flat_map(char::to_lowercase));
}

/// What can be seen of a name at a glance: enough to tell that most names are not near to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Which characters it has, case ignored: one bit for each letter of ASCII, which other characters share.
    letters: u32,
    /// In bytes; none if not all are ASCII.
    length: Option<u32>,
}

impl Outline {
    pub(crate) fn of(name: &str) -> Self {
        let letters = name.bytes().fold(0, |letters, byte| letters | 1 << (byte & 0x1f));
        Self { letters, length: name.is_ascii().then_some(name.len() as u32) }
    }

    /// Returns whether a candidate may be at most so many edits away.
    pub(crate) fn may_be_near(self, candidate: Self, limit: usize) -> bool {
        let (Some(length), Some(other)) = (self.length, candidate.length) else { return true };
        let limit = limit as u32;
        // One edit changes the length by one, and two letters at most.
        length.abs_diff(other) <= limit
            && (self.letters ^ candidate.letters).count_ones() <= 2 * limit
    }
}

/// Three rows of the table of distances between the beginnings of two words.
#[derive(Debug, Default)]
struct Rows {
    before: Vec<usize>,
    last: Vec<usize>,
    row: Vec<usize>,
}

impl Rows {
    /// Returns the number of insertions, deletions, replacements and swaps of neighbours between two words; none if it is above a limit.
    fn edit_distance(&mut self, a: &[char], b: &[char], limit: usize) -> Option<usize> {
        if a.len().abs_diff(b.len()) > limit {
            return None;
        }
        let Self { before, last, row } = self;
        for one in [&mut *before, &mut *last, &mut *row] {
            one.clear();
            one.extend(0..=b.len());
        }
        for i in 1..=a.len() {
            row[0] = i;
            let mut least = i;
            for j in 1..=b.len() {
                let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
                row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    row[j] = row[j].min(before[j - 2] + 1);
                }
                least = least.min(row[j]);
            }
            // A swap steps over one row, from one that is below the limit.
            if least > limit && last.iter().all(|distance| *distance >= limit) {
                return None;
            }
            std::mem::swap(before, last);
            std::mem::swap(last, row);
        }
        Some(last[b.len()]).filter(|distance| *distance <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered() {
        let fields = ["resources", "replicas", "patches", "images"];
        assert_eq!(nearest("resoruces", fields), Some("resources"));
        assert_eq!(nearest("Image", fields), Some("images"));
        assert_eq!(nearest("foo", fields), None);
        assert_eq!(nearest("replcias", fields), Some("replicas"));
        assert_eq!(nearest("rpelciass", fields), Some("replicas"));
        assert_eq!(nearest("\u{130}mages", ["i\u{307}mages", "images"]), Some("i\u{307}mages"));
    }

    #[test]
    fn a_fault_is_reported_once() {
        let sources = SourceMap::default();
        let file = sources.add("/k".into(), Arc::from(&b"a"[..])).unwrap().id();
        let mut sink = Sink::default();
        for _ in 0..2 {
            sink.push(Diagnostic::error(Code::YamlSyntax, "x").at(file_span(file), ""));
        }
        assert_eq!(sink.diagnostics().len(), 1);
    }
}
