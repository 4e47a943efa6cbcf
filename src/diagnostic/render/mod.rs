//! Diagnostics to text, one file per format.
//!
//! Every format shows the same view of a diagnostic: paths as seen from a directory, places in files on disk, and no
//! secret.

mod full;
mod github;
mod json;
mod markup;
mod short;

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::secrets::FileSecrets;
use super::{Diagnostic, Severity, place_of};
use crate::source::{FileId, SourceFile, SourceMap, Span, display_path};

pub use full::full;
pub use github::github;
pub use json::json;
pub(crate) use json::json_items;
pub(crate) use markup::escaped;
pub(crate) use short::brief;
pub use short::short;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions<'a> {
    /// The directory from which paths are written, absolute.
    pub from: &'a Path,
    /// Whether text is coloured.
    pub color: bool,
    /// The width of the terminal, in columns.
    pub width: usize,
    /// Whether secrets are shown.
    pub show_secrets: bool,
}

impl<'a> RenderOptions<'a> {
    /// Returns options for text without colours, 100 columns wide, without secrets.
    pub fn plain(from: &'a Path) -> Self {
        Self { from, color: false, width: 100, show_secrets: false }
    }
}

/// A diagnostic as it is shown.
struct View<'d> {
    diagnostic: &'d Diagnostic,
    message: String,
    help: Option<String>,
    /// The place at fault first.
    places: Vec<Place>,
    /// The route, with what each entry is.
    trace: Vec<(Position, &'d str)>,
}

/// A place as it is shown.
struct Place {
    file: Arc<SourceFile>,
    start: u32,
    end: u32,
    position: Position,
    end_position: Position,
    text: String,
}

/// A file, and a line and column in it, both from 1; the column counts characters.
struct Position {
    path: String,
    line: u32,
    column: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// Makes the views of the diagnostics of one report.
struct Viewer<'r> {
    sources: &'r SourceMap,
    options: &'r RenderOptions<'r>,
    secrets: HashMap<FileId, Arc<FileSecrets>>,
    /// The files that are secret because of what reads them.
    secret_files: Vec<Arc<SourceFile>>,
}

impl<'r> Viewer<'r> {
    fn new(sources: &'r SourceMap, options: &'r RenderOptions<'r>) -> Self {
        let secret_files = sources.secret_files();
        Self { sources, options, secrets: HashMap::new(), secret_files }
    }

    fn secrets(&mut self, file: &SourceFile) -> Arc<FileSecrets> {
        if self.options.show_secrets {
            return Arc::default();
        }
        let secrets = self.secrets.entry(file.id());
        Arc::clone(secrets.or_insert_with(|| Arc::new(FileSecrets::of(file))))
    }

    fn position(&self, file: &SourceFile, offset: u32) -> Position {
        let at = file.line_column(offset);
        let path = plain(&display_path(file.path(), self.options.from));
        Position { path, line: at.line, column: at.column }
    }

    /// The place of a span in a file on disk, cut at the end of its first line.
    fn place(&self, span: Span, text: &str) -> Option<Place> {
        let (file, start) = place_of(self.sources, span)?;
        let line = file.line_column(start).line;
        let (line_start, line_text) = file.line(line);
        let length = span.end.saturating_sub(span.start).max(1);
        let end = (start + length).min(line_start + line_text.len() as u32).max(start);
        let (position, end_position) = (self.position(&file, start), self.position(&file, end));
        Some(Place { file, start, end, position, end_position, text: plain(text) })
    }

    fn view<'d>(&mut self, diagnostic: &'d Diagnostic) -> View<'d> {
        let places = diagnostic.labels.iter().filter_map(|l| self.place(l.span, &l.text));
        let mut view = View {
            diagnostic,
            message: plain(&diagnostic.message),
            help: diagnostic.help.as_deref().map(plain),
            places: places.collect(),
            trace: Vec::with_capacity(diagnostic.trace.len()),
        };
        for step in &diagnostic.trace {
            if let Some((file, offset)) = place_of(self.sources, step.span) {
                view.trace.push((self.position(&file, offset), step.what.as_str()));
            }
        }
        self.mask(&mut view);
        view
    }

    /// Takes secrets out of the texts of a view.
    fn mask(&mut self, view: &mut View<'_>) {
        if self.options.show_secrets {
            return;
        }
        let mut files = self.secret_files.clone();
        for place in &view.places {
            if files.iter().all(|f| f.id() != place.file.id()) {
                files.push(Arc::clone(&place.file));
            }
        }
        for file in files {
            let secret = self.secrets(&file);
            if secret.ranges.is_empty() {
                continue;
            }
            let own = view.places.iter().filter(|p| p.file.id() == file.id());
            let places: Vec<Range<usize>> = own.map(|p| p.start as usize..p.end as usize).collect();
            let mask = |message: &str| secret.mask_message(message, &places);
            view.message = mask(&view.message);
            view.help = view.help.as_deref().map(mask);
            for place in &mut view.places {
                place.text = mask(&place.text);
            }
        }
    }
}

/// Returns a text without characters that act on a terminal.
fn plain(text: &str) -> String {
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns how many errors and warnings there are, as `2 errors, 1 warning`; none if there is nothing.
fn summary(diagnostics: &[Diagnostic]) -> Option<String> {
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let words = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        more => Some(format!("{more} {word}s")),
    };
    let errors = words(count(Severity::Error), "error");
    let warnings = words(count(Severity::Warning), "warning");
    let parts: Vec<String> = errors.into_iter().chain(warnings).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
