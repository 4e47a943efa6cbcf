//! One line per diagnostic: `path:line:column severity[code] message`.

use std::fmt::Write;
use std::path::Path;

use crate::diagnostic::{Diagnostic, place_of};
use crate::source::{SourceMap, display_path};

/// Returns diagnostics as lines, paths as seen from `from`.
pub fn short(diagnostics: &[Diagnostic], sources: &SourceMap, from: &Path) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        if let Some((file, offset)) = diagnostic.primary().and_then(|l| place_of(sources, l.span)) {
            let at = file.line_column(offset);
            let _ = write!(out, "{}:{}:{} ", display_path(file.path(), from), at.line, at.column);
        }
        let (severity, code) = (diagnostic.severity.name(), diagnostic.code.name());
        let message = diagnostic.message.replace('\n', " ");
        let _ = writeln!(out, "{severity}[{code}] {message}");
    }
    out
}
