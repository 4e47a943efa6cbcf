//! What becomes of a warning: levels, from the command line, the project file and comments at the place itself.

use std::collections::BTreeMap;

use super::{Code, Diagnostic, Severity, place_of};
use crate::source::{SourceMap, Span};

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// It is dropped.
    Allow,
    /// It is reported.
    Warn,
    /// It is an error: nothing is built.
    Deny,
}

impl Level {
    /// Returns the name of the level.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// Returns the level of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "allow" => Some(Self::Allow),
            "warn" => Some(Self::Warn),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// The levels of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lints {
    /// The levels that the project file sets.
    pub levels: BTreeMap<Code, Level>,
    /// Whether what would be reported is denied, deprecations excepted.
    pub strict: bool,
}

/// What becomes of a finding of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leveled {
    /// It is reported so, with what else is to be said about the comments there.
    Reported(Severity, Vec<Diagnostic>),
    /// The project file says that such findings do not count.
    Dropped,
    /// A comment allows it, and needs what is said here.
    Waived(Vec<Diagnostic>),
}

impl Lints {
    pub(crate) fn level(&self, code: Code, at_place: Option<Level>) -> Level {
        let level = at_place
            .or_else(|| self.levels.get(&code).copied())
            .or_else(|| code.default_level())
            .unwrap_or(Level::Deny);
        // What is off is off under `--strict`, too.
        match level {
            Level::Warn if self.strict && !code.is_deprecation() => Level::Deny,
            level => level,
        }
    }

    /// Gives every warning its level: those that are allowed go, those that are denied become errors. A comment at the
    /// place counts before the project file, and that before the default.
    pub(crate) fn apply(
        &self,
        diagnostics: Vec<Diagnostic>,
        sources: &SourceMap,
    ) -> Vec<Diagnostic> {
        let mut out = Vec::with_capacity(diagnostics.len());
        for mut diagnostic in diagnostics {
            if diagnostic.severity == Severity::Warning {
                let comments = Comments::at(&diagnostic, sources);
                match self.level(diagnostic.code, comments.level) {
                    Level::Allow => continue,
                    Level::Warn => {}
                    Level::Deny => diagnostic.severity = Severity::Error,
                }
                if let Some(unknown) = comments.unknown {
                    let code = Code::LintUnknownCode;
                    let level = self.level(code, None);
                    if level != Level::Allow {
                        let beside = diagnostic.primary().map(|label| label.span);
                        let mut warning = unknown_code(&unknown, beside);
                        if level == Level::Deny {
                            warning.severity = Severity::Error;
                        }
                        out.push(warning);
                    }
                }
            }
            out.push(diagnostic);
        }
        out
    }
}

impl Lints {
    /// Gives a finding its level. A comment at its place, or above the object that it is about (`heads`), counts before the project file.
    pub(crate) fn level_finding(
        &self,
        finding: &Diagnostic,
        heads: &[Span],
        sources: &SourceMap,
    ) -> Leveled {
        let own = finding.primary().map(|label| label.span);
        let comments: Vec<(Span, Comments)> = own
            .into_iter()
            .chain(heads.iter().copied())
            .map(|span| (span, Comments::on(span, finding.code, sources)))
            .collect();
        let chosen = comments.iter().find(|(_, comments)| comments.level.is_some());
        let mut more = Vec::new();
        for (span, comments) in &comments {
            if let Some(unknown) = &comments.unknown {
                more.push(unknown_code(unknown, Some(*span)));
            }
        }
        if let Some((span, _)) =
            chosen.filter(|(_, c)| c.level == Some(Level::Allow) && !c.has_reason)
        {
            let message = format!("a comment here allows `{}` and does not say why", finding.code);
            let d = Diagnostic::warning(Code::LintNoReason, message).at(*span, "beside this");
            more.push(d.help(format!("write `# kiln: allow({}) the reason`", finding.code)));
        }
        let more = self.apply(more, sources);
        match self.level(finding.code, chosen.and_then(|(_, comments)| comments.level)) {
            Level::Allow if chosen.is_some() => Leveled::Waived(more),
            Level::Allow => Leveled::Dropped,
            Level::Warn => Leveled::Reported(Severity::Warning, more),
            Level::Deny => Leveled::Reported(Severity::Error, more),
        }
    }
}

