//! Workflow commands that GitHub Actions shows beside the lines of a pull request.

use std::fmt::Write;

use super::{RenderOptions, Viewer};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::SourceMap;

/// Returns diagnostics as workflow commands, one per line.
pub fn github(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: &RenderOptions<'_>,
) -> String {
    let mut viewer = Viewer::new(sources, options);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let view = viewer.view(diagnostic);
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let _ = write!(out, "::{command} ");
        if let Some(place) = view.places.first() {
            let (start, end) = (&place.position, &place.end_position);
            let path = escape(&start.path, true);
            let _ = write!(out, "file={path},line={},col={}", start.line, start.column);
            if end.column > start.column {
                let _ = write!(out, ",endLine={},endColumn={}", end.line, end.column);
            }
            out.push(',');
        }
        let mut message = view.message.clone();
        if let Some(help) = &view.help {
            let _ = write!(message, "\nhelp: {help}");
        }
        let _ = writeln!(
            out,
            "title={}::{}",
            escape(diagnostic.code.name(), true),
            escape(&message, false)
        );
    }
    out
}

/// Escapes the characters that end a message, or a property of it.
fn escape(text: &str, property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}
