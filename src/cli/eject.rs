//! `kiln eject`: an environment as a tree that kustomize builds to the same bytes.
//!
//! Every file that the build reads is copied to where it lies, templates as they are rendered, without `.j2` at the end of
//! their names. Kustomizations are changed where they name such a file, or a remote base that is vendored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::args::EjectArgs;
use super::build::{Surroundings, load_project, value_args};
use super::{CommandError, Ending, file, write_stdout};
use crate::project::{FILE_NAMES, Project};
use crate::source::{clean, display_path, join};
use crate::yaml::{Dialect, Node, parse_document, token_end};
use crate::{BuildOptions, DiskReader, Lints, Output, Session, workspace};

const TEMPLATE_SUFFIX: &str = ".j2";

pub(super) fn run(args: &EjectArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let output = directory.join(&args.output);
    if fs::read_dir(&output).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CommandError::Usage(format!("`{}` is not empty", args.output.display())));
    }
    let session = Session::new(&DiskReader);
    let values = value_args(&args.values, directory)?;
    let Some(project) = load_project(&session, around, directory) else { return Ok(Ending::No) };
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let target =
        workspace::resolve_target(&session, &project, &args.environment, directory, &lints);
    terminal.report(&target.diagnostics, session.sources());
    let Some(target) = target.value else { return Ok(Ending::No) };
    let options =
        BuildOptions { shown_from: directory.to_path_buf(), lints, ..BuildOptions::default() };
    let prepared = workspace::prepare(&session, &project, &target, &values, options);
    terminal.report(&prepared.diagnostics, session.sources());
    let Some(prepared) = prepared.value else { return Ok(Ending::No) };
    // What was read before belongs to the project, not to the kustomizations.
    let before = session.sources().len();
    let outcome = crate::build(&session, &prepared.options);
    terminal.report(&outcome.diagnostics, session.sources());
    let Some(build) = outcome.value else { return Ok(Ending::No) };
    let Output::Stream(bytes) = build.output else { return Ok(Ending::No) };

    let built = fs::canonicalize(&target.directory).unwrap_or(target.directory);
    let files = files(&session, &project, before);
    let root =
        common_directory(files.keys().map(PathBuf::as_path).chain([built.join("x").as_path()]));
    // What lies in the project keeps its path there.
    let root = match project.root() {
        Some(project) if root.starts_with(project) => project.to_path_buf(),
        _ => root,
    };
    let mut renamed: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for (path, read) in &files {
        if read.is_rendered {
            renamed.insert(path.clone(), without_suffix(path, &files));
        }
    }
    for (path, read) in &files {
        let path = renamed.get(path).unwrap_or(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let content = if FILE_NAMES.contains(&name.as_ref()) {
            rewritten(path, &read.bytes, &renamed, &project)
        } else {
            read.bytes.clone()
        };
        let target = output.join(path.strip_prefix(&root).unwrap_or(path));
        let parent = target.parent().unwrap_or(&output);
        fs::create_dir_all(parent)
            .map_err(CommandError::io(format!("`{}` cannot be written", parent.display())))?;
        file::replace(&target, &content)?;
    }
    let ejected = output.join(built.strip_prefix(&root).unwrap_or(Path::new("")));
    require_same(&ejected, &bytes, &prepared.options)?;
    write_stdout(format!("{}\n", display_path(&ejected, directory)).as_bytes())?;
    Ok(Ending::Done)
}

/// A file that a build has read.
struct Read {
    bytes: Vec<u8>,
    is_rendered: bool,
}

/// Returns the files that the build has read, templates as they are rendered.
fn files(session: &Session<'_>, project: &Project, before: usize) -> BTreeMap<PathBuf, Read> {
    let mut found: BTreeMap<PathBuf, Read> = BTreeMap::new();
    let mut plain: BTreeSet<PathBuf> = BTreeSet::new();
    for file in session.sources().all().into_iter().skip(before) {
        let path = file.path().to_path_buf();
        if file.is_rendered() {
            found.insert(path, Read { bytes: file.bytes().to_vec(), is_rendered: true });
        } else if !file.is_inside() && path.is_absolute() {
            plain.insert(path.clone());
            found
                .entry(path)
                .or_insert_with(|| Read { bytes: file.bytes().to_vec(), is_rendered: false });
        }
    }
    // What only templates read is part of their text.
    let is_template = |path: &Path| {
        let relative = project.root().and_then(|root| path.strip_prefix(root).ok());
        relative.is_some_and(|path| {
            project.templates.iter().any(|glob| glob.is_match(&path.to_string_lossy()))
        })
    };
    found.retain(|path, read| read.is_rendered || !is_template(path));
    found
}

