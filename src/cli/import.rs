//! `kiln schema import`: definitions of custom resources become files of the project.
//!
//! Nothing is written before everything was read and every file is known to be free: a fault leaves the project as it was.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::args::ImportArgs;
use super::build::{Surroundings, load_project};
use super::{CommandError, Ending, file, write_stdout};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::project::{Project, with_definitions};
use crate::schema::Definition;
use crate::session::Context;
use crate::source::{clean, display_path};
use crate::workspace::{definitions_of, read_definitions};
use crate::yaml::{Node, write_document};
use crate::{BuildOptions, DiskReader, Lints, Session};

/// The first line of the files that are written.
const MARK: &str = "# written by kiln schema import; do not edit\n";
/// Where definitions go if the project names no folder for them.
const DEFAULT_FOLDER: &str = "crds/";

/// Where definitions go.
struct Folder {
    /// Absolute.
    path: PathBuf,
    /// The project file does not name it yet.
    is_new: bool,
}

/// A definition of the project.
struct Existing {
    path: PathBuf,
    definition: Node,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    New,
    Changed,
    Unchanged,
}

pub(super) fn run(args: &ImportArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let session = Session::new(&DiskReader);
    let Some(project) = load_project(&session, around, directory) else { return Ok(Ending::No) };
    let (Some(root), Some(project_file)) = (project.root(), project.path.as_deref()) else {
        let message = "there is no project file to import into: `kiln create --project` writes one";
        return Err(CommandError::Usage(message.to_owned()));
    };
    let has_stdin = args.files.iter().any(|file| file == Path::new("-"));
    let stdin = if has_stdin { Some(read_stdin()?) } else { None };
    let folder = folder(&project, root);
    let options = BuildOptions { shown_from: directory.to_path_buf(), ..BuildOptions::default() };
    let mut cx = Context::new(&session, &options);
    let planned = plan(&mut cx, args, stdin, &project, &folder);
    let diagnostics = cx.sink.into_sorted(session.sources(), &Lints::default());
    terminal.report(&diagnostics, session.sources());
    let Ok(planned) = planned else { return Ok(Ending::No) };

    std::fs::create_dir_all(&folder.path)
        .map_err(CommandError::io(format!("`{}` cannot be made", folder.path.display())))?;
    let mut out = String::new();
    for (path, (change, text)) in &planned {
        let shown = display_path(path, directory);
        let said = match change {
            Change::New => "new",
            Change::Changed => "changed",
            Change::Unchanged => "unchanged",
        };
        if *change != Change::Unchanged {
            file::replace(path, text.as_bytes())?;
        }
        let _ = writeln!(out, "{shown}: {said}");
    }
    if folder.is_new {
        out.push_str(&name_folder(project_file, directory)?);
    }
    write_stdout(out.as_bytes())?;
    Ok(Ending::Done)
}

fn read_stdin() -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(CommandError::io("stdin cannot be read"))?;
    Ok(bytes)
}

/// Returns the first folder of `kubernetes.crds`; one that does not exist yet has no extension, or a `/` at its end.
fn folder(project: &Project, root: &Path) -> Folder {
    let named = project.settings.crds.iter().flatten().find(|text| {
        let path = root.join(text.as_str());
        let is_open = text.as_str().ends_with('/') || path.extension().is_none();
        path.is_dir() || is_open && !path.exists()
    });
    let path = named.map_or(DEFAULT_FOLDER, |text| text.as_str());
    Folder { path: clean(&root.join(path)), is_new: named.is_none() }
}

