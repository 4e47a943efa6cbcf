//! One line per diagnostic: `path:line:column severity[code] message`.

use std::fmt::Write;

use super::{RenderOptions, Viewer};
use crate::diagnostic::Diagnostic;
use crate::source::SourceMap;

/// Returns diagnostics as lines.
pub fn short(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> String {
    lines(diagnostics, sources, options, false)
}

/// Returns diagnostics as lines, each with what to do on a line of its own; for a place that shows text and nothing else.
pub(crate) fn brief(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> String {
    lines(diagnostics, sources, options, true).replace('…', "...")
}

fn lines(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: &RenderOptions<'_>,
    with_help: bool,
) -> String {
    let mut viewer = Viewer::new(sources, options);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let view = viewer.view(diagnostic);
        if let Some(place) = view.places.first() {
            let _ = write!(out, "{} ", place.position);
        }
        let (severity, code) = (diagnostic.severity.name(), diagnostic.code.name());
        let _ = writeln!(out, "{severity}[{code}] {}", view.message.replace('\n', " "));
        if let Some(help) = view.help.filter(|_| with_help) {
            let _ = writeln!(out, "  help: {}", help.replace('\n', " "));
        }
    }
    out
}