fn without_suffix(path: &Path, files: &BTreeMap<PathBuf, Read>) -> PathBuf {
    let text = path.to_string_lossy();
    match text.strip_suffix(TEMPLATE_SUFFIX).map(PathBuf::from) {
        Some(short) if !files.contains_key(&short) && short.file_name().is_some() => short,
        _ => path.to_path_buf(),
    }
}

fn common_directory<'p>(paths: impl Iterator<Item = &'p Path>) -> PathBuf {
    let mut common: Option<PathBuf> = None;
    for path in paths {
        let parent = path.parent().unwrap_or(Path::new("/"));
        common = Some(match common {
            None => parent.to_path_buf(),
            Some(known) => {
                let same = known.components().zip(parent.components()).take_while(|(a, b)| a == b);
                same.map(|(part, _)| part).collect()
            }
        });
    }
    common.unwrap_or_default()
}

/// Returns a kustomization that names files as they are called now.
fn rewritten(
    path: &Path,
    bytes: &[u8],
    renamed: &BTreeMap<PathBuf, PathBuf>,
    project: &Project,
) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    let Ok(Some(document)) = parse_document(text, 1, Dialect::V2) else { return bytes.to_vec() };
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut edits: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    find_names(&document, &mut |node| {
        let Some(start) = node.origin().position().map(|position| position as usize - 1) else {
            return;
        };
        let end = token_end(text, start);
        let raw = &text[start..end];
        if let Some((_, copy)) = project.remotes.iter().find(|(remote, _)| remote == node.text()) {
            edits.insert(start, (end, relative(directory, copy)));
            return;
        }
        let (key, name) = match node.text().split_once('=') {
            Some((key, name)) => (format!("{key}="), name),
            None => (String::new(), node.text()),
        };
        if let Some(new) = renamed.get(&clean(&join(directory, Path::new(name)))) {
            let new = format!("{key}{}", relative(directory, new));
            edits.insert(start, (end, raw.replacen(node.text(), &new, 1)));
        }
    });
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (start, (end, new)) in edits {
        out.push_str(&text[at..start]);
        out.push_str(&new);
        at = end;
    }
    out.push_str(&text[at..]);
    out.into_bytes()
}

fn find_names(node: &Node, found: &mut dyn FnMut(&Node)) {
    if node.is_scalar() {
        found(node);
    }
    for entry in node.entries().into_iter().flatten() {
        find_names(&entry.value, found);
    }
    for element in node.elements().into_iter().flatten() {
        find_names(element, found);
    }
}

/// Returns the way from a directory to a path.
fn relative(from: &Path, to: &Path) -> String {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut out = PathBuf::new();
    for _ in same..from.len() {
        out.push("..");
    }
    out.extend(&to[same..]);
    out.to_string_lossy().into_owned()
}

/// Builds what was written, without the project. `of`: the build that it is a copy of.
fn require_same(ejected: &Path, bytes: &[u8], of: &BuildOptions) -> Result<(), CommandError> {
    let session = Session::for_one_build(&DiskReader);
    let options = BuildOptions {
        target: ejected.to_path_buf(),
        shown_from: ejected.to_path_buf(),
        ..BuildOptions::default()
    };
    let outcome = crate::build(&session, &options);
    let same = outcome.value.is_some_and(|build| build.output == Output::Stream(bytes.to_vec()));
    if same {
        return Ok(());
    }
    let reason = match outcome.diagnostics.first() {
        Some(d) => format!(": {}", d.message),
        None if of.custom_resources.is_some() => {
            ": kustomize cannot merge lists of custom resources by `kubernetes.crdListKeys`"
                .to_owned()
        }
        None => String::new(),
    };
    Err(CommandError::Usage(format!("the written tree does not build to the same bytes{reason}")))
}
