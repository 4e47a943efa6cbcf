//! `kiln values`: the merged values, with where each is written and what it overrides.

use std::fmt::Write as _;

use super::args::ValuesCommandArgs;
use super::build::{Surroundings, load_project, value_args};
use super::{CommandError, Ending, write_stdout};
use crate::provenance::OriginId;
use crate::source::display_path;
use crate::values::Values;
use crate::yaml::{Node, NodeKind};
use crate::{BuildOptions, DiskReader, Lints, Session, tree, workspace};

pub(super) fn run(
    args: &ValuesCommandArgs,
    around: &Surroundings<'_>,
) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let session = Session::new(&DiskReader);
    let given = value_args(&args.values, directory)?;
    let Some(project) = load_project(&session, around, directory) else { return Ok(Ending::No) };
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let target =
        workspace::resolve_target(&session, &project, &args.environment, directory, &lints);
    terminal.report(&target.diagnostics, session.sources());
    let Some(target) = target.value else { return Ok(Ending::No) };
    let options =
        BuildOptions { shown_from: directory.to_path_buf(), lints, ..BuildOptions::default() };
    let prepared = workspace::prepare(&session, &project, &target, &given, options);
    terminal.report(&prepared.diagnostics, session.sources());
    let Some(prepared) = prepared.value else { return Ok(Ending::No) };
    let place = |origin: OriginId| {
        let position = origin.position()?;
        let (path, at) = tree::place_of(session.sources(), position)?;
        Some(format!("{}:{}:{}", display_path(&path, directory), at.line, at.column))
    };
    let values = &prepared.values;
    let mut out = String::new();
    for (path, node) in values.leaves().into_iter().chain(empty_collections(values)) {
        let is_wanted = args.path.as_ref().is_none_or(|wanted| {
            path.strip_prefix(wanted.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        if !is_wanted {
            continue;
        }
        let shown = |node: &Node| {
            let secret = values.secrets.contains(&node.origin()) && !terminal.show_secrets;
            if secret { format!("<secret, {} bytes>", node.text().len()) } else { one_line(node) }
        };
        let _ = write!(out, "{path}: {}", shown(node));
        if let Some(place) = place(node.origin()) {
            let _ = write!(out, "  # {place}");
        }
        let mut origin = node.origin();
        while let Some(old) = values.overridden.get(&origin) {
            // A secret that is overridden is one still.
            let old_shown = if values.secrets.contains(&node.origin()) && !terminal.show_secrets {
                format!("<secret, {} bytes>", old.text().len())
            } else {
                one_line(old)
            };
            let _ = write!(out, ", overrides {old_shown}");
            if let Some(place) = place(old.origin()) {
                let _ = write!(out, " of {place}");
            }
            if old.origin() == origin {
                break;
            }
            origin = old.origin();
        }
        out.push('\n');
    }
    if let Some(wanted) = args.path.as_ref().filter(|_| out.is_empty()) {
        return Err(CommandError::Usage(format!("there is no value `{wanted}`")));
    }
    write_stdout(out.as_bytes())?;
    Ok(Ending::Done)
}

fn empty_collections(values: &Values) -> Vec<(String, &Node)> {
    fn find<'n>(node: &'n Node, path: &str, out: &mut Vec<(String, &'n Node)>) {
        if node.kind() != NodeKind::Scalar && node.is_empty() && !path.is_empty() {
            out.push((path.to_owned(), node));
        }
        for entry in node.entries().into_iter().flatten() {
            let name = entry.key.text();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            find(&entry.value, &path, out);
        }
    }
    let mut out = Vec::new();
    find(&values.root, "", &mut out);
    out
}

fn one_line(node: &Node) -> String {
    match node.kind() {
        NodeKind::Map if node.is_empty() => "{}".to_owned(),
        NodeKind::Sequence if node.is_empty() => "[]".to_owned(),
        NodeKind::Map => format!("{{{} values}}", node.len()),
        NodeKind::Sequence => format!("[{} elements]", node.len()),
        NodeKind::Scalar if node.resolved_tag() == crate::yaml::Tag::Str => {
            let mut text = String::new();
            crate::yaml::write_json_string(node.text(), &mut text);
            text
        }
        NodeKind::Scalar => node.text().to_owned(),
    }
}
