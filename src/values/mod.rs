//! Values: files and flags to one tree, in which every value knows where it is written.
//!
//! Later layers win: the project's files, the environment's, the files and settings of the command line. Maps merge
//! deeply, lists are replaced, and a null removes.

mod schema;
mod set;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Fallible, nearest};
use crate::project::{Environment, Project, ValuesFile};
use crate::provenance::OriginId;
use crate::resource::read_documents;
use crate::session::{Context, syntax_error};
use crate::source::{EntryKind, LoadError, SourceFile, display_path, join};
use crate::yaml::{Entry, Key, Node, NodeKind, Tag};

pub(crate) use schema::Declared;
use schema::Schema;
pub(crate) use set::Setting;

/// What the command line adds to the values of a project.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueArgs {
    /// Files, absolute.
    pub(crate) files: Vec<PathBuf>,
    /// What is set one by one, in order.
    pub(crate) settings: Vec<Setting>,
}

/// The values of one environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// A map.
    pub(crate) root: Node,
    /// The files that were read, for messages.
    pub(crate) files: Vec<PathBuf>,
    /// What each value took the place of.
    pub(crate) overridden: HashMap<OriginId, Node>,
    /// Where the values are written that may reach only the data of Secrets.
    pub(crate) secrets: std::collections::HashSet<OriginId>,
}

impl Values {
    /// Returns the scalars of the values, with their paths.
    pub(crate) fn leaves(&self) -> Vec<(String, &Node)> {
        let mut out = Vec::new();
        leaves(&self.root, "", &mut out);
        out
    }
}

fn leaves<'n>(node: &'n Node, path: &str, out: &mut Vec<(String, &'n Node)>) {
    for entry in node.entries().into_iter().flatten() {
        let name = entry.key.text();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        leaves(&entry.value, &path, out);
    }
    for (index, element) in node.elements().into_iter().flatten().enumerate() {
        leaves(element, &format!("{path}[{index}]"), out);
    }
    if node.is_scalar() {
        out.push((path.to_owned(), node));
    }
}

/// Reads and merges the values of an environment; of none, those that every environment has.
pub(crate) fn load(
    cx: &mut Context<'_>,
    project: &Project,
    environment: Option<&Environment>,
    args: &ValueArgs,
) -> Fallible<Values> {
    let mut values = Values { root: Node::map(Vec::new(), OriginId::NONE), ..Values::default() };
    let root = project.root().unwrap_or(Path::new("/")).to_path_buf();
    let schema = match &project.values.schema {
        Some(path) => Some(schema::load(cx, &root, path)?),
        None => None,
    };
    let own = environment.map(|environment| environment.values.as_slice()).unwrap_or_default();
    let mut result = Ok(());
    for (file, is_own) in
        project.values.files.iter().map(|f| (f, false)).chain(own.iter().map(|f| (f, true)))
    {
        match read_listed(cx, &root, file, schema.as_ref()) {
            Ok(Some((path, node))) => {
                values.files.push(path);
                merge(cx, &mut values, &node, is_own);
            }
            Ok(None) => {}
            Err(reported) => result = Err(reported),
        }
    }
    for path in &args.files {
        match read_named(cx, path, schema.as_ref()) {
            Ok(node) => {
                values.files.push(path.clone());
                merge(cx, &mut values, &node, false);
            }
            Err(reported) => result = Err(reported),
        }
    }
    result?;
    for setting in &args.settings {
        set::apply(cx, &mut values, setting, schema.as_ref())?;
    }
    if let Some(schema) = &schema {
        schema::check(cx, schema, &mut values)?;
    }
    Ok(values)
}

/// Returns the values that the schema of a project declares; nothing without a schema.
pub(crate) fn declared(cx: &mut Context<'_>, project: &Project) -> Fallible<Vec<Declared>> {
    let root = project.root().unwrap_or(Path::new("/"));
    match &project.values.schema {
        Some(path) => schema::load(cx, root, path).map(|schema| schema::declared(&schema)),
        None => Ok(Vec::new()),
    }
}

/// Reads a file that the project names; none if it is optional and absent.
fn read_listed(
    cx: &mut Context<'_>,
    root: &Path,
    file: &ValuesFile,
    schema: Option<&Schema>,
) -> Fallible<Option<(PathBuf, Node)>> {
    let path = join(root, Path::new(file.path.as_str()));
    let resolved = cx.session.reader().canonicalize(&path);
    let inside = resolved.as_ref().is_ok_and(|path| path.starts_with(root));
    let is_file =
        matches!(cx.session.reader().kind(&path), Ok(EntryKind::File | EntryKind::Symlink));
    match resolved {
        Ok(path) if is_file && inside => {
            let source = cx.session.file(&path);
            let Ok(source) = source else { return Err(missing(cx, root, file)) };
            parse(cx, &source, schema).map(|node| Some((path, node)))
        }
        Err(_) if file.optional => Ok(None),
        _ => Err(missing(cx, root, file)),
    }
}

fn missing(cx: &mut Context<'_>, root: &Path, file: &ValuesFile) -> crate::diagnostic::Reported {
    let path = Path::new(file.path.as_str());
    let message = format!("the values file `{}` does not exist in the project", file.path.value);
    let d = Diagnostic::error(Code::ValuesMissing, message).at(cx.span(file.path.at), "named here");
    let directory = join(root, path.parent().unwrap_or(Path::new("")));
    let names = cx.loader.names(&directory);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let near = nearest(&name, names.iter().map(String::as_str)).map(str::to_owned);
    let d = match near {
        Some(near) => d.help(format!("there is `{near}`")),
        None => d.help("a file that may be absent is written with `?` at its end"),
    };
    cx.fail(d)
}

