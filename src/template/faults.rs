//! Errors of MiniJinja as diagnostics: at the line of the template, with what was looked for.

use std::sync::Arc;

use minijinja::{Error, ErrorKind};

use super::{FUEL, MAX_OUTPUT, MAX_RECURSION, Rendering, lock};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::source::{SourceFile, Span, display_path};

impl Rendering<'_> {
    /// Returns the diagnostic of an error of MiniJinja.
    pub(super) fn diagnostic(&self, file: &Arc<SourceFile>, error: &Error) -> Diagnostic {
        // The innermost template is where the fault is.
        let mut inner = error;
        let mut source: Option<&(dyn std::error::Error + 'static)> =
            std::error::Error::source(error);
        while let Some(next) = source {
            if let Some(next) = next.downcast_ref::<Error>().filter(|next| next.line().is_some()) {
                inner = next;
            }
            source = next.source();
        }
        let span = self.span(file, inner);
        let detail = inner.detail().unwrap_or_default().to_owned();
        let is_about_files = matches!(
            inner.kind(),
            ErrorKind::TemplateNotFound | ErrorKind::BadInclude | ErrorKind::InvalidOperation
        );
        if let Some((code, message)) = lock(&self.fault).take().filter(|_| is_about_files) {
            return Diagnostic::error(code, message)
                .at(span, "read here")
                .help("a template reads files below the directory of kiln.yaml");
        }
        match inner.kind() {
            ErrorKind::SyntaxError => {
                Diagnostic::error(Code::TemplateSyntax, detail).at(span, "here")
            }
            ErrorKind::UndefinedError => self.undefined(self.whole_path(span)),
            ErrorKind::OutOfFuel => Self::endless(span, "the template does not come to an end"),
            ErrorKind::WriteFailure => Self::endless(span, "the text of the template is too large"),
            ErrorKind::InvalidOperation if detail.contains("recursion limit") => {
                Self::endless(span, "the template includes or calls itself without end")
            }
            ErrorKind::TemplateNotFound => {
                let message = format!("an included template is not there: {detail}");
                Diagnostic::error(Code::TemplateFailed, message).at(span, "here")
            }
            kind => {
                let text = if detail.is_empty() { kind.to_string() } else { detail };
                let d = Diagnostic::error(Code::TemplateFailed, text).at(span, "here");
                self.with_values(d, span)
            }
        }
    }

    fn endless(span: Span, message: &str) -> Diagnostic {
        let limits = format!(
            "a template executes at most {FUEL} instructions, is rendered to at most {} MiB and includes {MAX_RECURSION} levels",
            MAX_OUTPUT >> 20
        );
        Diagnostic::error(Code::TemplateEndless, message).at(span, "at work here").help(limits)
    }

    fn span(&self, file: &Arc<SourceFile>, error: &Error) -> Span {
        let loaded = lock(&self.loaded);
        let found =
            loaded.iter().find(|l| Some(l.name.as_str()) == error.name()).or(loaded.first());
        let Some(found) = found else { return file.character(0) };
        if let Some(range) = error.range() {
            let start = found.instrumented.source_offset(range.start);
            let end = found.instrumented.source_offset(range.end).max(start + 1);
            let end = end.min(found.file.bytes().len());
            return Span { file: found.file.id(), start: start as u32, end: end as u32 };
        }
        let (start, line) = found.file.line(error.line().unwrap_or(1) as u32);
        let blank = line.iter().take_while(|b| b.is_ascii_whitespace()).count() as u32;
        let end = start + line.len() as u32;
        Span { file: found.file.id(), start: start + blank.min(line.len() as u32), end }
    }

    /// Returns the place of a whole path, of which MiniJinja names the end, or a filter behind it.
    fn whole_path(&self, span: Span) -> Span {
        let Some(file) = self.session.sources().file(span.file) else { return span };
        let bytes = file.bytes();
        let is_part = |b: u8| b.is_ascii_alphanumeric() || b"_.[]\"'-".contains(&b);
        let mut start = span.start as usize;
        if bytes[start..].starts_with(b"{{") {
            // All of an expression.
            let inside = &bytes[start + 2..];
            let skipped =
                inside.iter().take_while(|b| b.is_ascii_whitespace() || **b == b'-').count();
            let rest = &inside[skipped..];
            let length = rest.iter().take_while(|b| is_part(**b)).count().max(1);
            let start = start + 2 + skipped;
            return Span { start: start as u32, end: (start + length) as u32, ..span };
        }
        // Behind a filter, the value stands before its `|`.
        let before = bytes[..start].trim_ascii_end();
        if before.ends_with(b"|") {
            start = before[..before.len() - 1].trim_ascii_end().len();
        }
        let end = if start < span.start as usize { start } else { span.end as usize };
        while start > 0 && is_part(bytes[start - 1]) {
            start -= 1;
        }
        Span { start: start as u32, end: end as u32, ..span }
    }

    fn undefined(&self, span: Span) -> Diagnostic {
        let missed = self.tracker.notes().missed.take();
        let Some(missed) = missed else {
            return Diagnostic::error(Code::TemplateUndefined, "the value is not defined")
                .at(span, "not defined")
                .help("test it with `is defined`, or give it a value with `| default(...)`");
        };
        let message = format!("`{}.{}` is not defined", missed.map, missed.key);
        let d = Diagnostic::error(Code::TemplateUndefined, message).at(span, "not defined");
        let near = nearest(&missed.key, missed.known.iter().map(String::as_str));
        let files: Vec<String> = self
            .set
            .values
            .files
            .iter()
            .map(|path| format!("`{}`", display_path(path, &self.set.shown_from)))
            .collect();
        let searched = match files.as_slice() {
            _ if missed.map.starts_with("env") && !self.set.is_environment => {
                "what is built is no environment: name one".to_owned()
            }
            _ if missed.map.starts_with("env") => "the environment has no such variable".to_owned(),
            [] => "no values file is named".to_owned(),
            files => format!("looked for in {}", files.join(", ")),
        };
        d.help(match near {
            Some(near) => format!("did you mean `{}.{near}`? {searched}", missed.map),
            None => searched,
        })
    }

    /// Adds the values that the line at fault uses.
    fn with_values(&self, diagnostic: Diagnostic, span: Span) -> Diagnostic {
        let Some(file) = self.session.sources().file(span.file) else {
            return diagnostic;
        };
        let line = file.line_column(span.start).line;
        let text = String::from_utf8_lossy(file.line(line).1).into_owned();
        let mut shown: Vec<String> = Vec::new();
        for (path, node) in self.set.values.leaves() {
            let name = format!("values.{path}");
            let used = text.match_indices(&name).any(|(at, _)| {
                !text[at + name.len()..]
                    .starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            });
            if used && shown.len() < 8 {
                let is_secret = self.set.values.secrets.contains(&node.origin());
                let value =
                    if is_secret { "<secret>".to_owned() } else { format!("`{}`", node.text()) };
                shown.push(format!("{name} is {value}"));
            }
        }
        if shown.is_empty() { diagnostic } else { diagnostic.help(shown.join(", ")) }
    }
}
