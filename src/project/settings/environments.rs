//! Environments: those that a project names, those that a pattern stands for, and those of a repository without a project
//! file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::glob::{self, Piece};
use super::{Environment, Project, Settings, ValuesFile};
use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::load::FILE_NAMES;
use crate::provenance::OriginId;
use crate::session::{Context, Text};
use crate::source::{EntryKind, Reader, clean, join, parse_remote};
use crate::yaml::{Key, Node};

/// An entry of `environments` as it is written.
pub(super) struct Entry {
    pub(super) name: Text,
    pub(super) path: Text,
    pub(super) values: Vec<Text>,
    pub(super) settings: Settings,
}

/// Returns the environments that entries stand for. `root`: the directory of the project file.
pub(super) fn expand(
    cx: &mut Context<'_>,
    root: &Path,
    entries: &[Entry],
) -> Fallible<Vec<Environment>> {
    let mut found: Vec<Environment> = Vec::new();
    let mut result = Ok(());
    for entry in entries {
        match expand_one(cx, root, entry) {
            Ok(environments) => {
                for environment in environments {
                    match found.iter().find(|known| known.name == environment.name) {
                        Some(known) => {
                            let message =
                                format!("there are two environments `{}`", environment.name);
                            let d = Diagnostic::error(Code::EnvironmentAmbiguous, message)
                                .at(cx.span(environment.at), "this one")
                                .at(cx.span(known.at), "the other one");
                            result = Err(cx.fail(d.help("give one of them another name")));
                        }
                        None => found.push(environment),
                    }
                }
            }
            Err(reported) => result = Err(reported),
        }
    }
    result.map(|()| found)
}

fn expand_one(cx: &mut Context<'_>, root: &Path, entry: &Entry) -> Fallible<Vec<Environment>> {
    let (name, path) = (entry.name.as_str(), entry.path.as_str());
    let (Some(name_pieces), Some(path_pieces)) = (glob::pieces(name), glob::pieces(path)) else {
        let message =
            format!("the name or path of environment `{name}` has a brace without its counterpart");
        let d = Diagnostic::error(Code::ProjectWrongType, message)
            .at(cx.span(entry.name.at), "this environment");
        return Err(cx.fail(d.help("a capture is written `{name}`, with letters, digits and `_`")));
    };
    require_relative(cx, &entry.path)?;
    let is_capture = |piece: &Piece| matches!(piece, Piece::Capture(_));
    let captured = |pieces: &[Piece]| -> BTreeSet<Piece> {
        pieces.iter().filter(|piece| is_capture(piece)).cloned().collect()
    };
    let (in_name, in_path) = (captured(&name_pieces), captured(&path_pieces));
    if in_name != in_path {
        let message =
            format!("the name and the path of environment `{name}` have different captures");
        let d = Diagnostic::error(Code::ProjectWrongType, message)
            .at(cx.span(entry.name.at), "this name")
            .at(cx.span(entry.path.at), "this path");
        return Err(cx.fail(
            d.help("each `{capture}` of the name is one of the path, and the other way round"),
        ));
    }
    if in_path.is_empty() {
        require_name(cx, name, entry.name.at)?;
        return Ok(vec![environment(entry, name.to_owned(), path, BTreeMap::new())]);
    }
    let mut found = Vec::new();
    let parts: Vec<&str> = path.split('/').collect();
    matching_directories(cx.session.reader(), root, "", &parts, &BTreeMap::new(), &mut found);
    if found.is_empty() {
        let message = format!("no directory with a kustomization fits `{path}`");
        let d = Diagnostic::warning(Code::EnvironmentPatternUnmatched, message)
            .at(cx.span(entry.path.at), "fits nothing");
        cx.warn(d.help("correct the path, or remove the environment"));
    }
    let mut out = Vec::new();
    for (path, vars) in found {
        let name = glob::fill(name, &vars);
        require_name(cx, &name, entry.name.at)?;
        out.push(environment(entry, name, &path, vars));
    }
    Ok(out)
}

fn environment(
    entry: &Entry,
    name: String,
    path: &str,
    vars: BTreeMap<String, String>,
) -> Environment {
    let values = entry.values.iter().map(|file| ValuesFile::new(file, &vars)).collect();
    // The path as the directory is called, without `./` and a slash at the end.
    let path = clean(Path::new(path)).to_string_lossy().into_owned();
    Environment { name, path, vars, values, settings: entry.settings.clone(), at: entry.name.at }
}

/// A name is a folder of the rendered tree.
fn require_name(cx: &mut Context<'_>, name: &str, at: OriginId) -> Fallible<()> {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_graphic() && !b"\\:*?\"<>|{}".contains(&b))
    };
    if name.split('/').all(is_part) && name.len() <= 200 {
        return Ok(());
    }
    let message = format!("`{name}` cannot be the name of an environment");
    let d = Diagnostic::error(Code::ProjectWrongType, message).at(cx.span(at), "this name");
    Err(cx.fail(d.help(
        "a name is a path of letters, digits, `-`, `_` and `.`; no part of it begins with `.`",
    )))
}

