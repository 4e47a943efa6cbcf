//! A comment on a pull request: a table, and one fold for each environment.
//!
//! GitHub takes 65,536 characters. What does not fit is named, so that nothing is left out silently.

use std::fmt::Write as _;

use super::rows::{Row, Shown, rows};
use super::{EnvironmentReport, Look, Outcome, Report, notes, reported, sign};
use crate::diff::{Impact, ResourceChange};

/// The longest report, in characters.
const MAX_CHARACTERS: usize = 65_000;
/// What is kept for the lines about what was left out.
const RESERVED: usize = 1_000;
/// What is kept for the line that counts the objects of an environment that are left out.
const LAST_LINE: usize = 60;
/// So many environments are named when they do not fit.
const MAX_NAMED: usize = 20;
/// The first line, by which a program finds the comment again.
const MARK: &str = "<!-- kiln diff -->";

/// Returns a report as Markdown of at most 65,000 characters.
pub(crate) fn markdown(report: &Report, look: &Look) -> String {
    let mut out = format!(
        "{MARK}\n### `kiln diff` {} → {}\n\n",
        code(&report.from.text()),
        code(&report.to.text())
    );
    let different: Vec<&EnvironmentReport> = report.different().collect();
    let _ = writeln!(out, "{}\n", report.summary());
    if different.is_empty() {
        return out;
    }
    let budget = MAX_CHARACTERS - RESERVED;
    let mut length = out.chars().count();
    let mut left_out: Vec<&EnvironmentReport> = Vec::new();
    let mut shortened = false;
    for (index, environment) in different.iter().enumerate() {
        // An equal share of what is left, so that one environment does not use up all.
        let rest = budget.saturating_sub(length);
        let share = rest / (different.len() - index);
        let section = section(environment, look, share);
        let size = section.text.chars().count();
        if size > share {
            left_out.push(environment);
            continue;
        }
        shortened |= section.is_cut;
        length += size;
        out.push_str(&section.text);
    }
    if !left_out.is_empty() {
        let names: Vec<String> = left_out
            .iter()
            .take(MAX_NAMED)
            .map(|environment| code(&shortest(&environment.name)))
            .collect();
        let more = left_out.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(
            out,
            "\n**Left out, because the comment would be too long:** {}{more}.",
            names.join(", ")
        );
    }
    if shortened || !left_out.is_empty() {
        let _ =
            writeln!(out, "\nThe whole difference is what `kiln diff` prints, or `--format html`.");
    }
    out
}

struct Section {
    text: String,
    /// Objects are named without their fields.
    is_cut: bool,
}

/// Names of environments are paths at most; a very long one is cut.
fn shortest(name: &str) -> String {
    const MAX: usize = 40;
    if name.chars().count() <= MAX {
        name.to_owned()
    } else {
        name.chars().take(MAX).chain(['…']).collect()
    }
}

/// Returns the fold of an environment, with as many of its objects in full as fit.
fn section(environment: &EnvironmentReport, look: &Look, budget: usize) -> Section {
    let mut section = Section { text: String::new(), is_cut: false };
    let was = environment
        .was
        .as_ref()
        .map_or_else(String::new, |was| format!(", renamed from {}", html_text(was)));
    if let Outcome::Failed { .. } = &environment.outcome {
        let (name, summary) = (html_text(&environment.name), html_text(&environment.summary()));
        section.text = format!("**{name}**: {summary}\n\n");
        return section;
    }
    let head = html_text(&environment.summary());
    let Some(comparison) = environment.outcome.comparison() else { return section };
    let _ = write!(
        section.text,
        "<details><summary><b>{}</b>{was}: {head}</summary>\n\n",
        html_text(&environment.name)
    );
    let whole = matches!(environment.outcome, Outcome::Compared(_));
    let end = "</details>\n\n";
    let mut length = section.text.chars().count() + end.len();
    let mut names = 0;
    for change in reported(comparison, look) {
        let full = resource(change, look, whole);
        let size = full.chars().count();
        if length + size <= budget {
            section.text.push_str(&full);
            length += size;
            continue;
        }
        section.is_cut = true;
        let head = resource_head(change);
        let size = head.chars().count();
        if length + size + LAST_LINE <= budget {
            section.text.push_str(&head);
            length += size;
        } else {
            names += 1;
        }
    }
    if names > 0 {
        let _ = writeln!(section.text, "- … and {names} more objects\n");
    }
    if comparison.reordered && comparison.resources.is_empty() {
        section.text.push_str("The objects stand in another order.\n\n");
    }
    section.text.push_str(end);
    section
}

fn resource_head(change: &ResourceChange) -> String {
    let what = match sign(&change.fate) {
        '+' => "created ",
        '-' => "deleted ",
        _ => "",
    };
    let mut head = format!("- {what}{}", code(&change.id.to_string()));
    for note in notes(change) {
        let note = html_text(&note);
        let is_hard = change.impact == Impact::Replace && note == change.impact.text();
        let _ = if is_hard {
            write!(head, " · ⚠️ **{note}**")
        } else {
            write!(head, " · {note}")
        };
    }
    head.push('\n');
    head
}

fn resource(change: &ResourceChange, look: &Look, whole: bool) -> String {
    let mut out = resource_head(change);
    let mut body = String::new();
    for row in rows(change, look, whole) {
        row_lines(&row, &mut body);
    }
    if body.is_empty() {
        return out;
    }
    let fence = fence(&body);
    let _ = write!(out, "\n{fence}diff\n{body}{fence}\n\n");
    out
}

/// Returns a fence that no line of a text closes.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

fn row_lines(row: &Row, out: &mut String) {
    let value = |sign: char, path: &str, shown: &Shown, out: &mut String| {
        let _ = match shown {
            Shown::Inline(text) => writeln!(out, "{sign} {path}: {text}"),
            Shown::Block(text) => {
                let _ = writeln!(out, "{sign} {path}:");
                text.lines().try_for_each(|line| writeln!(out, "{sign}   {line}"))
            }
        };
    };
    match row {
        Row::Added(path, shown) => value('+', path, shown, out),
        Row::Removed(path, shown) => value('-', path, shown, out),
        Row::Replaced(path, old, new) => {
            value('-', path, old, out);
            value('+', path, new, out);
        }
        Row::Moved(path, from, to) => {
            let _ = writeln!(out, "  {path}: moved from {from} to {to}");
        }
        Row::Text(path, lines) => {
            let _ = writeln!(out, "  {path}:");
            for line in lines {
                let _ = match line.sign {
                    '@' => writeln!(out, "{}", line.text),
                    sign => writeln!(out, "{sign}   {}", line.text),
                };
            }
        }
        Row::Object(sign, text) => {
            for line in text.lines() {
                let _ = writeln!(out, "{sign} {line}");
            }
        }
    }
}

/// Returns a text as code.
fn code(text: &str) -> String {
    let ticks = "`".repeat(text.split(|c| c != '`').map(str::len).max().unwrap_or_default() + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// Returns a text in which neither HTML nor Markdown is read.
fn html_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '*' | '_' | '`' | '[' | ']' | '|' | '\\' | '~' | '@' => {
                let _ = write!(out, "&#{};", character as u32);
            }
            '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
