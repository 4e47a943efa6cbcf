//! What becomes of a warning: levels, from the command line, the project file and comments at the place itself.

use std::collections::BTreeMap;

use super::{Code, Diagnostic, Severity, place_of};
use crate::source::SourceMap;

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

impl Lints {
    fn level(&self, code: Code, at_place: Option<Level>) -> Level {
        let level = at_place
            .or_else(|| self.levels.get(&code).copied())
            .or_else(|| code.default_level())
            .unwrap_or(Level::Deny);
        match level {
            Level::Warn if self.strict && code != Code::DeprecatedField => Level::Deny,
            level => level,
        }
    }

    /// Gives every warning its level: those that are allowed go, those that are denied become errors. A comment at the
    /// place counts before the project file, and that before the default.
    pub(super) fn apply(
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
                        let mut warning = unknown_code(&unknown, &diagnostic);
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

fn unknown_code(unknown: &str, beside: &Diagnostic) -> Diagnostic {
    let message = format!("a comment here sets the level of `{unknown}`, which is no code");
    let span = beside.primary().map(|l| l.span);
    let warning = Diagnostic::warning(Code::LintUnknownCode, message).at(span, "beside this");
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
    unknown: Option<String>,
}

impl Comments {
    /// Reads the comments on the line of a diagnostic and on the lines of comments above it.
    fn at(diagnostic: &Diagnostic, sources: &SourceMap) -> Self {
        let place = diagnostic.primary().and_then(|label| place_of(sources, label.span));
        let Some((file, offset)) = place else { return Self::default() };
        let number = file.line_column(offset).line;
        let line = |number| String::from_utf8_lossy(file.line(number).1);
        Self::read(&line(number), (1..number).rev().map(line), diagnostic.code)
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
        let Some((codes, _)) = rest.split_once(')') else { return };
        for name in codes.split(',').map(str::trim) {
            match Code::from_name(name) {
                Some(named) if named == code => self.level = self.level.or(Some(level)),
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
        assert_eq!(found, Comments { level: None, unknown: Some("image::nomatch".to_owned()) });
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