/// Returns the files to write, with what becomes of each.
fn plan(
    cx: &mut Context<'_>,
    args: &ImportArgs,
    stdin: Option<Vec<u8>>,
    project: &Project,
    folder: &Folder,
) -> Fallible<BTreeMap<PathBuf, (Change, String)>> {
    let wanted = wanted(cx, args, stdin);
    let existing = existing(cx, project, folder);
    let (wanted, existing) = (wanted?, existing?);
    let mut planned = BTreeMap::new();
    let mut result = Ok(());
    for definition in wanted.values() {
        let planning = written(cx, definition).and_then(|text| {
            let path = folder.path.join(format!("{}.yaml", definition.name));
            let (path, change) = change(cx, &path, definition, &text, &existing)?;
            planned.insert(path, (change, text));
            Ok(())
        });
        if let Err(reported) = planning {
            result = Err(reported);
        }
    }
    result.map(|()| planned)
}

/// Reads what is to be imported, by name.
fn wanted(
    cx: &mut Context<'_>,
    args: &ImportArgs,
    mut stdin: Option<Vec<u8>>,
) -> Fallible<BTreeMap<String, Definition>> {
    let mut found: BTreeMap<String, Definition> = BTreeMap::new();
    let mut result = Ok(());
    for argument in &args.files {
        let is_stdin = argument == Path::new("-");
        let read = if is_stdin {
            // What is named twice is read once.
            let Some(bytes) = stdin.take() else { continue };
            read_bytes(cx, bytes)
        } else {
            let path = clean(&cx.options.shown_from.join(argument));
            let read = read_definitions(cx, &path, None);
            read.map(|files| files.into_iter().flat_map(|(_, definitions)| definitions).collect())
        };
        let definitions = match read {
            Ok(definitions) => definitions,
            Err(reported) => {
                result = Err(reported);
                continue;
            }
        };
        if definitions.is_empty() {
            let shown = if is_stdin { "stdin".into() } else { argument.to_string_lossy() };
            let message = format!("`{shown}` holds no CustomResourceDefinition");
            result = Err(cx.fail(Diagnostic::error(Code::SchemaNoDefinition, message)));
        }
        for definition in &definitions {
            if let Err(reported) = add(cx, definition, &mut found) {
                result = Err(reported);
            }
        }
    }
    result.map(|()| found)
}

fn read_bytes(cx: &mut Context<'_>, bytes: Vec<u8>) -> Fallible<Vec<Node>> {
    match cx.sources().add(PathBuf::from("<stdin>"), bytes.into()) {
        Ok(file) => definitions_of(cx, &file),
        Err(_) => {
            let message = "more than 2 GiB of input in one run";
            Err(cx.fail(Diagnostic::error(Code::FileTooLarge, message)))
        }
    }
}

fn add(
    cx: &mut Context<'_>,
    object: &Node,
    found: &mut BTreeMap<String, Definition>,
) -> Fallible<()> {
    let definition = match Definition::of(object) {
        Ok(definition) => definition,
        Err((diagnostic, at)) => {
            let d = diagnostic.at(cx.span(at), "in this definition");
            return Err(cx.fail(d));
        }
    };
    if let Some(first) = found.get(&definition.name) {
        if text_of(&first.node) == text_of(&definition.node) {
            return Ok(());
        }
        let message = format!("`{}` is defined twice, and differently", definition.name);
        let d = Diagnostic::error(Code::SchemaDefinitionExists, message)
            .at(cx.span(definition.at), "the second definition")
            .at(cx.span(first.at), "the first one");
        return Err(cx.fail(d.help("import one of them")));
    }
    found.insert(definition.name.clone(), definition);
    Ok(())
}

/// Returns a definition as it is written; nothing if it cannot be.
fn text_of(definition: &Node) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    write_document(definition, &mut text).ok()?;
    Some(text)
}

fn written(cx: &mut Context<'_>, definition: &Definition) -> Fallible<String> {
    let mut text = Vec::new();
    write_document(&definition.node, &mut text).map_err(|fault| cx.view_fault(&fault))?;
    Ok(format!("{MARK}{}", String::from_utf8_lossy(&text)))
}

