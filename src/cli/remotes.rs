//! `kiln build --list-remotes`: what a target names on the network, and how to copy it into the repository.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::{CommandError, Ending, write_stdout};
use crate::project::{FILE_NAMES, Project};
use crate::source::{display_path, is_http_url, join, parse_remote};
use crate::yaml::{Dialect, Key, Node, parse_document};

const FIELDS: [&str; 8] = [
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
    "crds",
    "configurations",
];

pub(super) fn list(
    project: &Project,
    target: &Path,
    directory: &Path,
) -> Result<Ending, CommandError> {
    let mut found = BTreeSet::new();
    let mut visited = BTreeSet::new();
    let start = fs::canonicalize(target)
        .map_err(CommandError::io(format!("`{}` cannot be read", target.display())))?;
    visit(project, &start, &mut visited, &mut found);
    let mut out = String::new();
    for entry in &found {
        let _ = writeln!(out, "{entry}");
        if let Some((_, copy)) = project.remotes.iter().find(|(remote, _)| remote == entry) {
            let _ = writeln!(out, "  vendored in {}", display_path(copy, directory));
            continue;
        }
        let Some(remote) = parse_remote(entry) else {
            let _ = writeln!(out, "  download it, and name the copy");
            continue;
        };
        let url = remote.clone_url();
        let name = url.trim_end_matches('/').trim_end_matches(".git");
        let parts: Vec<&str> = name.rsplit(['/', ':']).take(2).collect();
        let folder = format!("vendor/{}", parts.into_iter().rev().collect::<Vec<_>>().join("-"));
        let reference = if remote.reference.is_empty() { "HEAD" } else { &remote.reference };
        let _ = writeln!(out, "  url  {url}\n  ref  {reference}");
        let _ = writeln!(out, "  git clone --filter=blob:none --no-checkout {url} {folder}");
        let _ = writeln!(out, "  git -C {folder} checkout {reference}");
        let _ = writeln!(out, "  rm -rf {folder}/.git");
        let path = if remote.directory.is_empty() {
            folder
        } else {
            format!("{folder}/{}", remote.directory)
        };
        let _ = writeln!(out, "  kiln.yaml  remotes: {{ \"{entry}\": {path} }}");
    }
    write_stdout(out.as_bytes())?;
    Ok(Ending::Done)
}

fn visit(
    project: &Project,
    directory: &Path,
    visited: &mut BTreeSet<PathBuf>,
    found: &mut BTreeSet<String>,
) {
    if !visited.insert(directory.to_path_buf()) {
        return;
    }
    let Some(text) =
        FILE_NAMES.iter().find_map(|name| fs::read_to_string(directory.join(name)).ok())
    else {
        return;
    };
    let Ok(Some(document)) = parse_document(&text, 1, Dialect::V2) else { return };
    for field in FIELDS {
        let entries = document.get(Key::text_key(field)).and_then(Node::elements);
        for entry in entries.unwrap_or_default() {
            let text = entry.text();
            let local = join(directory, Path::new(text));
            if local.exists() {
                if let Ok(path) = fs::canonicalize(local) {
                    visit(project, &path, visited, found);
                }
            } else if is_http_url(text) || parse_remote(text).is_some() {
                found.insert(text.to_owned());
                let copy = project.remotes.iter().find(|(remote, _)| remote == text);
                if let Some(path) = copy.and_then(|(_, copy)| fs::canonicalize(copy).ok()) {
                    visit(project, &path, visited, found);
                }
            }
        }
    }
}
