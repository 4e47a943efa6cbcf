//! One page for a browser, complete in itself: no other file is read, and the policy it carries lets nothing else run.
//!
//! Without scripts the page is complete, too: everything folds with `details`. The script adds the search, the keys and
//! the buttons.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::rows::{Row, Shown, rows};
use super::{EnvironmentReport, Look, Outcome, Report, notes, reported, sign};
use crate::diagnostic::render::escaped;
use crate::diff::{Impact, ResourceChange};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// With more objects than this, environments are folded at first.
const MAX_OPEN_OBJECTS: usize = 60;

/// Returns a report as one HTML page.
pub(crate) fn html(report: &Report, look: &Look) -> String {
    let objects: usize =
        report.different().filter_map(|e| e.outcome.comparison()).map(|c| c.resources.len()).sum();
    let is_open = objects <= MAX_OPEN_OBJECTS;
    let (from, to) = (escaped(&report.from.text()), escaped(&report.to.text()));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; script-src '{}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>kiln diff {from} → {to}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>kiln diff <code>{from}</code> → <code>{to}</code></h1>\n<p>{}</p>\n\
         <form id=\"search\" role=\"search\" hidden>\n\
         <label for=\"query\">Search</label>\n\
         <input id=\"query\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"kind, name, field or value\" \
         aria-describedby=\"keys\">\n\
         <span id=\"found\" role=\"status\"></span>\n\
         <button type=\"button\" id=\"open\">Unfold all</button>\n<button type=\"button\" id=\"close\">Fold all</button>\n\
         <p id=\"keys\">Keys: <kbd>/</kbd> search, <kbd>j</kbd> and <kbd>k</kbd> next and previous object, <kbd>Enter</kbd> fold, \
         <kbd>Esc</kbd> clear.</p>\n</form>\n</header>\n<main>\n",
        source_hash(STYLE),
        source_hash(SCRIPT),
        escaped(&report.summary()),
    );
    for environment in report.different() {
        section(&mut out, environment, look, is_open);
    }
    let same: Vec<String> = report
        .environments
        .iter()
        .filter(|environment| environment.is_same())
        .map(|environment| escaped(&environment.name))
        .collect();
    if !same.is_empty() {
        let _ = write!(
            out,
            "<section class=\"same\"><h2>Without difference</h2>\n<p>{}</p></section>\n",
            same.join(", ")
        );
    }
    let _ = write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

fn source_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

fn section(out: &mut String, environment: &EnvironmentReport, look: &Look, is_open: bool) {
    let name = escaped(&environment.name);
    let mut head = environment.summary();
    if let Outcome::Failed { .. } = &environment.outcome {
        let _ = write!(
            out,
            "<section><h2>{name}</h2>\n<p class=\"failed\">{}</p></section>\n",
            escaped(&head)
        );
        return;
    }
    if let Some(was) = &environment.was {
        let _ = write!(head, ", renamed from {was}");
    }
    let Some(comparison) = environment.outcome.comparison() else { return };
    let open = if is_open { " open" } else { "" };
    let _ = write!(
        out,
        "<details class=\"environment\"{open}>\n<summary><h2>{name}</h2> <span class=\"path\">{}</span> <span>{}</span></summary>\n",
        if environment.path == environment.name {
            String::new()
        } else {
            escaped(&environment.path)
        },
        escaped(&head)
    );
    let whole = matches!(environment.outcome, Outcome::Compared(_));
    for change in reported(comparison, look) {
        resource(out, change, look, whole, is_open);
    }
    if comparison.reordered && (look.raw || comparison.resources.is_empty()) {
        out.push_str("<p>The objects stand in another order.</p>\n");
    }
    out.push_str("</details>\n");
}

fn resource(out: &mut String, change: &ResourceChange, look: &Look, whole: bool, is_open: bool) {
    let (class, what) = match sign(&change.fate) {
        '+' => ("created", "created"),
        '-' => ("deleted", "deleted"),
        _ => ("changed", "changed"),
    };
    let mut body = String::new();
    for row in rows(change, look, whole) {
        write_row(&mut body, &row);
    }
    let mut tags = String::new();
    for note in notes(change) {
        let class = match change.impact {
            Impact::Replace if note == change.impact.text() => "tag replace",
            Impact::RollsPods if note == change.impact.text() => "tag rolls",
            _ => "tag",
        };
        let _ = write!(tags, " <span class=\"{class}\">{}</span>", escaped(&note));
    }
    let head = format!(
        "<span class=\"fate\">{what}</span> <span class=\"id\">{}</span>{tags}",
        escaped(&change.id.to_string())
    );
    let _ = if body.is_empty() {
        writeln!(out, "<div class=\"object {class}\" tabindex=\"-1\">{head}</div>")
    } else {
        let open = if is_open && body.len() < 20_000 { " open" } else { "" };
        writeln!(
            out,
            "<details class=\"object {class}\"{open}><summary>{head}</summary>\n<div class=\"rows\">{body}</div></details>"
        )
    };
}

fn field(out: &mut String, class: &str, sign: char, path: &str, rest: &str) {
    let _ = writeln!(
        out,
        "<div class=\"row {class}\"><span class=\"sign\">{sign}</span> <span class=\"field\">{}</span>{rest}</div>",
        escaped(path)
    );
}

fn lines<'t>(out: &mut String, lines: impl Iterator<Item = (char, &'t str)>) {
    out.push_str("<pre>");
    for (sign, text) in lines {
        let class = match sign {
            '+' => "add",
            '-' => "remove",
            '@' => "hunk",
            _ => "same",
        };
        let sign = if sign == '@' { String::new() } else { sign.to_string() };
        let _ = write!(out, "<span class=\"{class}\">{sign}{}</span>", escaped(text));
    }
    out.push_str("</pre>\n");
}

fn write_value(out: &mut String, class: &str, sign: char, path: &str, shown: &Shown) {
    match shown {
        Shown::Inline(text) => {
            field(out, class, sign, path, &format!(": <code>{}</code>", escaped(text)));
        }
        Shown::Block(text) => {
            field(out, class, sign, path, "");
            lines(out, text.lines().map(|line| (sign, line)));
        }
    }
}

fn write_row(out: &mut String, row: &Row) {
    match row {
        Row::Added(path, shown) => write_value(out, "add", '+', path, shown),
        Row::Removed(path, shown) => write_value(out, "remove", '-', path, shown),
        Row::Replaced(path, Shown::Inline(old), Shown::Inline(new)) => {
            let rest = format!(
                ": <del><code>{}</code></del> → <ins><code>{}</code></ins>",
                escaped(old),
                escaped(new)
            );
            field(out, "replace", '~', path, &rest);
        }
        Row::Replaced(path, old, new) => {
            write_value(out, "remove", '-', path, old);
            write_value(out, "add", '+', path, new);
        }
        Row::Moved(path, from, to) => {
            field(out, "replace", '~', path, &format!(": moved from {from} to {to}"));
        }
        Row::Text(path, text) => {
            field(out, "replace", '~', path, "");
            lines(out, text.iter().map(|line| (line.sign, line.text.as_str())));
        }
        Row::Object(sign, text) => lines(out, text.lines().map(|line| (*sign, line))),
    }
}