fn read_named(cx: &mut Context<'_>, path: &Path, schema: Option<&Schema>) -> Fallible<Node> {
    match cx.session.file(path) {
        Ok(file) => parse(cx, &file, schema),
        Err(error) => {
            let shown = display_path(path, &cx.options.shown_from);
            let reason = reason(&error);
            let message = format!("the values file `{shown}` cannot be read: {reason}");
            Err(cx.fail(Diagnostic::error(Code::ValuesMissing, message)))
        }
    }
}

/// What the operating system says about a file.
fn reason(error: &LoadError) -> String {
    match error {
        LoadError::Io { error, .. } => error.to_string(),
        other => other.to_string(),
    }
}

/// Reads a file of values: nothing, or one map.
fn parse(cx: &mut Context<'_>, file: &SourceFile, schema: Option<&Schema>) -> Fallible<Node> {
    if let Some(schema) = schema {
        schema::mark_lines(schema, file);
    }
    let text = match std::str::from_utf8(file.bytes()) {
        Ok(text) => text,
        Err(error) => {
            let d = Diagnostic::error(Code::FileNotUtf8, "the file is not UTF-8 text")
                .at(file.character(error.valid_up_to()), "not UTF-8");
            return Err(cx.fail(d));
        }
    };
    let documents = match read_documents(text, file.base()) {
        Ok(documents) => documents,
        Err((error, at)) => return Err(cx.fail(syntax_error(&error, file, at))),
    };
    let mut documents = documents.into_iter().filter(|node| !node.is_null());
    let Some(node) = documents.next() else { return Ok(Node::map(Vec::new(), OriginId::NONE)) };
    if let Some(second) = documents.next() {
        let d = Diagnostic::error(Code::ValuesInvalid, "a values file is one document")
            .at(cx.span(second.origin()), "a second one");
        return Err(cx.fail(d.help("join the two, or make two files of them")));
    }
    if node.kind() != NodeKind::Map {
        let message = format!("a values file is a map, not a {}", node.kind().name());
        let d =
            Diagnostic::error(Code::ValuesInvalid, message).at(cx.span(node.origin()), "not a map");
        return Err(cx.fail(d));
    }
    require_keys(cx, &node)?;
    Ok(node)
}

/// Templates and the command line name values by strings, each once.
fn require_keys(cx: &mut Context<'_>, node: &Node) -> Fallible<()> {
    let entries = node.entries().unwrap_or_default();
    for (index, entry) in entries.iter().enumerate() {
        if let Some(first) = entries[..index].iter().find(|e| e.key.same_text(entry.key)) {
            let message = format!("the key `{}` is set twice", entry.key.text());
            let d = Diagnostic::error(Code::YamlDuplicateKey, message)
                .at(cx.span(entry.key_origin), "set again here")
                .at(cx.span(first.key_origin), "first set here");
            return Err(cx.fail(d));
        }
        require_keys(cx, &entry.value)?;
    }
    for element in node.elements().into_iter().flatten() {
        require_keys(cx, element)?;
    }
    Ok(())
}

/// Puts a layer over the values. `is_own`: the layer is the environment's, which repeats nothing without a reason.
fn merge(cx: &mut Context<'_>, values: &mut Values, layer: &Node, is_own: bool) {
    let mut same = Vec::new();
    let mut root = std::mem::take(&mut values.root);
    merge_into(&mut root, layer, "", &mut values.overridden, &mut same);
    values.root = root;
    for (path, new, old) in same.into_iter().filter(|_| is_own) {
        let message = format!("`{path}` has this value without the override");
        let d = Diagnostic::warning(Code::ValuesOverrideSame, message)
            .at(cx.span(new), "without effect")
            .at(cx.span(old), "the same value");
        cx.warn(d.help("remove it"));
    }
}

type Same = Vec<(String, OriginId, OriginId)>;

fn merge_into(
    own: &mut Node,
    layer: &Node,
    path: &str,
    overridden: &mut HashMap<OriginId, Node>,
    same: &mut Same,
) {
    let Some(entries) = layer.entries() else { return };
    for entry in entries {
        let name = entry.key.text();
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if entry.value.is_null() {
            own.remove(entry.key);
            continue;
        }
        match own.get_mut(entry.key) {
            Some(old) if old.kind() == NodeKind::Map && entry.value.kind() == NodeKind::Map => {
                merge_into(old, &entry.value, &path, overridden, same);
            }
            Some(old) => {
                if is_equal(old, &entry.value) {
                    same.push((path, entry.value.origin(), old.origin()));
                }
                overridden.insert(entry.value.origin(), old.clone());
                *old = without_nulls(&entry.value);
            }
            None => {
                let key = Key::text_key(name);
                own.push_entry(key, entry.key_origin, without_nulls(&entry.value));
            }
        }
    }
}

/// A null in a map removes, even where nothing is to be removed.
fn without_nulls(node: &Node) -> Node {
    let Some(entries) = node.entries() else { return node.clone() };
    let kept = entries.iter().filter(|e| !e.value.is_null());
    let kept: Vec<Entry> = kept
        .map(|e| Entry {
            key: Key::text_key(e.key.text()),
            key_origin: e.key_origin,
            value: without_nulls(&e.value),
        })
        .collect();
    Node::map(kept, node.origin())
}

fn is_equal(a: &Node, b: &Node) -> bool {
    match (a.entries(), b.entries(), a.elements(), b.elements()) {
        (Some(a), Some(b), ..) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.key == b.key && is_equal(&a.value, &b.value))
        }
        (_, _, Some(a), Some(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b))
        }
        (None, None, None, None) => {
            a.text() == b.text() && a.resolved_tag() == b.resolved_tag() && a.tag() != Tag::Custom
        }
        _ => false,
    }
}
