//! Where diagnostics go, and how they look there.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use super::args::{ColorChoice, ErrorFormat};
use crate::diagnostic::render::{self, RenderOptions};
use crate::{Diagnostic, Severity, SourceMap};

/// The columns of a report that no terminal shows.
const DEFAULT_WIDTH: usize = 120;

/// What decides how diagnostics are printed.
pub(super) struct Terminal {
    /// The directory that relative paths start from, absolute.
    pub(super) directory: PathBuf,
    pub(super) format: ErrorFormat,
    pub(super) color: ColorChoice,
    pub(super) quiet: bool,
    pub(super) show_secrets: bool,
}

impl Terminal {
    /// Prints diagnostics to stderr.
    pub(super) fn report(&self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let errors: Vec<Diagnostic>;
        let diagnostics = if self.quiet {
            errors =
                diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
            &errors
        } else {
            diagnostics
        };
        if diagnostics.is_empty() {
            return;
        }
        let options = RenderOptions {
            from: &self.directory,
            color: self.has_color(io::stderr().is_terminal()),
            width: terminal_size::terminal_size_of(io::stderr())
                .map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0)),
            show_secrets: self.show_secrets,
        };
        let format = match self.format {
            ErrorFormat::Full => render::full,
            ErrorFormat::Short => render::short,
            ErrorFormat::Json => render::json,
            ErrorFormat::Github => render::github,
        };
        let text = format(diagnostics, sources, &options);
        // There is no place left to report that stderr cannot be written.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Returns whether results are colored.
    pub(super) fn colors_results(&self) -> bool {
        self.has_color(io::stdout().is_terminal())
    }

    /// See <https://no-color.org>.
    fn has_color(&self, is_terminal: bool) -> bool {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                is_terminal
                    && !is_set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}