/// Reads the definitions that the project has, by name.
fn existing(
    cx: &mut Context<'_>,
    project: &Project,
    folder: &Folder,
) -> Fallible<BTreeMap<String, Vec<Existing>>> {
    let root = project.root().unwrap_or(Path::new("/"));
    let named = project.settings.crds.iter().flatten();
    let mut paths: Vec<(PathBuf, _)> =
        named.map(|text| (clean(&root.join(text.as_str())), Some(text.at))).collect();
    paths.extend(folder.is_new.then(|| (folder.path.clone(), None)));
    let mut found: BTreeMap<String, Vec<Existing>> = BTreeMap::new();
    let mut result = Ok(());
    // A folder that is yet to be made holds nothing.
    for (path, at) in paths.into_iter().filter(|(path, _)| *path != folder.path || path.exists()) {
        match read_definitions(cx, &path, at) {
            Ok(files) => {
                for (path, definitions) in files {
                    for definition in
                        definitions.iter().filter_map(|node| Definition::of(node).ok())
                    {
                        let existing = Existing { path: path.clone(), definition: definition.node };
                        found.entry(definition.name).or_default().push(existing);
                    }
                }
            }
            Err(reported) => result = Err(reported),
        }
    }
    result.map(|()| found)
}

/// Decides what becomes of the file of a definition. The same definition in another file suffices; another one there, or a file that
/// something else has written, is in the way.
fn change(
    cx: &mut Context<'_>,
    path: &Path,
    definition: &Definition,
    text: &str,
    existing: &BTreeMap<String, Vec<Existing>>,
) -> Fallible<(PathBuf, Change)> {
    let known = || existing.get(&definition.name).into_iter().flatten();
    let is_same = |one: &Existing| text_of(&one.definition) == text_of(&definition.node);
    if let Some(other) = known().find(|other| other.path != path) {
        if is_same(other) {
            return Ok((other.path.clone(), Change::Unchanged));
        }
        let shown = display_path(&other.path, &cx.options.shown_from);
        let message = format!("`{shown}` has another definition of `{}`", definition.name);
        let d = Diagnostic::error(Code::SchemaDefinitionExists, message)
            .at(cx.span(definition.at), "the one to import");
        return Err(cx.fail(d.help("remove it there, or do not import it")));
    }
    let Ok(bytes) = std::fs::read(path) else {
        return match path.symlink_metadata() {
            Err(_) => Ok((path.to_path_buf(), Change::New)),
            Ok(_) => Err(in_the_way(cx, path)),
        };
    };
    let is_same = known().any(|own| own.path == path && is_same(own));
    match bytes.starts_with(MARK.as_bytes()) {
        _ if bytes == text.as_bytes() => Ok((path.to_path_buf(), Change::Unchanged)),
        true => Ok((path.to_path_buf(), Change::Changed)),
        // Somebody keeps the whole definition there.
        false if is_same => Ok((path.to_path_buf(), Change::Unchanged)),
        false => Err(in_the_way(cx, path)),
    }
}

fn in_the_way(cx: &mut Context<'_>, path: &Path) -> Reported {
    let shown = display_path(path, &cx.options.shown_from);
    let message = format!("`{shown}` was not written by `kiln schema import` and is in the way");
    let span = cx.session.file(path).ok().map(|file| file.character(0));
    let d = Diagnostic::error(Code::SchemaDefinitionExists, message).at(span, "in the way");
    cx.fail(d.help("move or remove it; kiln replaces only files that it has written"))
}

/// Names the folder in the project file, or says how.
fn name_folder(project_file: &Path, directory: &Path) -> Result<String, CommandError> {
    let shown = display_path(project_file, directory);
    let text = std::fs::read_to_string(project_file)
        .map_err(CommandError::io(format!("`{shown}` cannot be read")))?;
    match with_definitions(&text, DEFAULT_FOLDER) {
        Some(text) => {
            file::replace(project_file, text.as_bytes())?;
            Ok(format!("{shown}: `kubernetes.crds: [{DEFAULT_FOLDER}]` added\n"))
        }
        None => {
            Ok(format!("{shown}: add `{DEFAULT_FOLDER}` to `kubernetes.crds`, so that it counts\n"))
        }
    }
}