fn unknown_code(unknown: &str, beside: Option<Span>) -> Diagnostic {
    let message = format!("a comment here sets the level of `{unknown}`, which is no code");
    let warning = Diagnostic::warning(Code::LintUnknownCode, message).at(beside, "beside this");
    let near = super::nearest(unknown, Code::ALL.iter().map(|code| code.name()));
    match near {
        Some(near) => warning.help(format!("write `{near}`")),
        None => warning,
    }
}

/// What the comments at a place say about a diagnostic.
#[derive(Debug, Default, PartialEq, Eq)]
struct Comments {
    level: Option<Level>,
    /// Whether the comment that sets the level goes on.
    has_reason: bool,
    unknown: Option<String>,
}

impl Comments {
    /// Reads the comments on the line of a diagnostic and on the lines of comments above it.
    fn at(diagnostic: &Diagnostic, sources: &SourceMap) -> Self {
        let span = diagnostic.primary().map(|label| label.span);
        span.map_or_else(Self::default, |span| Self::on(span, diagnostic.code, sources))
    }

    fn on(span: Span, code: Code, sources: &SourceMap) -> Self {
        let Some((file, offset)) = place_of(sources, span) else { return Self::default() };
        let number = file.line_column(offset).line;
        let line = |number| String::from_utf8_lossy(file.line(number).1);
        Self::read(&line(number), (1..number).rev().map(line), code)
    }

    /// `above`: the lines above, the nearest first.
    fn read(line: &str, above: impl IntoIterator<Item = impl AsRef<str>>, code: Code) -> Self {
        let mut out = Self::default();
        out.add(line, code);
        for line in above {
            if !line.as_ref().trim_start().starts_with('#') {
                break;
            }
            out.add(line.as_ref(), code);
        }
        out
    }

    /// Reads `# kiln: LEVEL(CODE, …) reason`. The comment that is nearest counts.
    fn add(&mut self, line: &str, code: Code) {
        let Some((_, directive)) = line.split_once("# kiln:") else { return };
        let Some((level, rest)) = directive.split_once('(') else { return };
        let Some(level) = Level::from_name(level.trim()) else { return };
        let Some((codes, reason)) = rest.split_once(')') else { return };
        for name in codes.split(',').map(str::trim) {
            match Code::from_name(name) {
                Some(named) if named == code && self.level.is_none() => {
                    self.level = Some(level);
                    self.has_reason = !reason.trim().is_empty();
                }
                Some(_) => {}
                None => self.unknown = Some(name.to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_on_the_line_and_above_set_the_level() {
        let code = Code::ImageNoMatch;
        let read = |text: &str| {
            let (above, line) = text.trim_end().rsplit_once('\n').unwrap();
            Comments::read(line, above.lines().rev(), code).level
        };
        assert_eq!(
            read("images:\n- name: a # kiln: allow(image::no-match) later\n"),
            Some(Level::Allow)
        );
        assert_eq!(
            read("images:\n# kiln: deny(patch::no-match, image::no-match)\n# more\n- name: a\n"),
            Some(Level::Deny)
        );
        assert_eq!(read("# kiln: allow(image::no-match)\nimages:\n- name: a\n"), None);
        assert_eq!(read("# kiln: allow(patch::no-match)\n- name: a\n"), None);
    }

    #[test]
    fn a_code_that_does_not_exist_is_noticed() {
        let above = ["# kiln: allow(image::nomatch)"];
        let found = Comments::read("- name: a", above, Code::ImageNoMatch);
        assert_eq!(
            found,
            Comments { unknown: Some("image::nomatch".to_owned()), ..Comments::default() }
        );
    }

    #[test]
    fn strict_denies_what_would_be_reported() {
        let mut lints = Lints { strict: true, ..Lints::default() };
        assert_eq!(lints.level(Code::ImageNoMatch, None), Level::Deny);
        assert_eq!(lints.level(Code::DeprecatedField, None), Level::Warn);
        assert_eq!(lints.level(Code::ImageNoMatch, Some(Level::Allow)), Level::Allow);
        lints.levels.insert(Code::ImageNoMatch, Level::Allow);
        assert_eq!(lints.level(Code::ImageNoMatch, None), Level::Allow);
    }
}