pub(super) fn require_relative(cx: &mut Context<'_>, path: &Text) -> Fallible<()> {
    let inside = !path.is_empty()
        && !Path::new(path.as_str()).is_absolute()
        && !clean(Path::new(path.as_str())).starts_with("..");
    if inside {
        return Ok(());
    }
    let message = format!("`{}` is not a path below the project file", path.as_str());
    let d = Diagnostic::error(Code::ProjectWrongType, message).at(cx.span(path.at), "this path");
    Err(cx.fail(d.help("paths in a project file are relative to its directory")))
}

/// Returns whether a directory has a kustomization.
pub(crate) fn has_kustomization(reader: &dyn Reader, directory: &Path) -> bool {
    FILE_NAMES.iter().any(|name| {
        matches!(reader.kind(&directory.join(name)), Ok(EntryKind::File | EntryKind::Symlink))
    })
}

/// Finds the directories with a kustomization that a path with captures stands for, in order.
fn matching_directories(
    reader: &dyn Reader,
    directory: &Path,
    path: &str,
    parts: &[&str],
    known: &BTreeMap<String, String>,
    found: &mut Vec<(String, BTreeMap<String, String>)>,
) {
    let Some((part, rest)) = parts.split_first() else {
        if has_kustomization(reader, directory) {
            found.push((path.to_owned(), known.clone()));
        }
        return;
    };
    let joined =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    let pieces = glob::pieces(part).unwrap_or_default();
    if !pieces.iter().any(|piece| matches!(piece, Piece::Capture(_))) {
        let below = directory.join(part);
        return matching_directories(reader, &below, &joined(part), rest, known, found);
    }
    for name in reader.list(directory).unwrap_or_default() {
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let below = directory.join(name);
        let Some(captures) = glob::capture(&pieces, name, known) else { continue };
        if matches!(reader.kind(&below), Ok(EntryKind::Directory)) {
            matching_directories(reader, &below, &joined(name), rest, &captures, found);
        }
    }
}

/// Returns the environments of a project; without a project file, every kustomization below `root` that no other one
/// includes, named by its path.
pub(crate) fn discover(cx: &mut Context<'_>, project: &Project, root: &Path) -> Vec<Environment> {
    if project.path.is_some() {
        return project.environments.clone();
    }
    let kustomizations = find_kustomizations(cx.session.reader(), root);
    let mut included = BTreeSet::new();
    let mut components = BTreeSet::new();
    for directory in &kustomizations {
        let Some(document) = kustomization_of(cx, directory) else { continue };
        if document.get(Key::text_key("kind")).is_some_and(|kind| kind.text() == "Component") {
            components.insert(directory.clone());
        }
        for field in
            ["resources", "bases", "components", "generators", "transformers", "validators"]
        {
            let entries = document.get(Key::text_key(field)).and_then(Node::elements);
            for entry in entries.unwrap_or_default() {
                let target = clean(&join(directory, Path::new(entry.text())));
                if parse_remote(entry.text()).is_none() {
                    included.insert(target);
                }
            }
        }
    }
    let is_root =
        |directory: &&PathBuf| !included.contains(*directory) && !components.contains(*directory);
    let named = |directory: &PathBuf| {
        let path = directory.strip_prefix(root).unwrap_or(directory).to_string_lossy().into_owned();
        let path = if path.is_empty() { ".".to_owned() } else { path };
        let name = if path == "." { "root".to_owned() } else { path.clone() };
        Environment { name, path, ..Environment::default() }
    };
    kustomizations.iter().filter(is_root).map(named).collect()
}

fn kustomization_of(cx: &mut Context<'_>, directory: &Path) -> Option<Node> {
    let path = FILE_NAMES.iter().map(|name| directory.join(name)).find(|path| {
        matches!(cx.session.reader().kind(path), Ok(EntryKind::File | EntryKind::Symlink))
    })?;
    let file = cx.session.file(&path).ok()?;
    // A file that cannot be read is reported when it is built.
    let text = std::str::from_utf8(file.bytes()).ok()?;
    crate::yaml::parse_document(text, file.base(), crate::yaml::Dialect::V2).ok().flatten()
}

/// Returns every directory with a kustomization in and below a directory, in order. Hidden directories and symbolic links
/// are left out.
pub(crate) fn find_kustomizations(reader: &dyn Reader, root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        if has_kustomization(reader, &directory) {
            found.push(directory.clone());
        }
        for name in reader.directories(&directory).unwrap_or_default() {
            let is_hidden =
                name.to_str().is_none_or(|name| name.starts_with('.') || name == "node_modules");
            if !is_hidden {
                waiting.push(directory.join(&name));
            }
        }
    }
    found.sort();
    found
}
