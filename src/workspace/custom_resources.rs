//! The definitions of custom resources that a project names (`kubernetes.crds`), or the command line does.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{Project, Settings};
use crate::provenance::OriginId;
use crate::resource::{ReadFault, read_documents};
use crate::schema::{CrdTypes, is_definition};
use crate::session::Context;
use crate::source::{EntryKind, LoadError, Reader, SourceFile, clean, display_path};
use crate::yaml::{Node, known};

/// How deep folders are searched.
const MAX_DEPTH: usize = 64;

/// A file or folder, absolute, and where the project file names it.
type Named = (PathBuf, Option<OriginId>);

/// Reads the definitions that settings name, and those at other paths, absolute. They are read once in a session.
pub(crate) fn custom_resources(
    cx: &mut Context<'_>,
    project: &Project,
    settings: &Settings,
    others: &[PathBuf],
) -> Fallible<Arc<CrdTypes>> {
    let root = project.root().unwrap_or(Path::new("/"));
    let own = settings.crds.iter().flatten();
    let named: Vec<Named> = own
        .map(|text| (clean(&root.join(text.as_str())), Some(text.at)))
        .chain(others.iter().map(|path| (clean(path), None)))
        .collect();
    let paths: Vec<PathBuf> = named.iter().map(|(path, _)| path.clone()).collect();
    if let Some(known) = cx.session.custom_resources(&paths) {
        return Ok(known);
    }
    let mut types = CrdTypes::default();
    let mut result = Ok(());
    for (path, at) in &named {
        for file in definition_files(cx.session.reader(), path) {
            match read_file(cx, &file, *at) {
                Ok(definitions) => {
                    types.note_file(&file);
                    for definition in &definitions {
                        types.add(definition);
                    }
                }
                Err(reported) => result = Err(reported),
            }
        }
    }
    result?;
    let types = Arc::new(types);
    cx.session.keep_custom_resources(paths, &types);
    Ok(types)
}

/// Returns the definitions that lie at a path, absolute: a file or a folder. `at`: where a project file names it.
pub(crate) fn read_definitions(
    cx: &mut Context<'_>,
    path: &Path,
    at: Option<OriginId>,
) -> Fallible<Vec<(PathBuf, Vec<Node>)>> {
    let files = definition_files(cx.session.reader(), path);
    let read = files.into_iter().map(|file| {
        let definitions = read_file(cx, &file, at)?;
        Ok((file, definitions))
    });
    // Every fault is reported.
    let read: Vec<Fallible<_>> = read.collect();
    read.into_iter().collect()
}

/// Returns the files that may hold definitions: a file itself, or what lies in a folder and below it, sorted. Hidden folders and symbolic
/// links to folders are left out.
fn definition_files(reader: &dyn Reader, path: &Path) -> Vec<PathBuf> {
    let is_directory = |path: &Path| {
        let resolved = reader.canonicalize(path).and_then(|path| reader.kind(&path));
        matches!(resolved, Ok(EntryKind::Directory))
    };
    if !is_directory(path) {
        return vec![path.to_path_buf()];
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for name in reader.list(&folder).unwrap_or_default() {
            let below = folder.join(&name);
            if matches!(reader.kind(&below), Ok(EntryKind::Directory)) {
                let is_hidden = name.to_string_lossy().starts_with('.');
                folders.extend((!is_hidden && depth < MAX_DEPTH).then_some((below, depth + 1)));
            } else if below.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json") {
                found.push(below);
            }
        }
    }
    found.sort();
    found
}

fn read_file(cx: &mut Context<'_>, path: &Path, at: Option<OriginId>) -> Fallible<Vec<Node>> {
    match cx.session.file(path) {
        Ok(file) => definitions_of(cx, &file),
        Err(error) => {
            let shown = display_path(path, &cx.options.shown_from);
            let (code, message) = match &error {
                LoadError::Io { error, .. } if error.kind() == ErrorKind::NotFound => {
                    (Code::FileMissing, format!("`{shown}` does not exist"))
                }
                LoadError::Io { error, .. } => {
                    (Code::FileUnreadable, format!("`{shown}` cannot be read: {error}"))
                }
                other => (Code::FileUnreadable, other.to_string()),
            };
            let span = at.and_then(|at| cx.span(at));
            Err(cx.fail(Diagnostic::error(code, message).at(span, "named here")))
        }
    }
}

/// Returns the definitions in a file, lists of objects taken apart. What else is there is nobody's fault.
pub(crate) fn definitions_of(cx: &mut Context<'_>, file: &SourceFile) -> Fallible<Vec<Node>> {
    let documents = match std::str::from_utf8(file.bytes()) {
        Ok(text) => {
            read_documents(text, file.base()).map_err(|(error, at)| ReadFault::Syntax(error, at))
        }
        Err(error) => Err(ReadFault::NotUtf8(error.valid_up_to())),
    };
    let documents = match documents {
        Ok(documents) => documents,
        Err(fault) => {
            let d = cx.read_fault_diagnostic(&fault, file);
            return Err(cx.fail(d));
        }
    };
    let mut found = Vec::new();
    for document in documents {
        add(document, &mut found);
    }
    Ok(found)
}

fn add(document: Node, found: &mut Vec<Node>) {
    match document.get(known::ITEMS).and_then(Node::elements) {
        Some(items) => items.iter().for_each(|item| add(item.clone(), found)),
        None => found.extend(is_definition(&document).then_some(document)),
    }
}
