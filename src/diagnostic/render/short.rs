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
    let mut viewer = Viewer::new(sources, options);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let view = viewer.view(diagnostic);
        if let Some(place) = view.places.first() {
            let _ = write!(out, "{} ", place.position);
        }
        let (severity, code) = (diagnostic.severity.name(), diagnostic.code.name());
        let _ = writeln!(out, "{severity}[{code}] {}", view.message.replace('\n', " "));
    }
    out
}
