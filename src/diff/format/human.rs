//! For a terminal.

use std::fmt::Write as _;

use super::rows::{Row, Shown, rows};
use super::value::Line;
use super::{EnvironmentReport, Look, Outcome, Report, notes, reported, sign};
use crate::diff::{Impact, ResourceChange};

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

struct Printer<'l> {
    look: &'l Look,
    out: String,
}

/// Returns a report for people: each environment that differs, its objects, their fields. Nothing if the sides are the
/// same.
pub(crate) fn human(report: &Report, look: &Look) -> String {
    let mut printer = Printer { look, out: String::new() };
    let mut different = 0;
    for environment in report.different() {
        if different > 0 {
            printer.out.push('\n');
        }
        different += 1;
        printer.environment(environment);
    }
    if different > 0 {
        let _ = writeln!(printer.out, "\n{}", report.summary());
    }
    printer.out
}

impl Printer<'_> {
    fn colored(&self, color: &str, text: &str) -> String {
        if self.look.color { format!("{color}{text}{RESET}") } else { text.to_owned() }
    }

    fn line(&mut self, indent: usize, color: &str, text: &str) {
        let text = self.colored(color, text);
        let _ = writeln!(self.out, "{:indent$}{text}", "");
    }

    fn environment(&mut self, environment: &EnvironmentReport) {
        let name = self.colored(BOLD, &environment.name);
        let mut head = name;
        if environment.path != environment.name && !environment.path.is_empty() {
            head.push_str(&self.colored(DIM, &format!("  {}", environment.path)));
        }
        match &environment.outcome {
            Outcome::Compared(_) => {}
            Outcome::Created(_) => head.push_str(&self.colored(GREEN, "  created")),
            Outcome::Deleted(_) => head.push_str(&self.colored(RED, "  deleted")),
            Outcome::Failed { .. } => {
                head.push_str(&self.colored(RED, &format!("  {}", environment.summary())));
            }
        }
        if let Some(was) = &environment.was {
            let _ = write!(head, "  renamed from {was}");
        }
        let _ = writeln!(self.out, "{head}");
        let Some(comparison) = environment.outcome.comparison() else { return };
        // An environment that comes or goes as a whole is a list of its objects.
        let whole = matches!(environment.outcome, Outcome::Compared(_));
        for change in reported(comparison, self.look) {
            self.resource(change, whole);
        }
        if comparison.reordered && (self.look.raw || comparison.resources.is_empty()) {
            self.line(2, YELLOW, "the objects stand in another order");
        }
    }

    fn resource(&mut self, change: &ResourceChange, whole: bool) {
        let color = match sign(&change.fate) {
            '+' => GREEN,
            '-' => RED,
            _ => YELLOW,
        };
        let mut head = self.colored(color, &format!("{} {}", sign(&change.fate), change.id));
        for note in notes(change) {
            let is_hard = change.impact == Impact::Replace && note == change.impact.text();
            let color = if is_hard { RED } else { CYAN };
            head.push_str("  ");
            head.push_str(&self.colored(color, &note));
        }
        let _ = writeln!(self.out, "  {head}");
        for row in rows(change, self.look, whole) {
            self.row(&row);
        }
    }

    fn row(&mut self, row: &Row) {
        match row {
            Row::Added(path, shown) => self.value('+', GREEN, path, shown),
            Row::Removed(path, shown) => self.value('-', RED, path, shown),
            Row::Replaced(path, Shown::Inline(old), Shown::Inline(new)) => {
                let (old, new) = (self.colored(RED, old), self.colored(GREEN, new));
                let _ = writeln!(self.out, "      {path}: {old} → {new}");
            }
            Row::Replaced(path, old, new) => {
                self.value('-', RED, path, old);
                self.value('+', GREEN, path, new);
            }
            Row::Moved(path, from, to) => {
                self.line(6, YELLOW, &format!("{path}: moved from {from} to {to}"));
            }
            Row::Text(path, lines) => {
                let _ = writeln!(self.out, "      {path}:");
                for line in lines {
                    self.text_line(line);
                }
            }
            Row::Object(sign, text) => {
                let color = if *sign == '+' { GREEN } else { RED };
                for line in text.lines() {
                    self.line(6, color, &format!("{sign} {line}"));
                }
            }
        }
    }

    fn text_line(&mut self, line: &Line) {
        match line.sign {
            '+' => self.line(8, GREEN, &format!("+{}", line.text)),
            '-' => self.line(8, RED, &format!("-{}", line.text)),
            '@' => self.line(8, CYAN, &line.text),
            sign => self.line(8, DIM, format!("{sign}{}", line.text).trim_end()),
        }
    }

    fn value(&mut self, sign: char, color: &str, path: &str, shown: &Shown) {
        match shown {
            Shown::Inline(text) => self.line(6, color, &format!("{sign} {path}: {text}")),
            Shown::Block(text) => {
                self.line(6, color, &format!("{sign} {path}:"));
                for line in text.lines() {
                    self.line(6, color, &format!("{sign}   {line}"));
                }
            }
        }
    }
}
