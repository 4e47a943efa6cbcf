//! Diagnostics with the lines they are about.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Place, RenderOptions, View, Viewer, plain, summary};
use crate::diagnostic::{Diagnostic, Severity, secrets};
use crate::source::SourceMap;

/// Lines of one file that are farther apart than this are shown as two excerpts.
const MAX_GAP: u32 = 40;

/// No more of a line is shown than this, in bytes.
const MAX_LINE: usize = 400;

/// Returns diagnostics with excerpts, then a line that counts them.
pub fn full(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> String {
    let mut viewer = Viewer::new(sources, options);
    let renderer = if options.color {
        Renderer::styled().decor_style(DecorStyle::Unicode)
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(options.width.max(40));
    let mut out = String::new();
    for diagnostic in diagnostics {
        let view = viewer.view(diagnostic);
        let excerpts = excerpts(&view, &mut viewer);
        out.push_str(&renderer.render(&[group(&view, &excerpts)]));
        out.push_str("\n\n");
    }
    if let Some(summary) = summary(diagnostics) {
        let _ = writeln!(out, "{summary}; `kiln explain CODE` says more about a code");
    }
    out
}

/// Neighbouring lines of one file, with the places in them.
struct Excerpt {
    path: String,
    first_line: u32,
    last_line: u32,
    text: String,
    /// Stretches of `text`, what to say about them, and whether they are at fault.
    marks: Vec<(Range<usize>, String, bool)>,
}

fn group<'v>(view: &'v View<'_>, excerpts: &'v [Excerpt]) -> Group<'v> {
    let level = match view.diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(
        level.primary_title(view.message.as_str()).id(view.diagnostic.code.name()),
    );
    for excerpt in excerpts {
        let mut snippet = Snippet::source(excerpt.text.as_str())
            .path(excerpt.path.as_str())
            .line_start(excerpt.first_line as usize);
        for (range, text, primary) in &excerpt.marks {
            let kind = if *primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let label = (!text.is_empty()).then_some(text.as_str());
            snippet = snippet.annotation(kind.span(range.clone()).label(label));
        }
        group = group.element(snippet);
    }
    if let Some(help) = &view.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    for (position, what) in view.trace.iter().rev() {
        group = group.element(Level::NOTE.message(format!("used by {position} ({what})")));
    }
    group
}

/// The lines of the places of a diagnostic, those of one file together where they are near.
fn excerpts(view: &View<'_>, viewer: &mut Viewer<'_>) -> Vec<Excerpt> {
    let mut groups: Vec<Vec<&Place>> = Vec::new();
    for place in &view.places {
        let near = groups.iter_mut().find(|group| {
            group[0].file.id() == place.file.id()
                && group.iter().any(|p| p.position.line.abs_diff(place.position.line) <= MAX_GAP)
        });
        match near {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    let at_fault = view.places.first().map(|p| (p.file.id(), p.start));
    groups
        .iter()
        .map(|group| {
            let secrets = viewer.secrets(&group[0].file);
            excerpt(
                group,
                &secrets.ranges,
                at_fault
                    .map(|(_, start)| start)
                    .filter(|_| std::ptr::eq(group[0], &raw const view.places[0])),
            )
        })
        .collect()
}

fn excerpt(places: &[&Place], secret: &[Range<usize>], at_fault: Option<u32>) -> Excerpt {
    let lines = || places.iter().map(|p| p.position.line);
    let (first_line, last_line) = (lines().min().unwrap_or(1), lines().max().unwrap_or(1));
    let mut out = Excerpt {
        path: places[0].position.path.clone(),
        first_line,
        last_line,
        text: String::new(),
        marks: Vec::new(),
    };
    for number in first_line..=out.last_line {
        let (start, bytes) = places[0].file.line(number);
        let line = Line::new(start as usize, bytes, secret);
        for place in places.iter().filter(|p| p.position.line == number) {
            let base = out.text.len();
            let from = line.column(place.start as usize);
            let mut to = line.column(place.end as usize);
            if to <= from {
                // A place inside a character is the whole of it; one at the end of a line is shown behind it.
                to = from + line.shown[from..].chars().next().map_or(1, char::len_utf8);
            }
            out.marks.push((
                base + from..base + to,
                place.text.clone(),
                at_fault == Some(place.start),
            ));
        }
        out.text.push_str(&line.shown);
        out.text.push('\n');
    }
    out
}

/// A stretch of a line.
struct Piece {
    /// Where it begins in the file.
    from: usize,
    /// Where it begins in what is shown.
    shown: usize,
    is_secret: bool,
}

/// A line as it is shown, and where its bytes are in that.
struct Line {
    shown: String,
    pieces: Vec<Piece>,
}

impl Line {
    fn new(start: usize, bytes: &[u8], secret: &[Range<usize>]) -> Self {
        let end = start + bytes.len();
        let mut line = Self { shown: String::new(), pieces: Vec::new() };
        let mut at = start;
        for range in secret.iter().filter(|r| r.start < end && r.end > start) {
            let (from, to) = (range.start.max(at), range.end.min(end));
            line.push(at, &bytes[at - start..from - start]);
            line.pieces.push(Piece { from, shown: line.shown.len(), is_secret: true });
            line.shown.push_str(&secrets::placeholder(to - from));
            at = to;
        }
        line.push(at, &bytes[at - start..]);
        line
    }

    fn push(&mut self, at: usize, bytes: &[u8]) {
        self.pieces.push(Piece { from: at, shown: self.shown.len(), is_secret: false });
        let text = String::from_utf8_lossy(bytes);
        let mut cut = text.len().min(MAX_LINE.saturating_sub(self.shown.len()));
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        self.shown.push_str(&plain(&text[..cut]).replace('\u{feff}', " "));
    }

    /// Returns where a byte of the file is shown: for one of a secret, where what stands for it begins.
    fn column(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|piece| piece.from <= offset);
        let Some(piece) = after.checked_sub(1).and_then(|i| self.pieces.get(i)) else { return 0 };
        let next = self.pieces.get(after).map_or(self.shown.len(), |piece| piece.shown);
        let inside = if piece.is_secret { 0 } else { offset - piece.from };
        let mut column = (piece.shown + inside).min(next).min(self.shown.len());
        while !self.shown.is_char_boundary(column) {
            column -= 1;
        }
        column
    }
}
