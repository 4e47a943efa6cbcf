//! `edit fix --vars`: `vars` to `replacements`.
//!
//! kustomize looks for `$(NAME)` in the files that the kustomization and the kustomizations it names list, puts `NAME_PLACEHOLDER` in
//! its place there, and writes a replacement that puts the value into every field in which it was found.

use std::collections::HashMap;

use super::tree::{elements, integer, list, map_of, push, string, text, texts};
use super::{Edit, EditError, read};
use crate::project::FILE_NAMES;
use crate::resource::read_documents;
use crate::source::{clean, join};
use crate::yaml::Node;

/// A file that vars may stand in.
pub(crate) struct VarsFile {
    pub(crate) path: String,
    /// Its text once the vars are placeholders.
    pub(crate) text: String,
}

/// Returns the replacements for the vars of a kustomization, and the files that change. `read_file` returns the bytes of a file,
/// and `is_directory` says whether a path is one.
pub(crate) fn convert_vars(
    edit: &Edit,
    read_file: &dyn Fn(&str) -> Option<Vec<u8>>,
    is_directory: &dyn Fn(&str) -> bool,
) -> Result<(Vec<Node>, Vec<VarsFile>), EditError> {
    let mut touched = Touched {
        read_file,
        is_directory,
        paths: Vec::new(),
        entered: Vec::new(),
        patches: HashMap::new(),
    };
    touched.collect(edit.root(), "");
    let mut files: Vec<VarsFile> = Vec::new();
    for path in touched.paths.iter().filter(|path| !path.is_empty()) {
        let bytes = read_file(path).and_then(|bytes| String::from_utf8(bytes).ok());
        if let (Some(text), false) = (bytes, files.iter().any(|file| file.path == *path)) {
            files.push(VarsFile { path: path.clone(), text });
        }
    }
    let originals: Vec<String> = files.iter().map(|file| file.text.clone()).collect();
    let mut replacements = Vec::new();
    for var in elements(edit.root(), "vars") {
        let name = text(var, "name").into_owned();
        let mark = format!("$({name})");
        let mut targets = Vec::new();
        // A file that is named twice is looked through twice.
        for path in &touched.paths {
            let Some(file) = files.iter().find(|file| file.path == *path) else { continue };
            let Ok(documents) = read_documents(&file.text, 1) else { continue };
            for document in documents.iter().flat_map(wrapped) {
                let mut fields = Vec::new();
                find_var(document, &mark, &mut Vec::new(), &mut fields)
                    .map_err(|error| error.during(&format!("error with {path}")))?;
                let patch = touched.patches.get(path.as_str());
                targets.extend(fields.iter().map(|field| target(document, field, patch)));
            }
        }
        for file in &mut files {
            file.text = file.text.replace(&mark, &format!("{name}_PLACEHOLDER"));
        }
        let mut replacement = Node::default();
        push(&mut replacement, "source", source(var));
        if !targets.is_empty() {
            push(&mut replacement, "targets", list(targets));
        }
        replacements.push(replacement);
    }
    let mut originals = originals.iter();
    files.retain(|file| originals.next().is_some_and(|original| *original != file.text));
    Ok((replacements, files))
}

struct Touched<'f> {
    read_file: &'f dyn Fn(&str) -> Option<Vec<u8>>,
    is_directory: &'f dyn Fn(&str) -> bool,
    paths: Vec<String>,
    /// The directories on the way to the present one.
    entered: Vec<String>,
    /// The entries of `patches` by the path of their file.
    patches: HashMap<String, Node>,
}

/// Go's `path.Join`.
fn joined(directory: &str, path: &str) -> String {
    let path = join(directory.as_ref(), path.as_ref());
    clean(&path).to_string_lossy().into_owned()
}

impl Touched<'_> {
    /// Collects the files that a kustomization lists, in the directory of that name. Paths of the kustomizations below those that
    /// the first one names are taken as if they began where the first one is, as kustomize takes them.
    fn collect(&mut self, kustomization: &Node, directory: &str) {
        for resource in texts(kustomization, "resources") {
            if (self.is_directory)(&resource) && !self.entered.iter().any(|e| *e == resource) {
                self.entered.push(resource.clone().into_owned());
                let mut names = FILE_NAMES;
                names.sort_unstable();
                for name in names {
                    let path = joined(&resource, name);
                    let text = (self.read_file)(&path).and_then(|b| String::from_utf8(b).ok());
                    if let Some(below) = text.and_then(|text| read(&text).ok()) {
                        self.collect(&below, &resource);
                    }
                }
                self.entered.pop();
            }
            let path = joined(directory, &resource);
            self.paths.push(path);
        }
        for patch in elements(kustomization, "patches") {
            let path = text(patch, "path");
            if !path.is_empty() {
                let path = joined(directory, &path);
                self.patches.insert(path.clone(), patch.clone());
                self.paths.push(path);
            }
        }
    }
}

/// Returns the objects of a document: the items of a list that wraps some.
fn wrapped(document: &Node) -> Vec<&Node> {
    let kind = text(document, "kind");
    if matches!(kind.as_ref(), "List" | "ResourceList") {
        return elements(document, "items").iter().collect();
    }
    vec![document]
}

/// A field in which a var stands.
struct VarField {
    path: String,
    delimiter: Option<char>,
    index: usize,
}

fn find_var(
    node: &Node,
    mark: &str,
    path: &mut Vec<String>,
    found: &mut Vec<VarField>,
) -> Result<(), EditError> {
    for (index, element) in node.elements().into_iter().flatten().enumerate() {
        path.push(index.to_string());
        find_var(element, mark, path, found)?;
        path.pop();
    }
    for entry in node.entries().into_iter().flatten() {
        let key = entry.key.text().trim();
        path.push(if key.contains('.') { format!("[{key}]") } else { key.to_owned() });
        find_var(&entry.value, mark, path, found)?;
        path.pop();
    }
    let value = node.text();
    if node.is_scalar() && value.contains(mark) {
        let (delimiter, index) = delimiter(value, mark)?;
        found.push(VarField { path: path.join("."), delimiter, index });
    }
    Ok(())
}

/// Returns what sets a var off from the rest of a text, and which part it is.
fn delimiter(value: &str, mark: &str) -> Result<(Option<char>, usize), EditError> {
    let Some((before, behind)) = value.split_once(mark) else { return Ok((None, 0)) };
    let (before_it, behind_it) = (before.chars().next_back(), behind.chars().next());
    match (before_it, behind_it) {
        (None, None) => Ok((None, 0)),
        (None, delimiter) => Ok((delimiter, 0)),
        (Some(delimiter), None) => Ok((Some(delimiter), value.split(delimiter).count() - 1)),
        (Some(a), Some(b)) if a == b => {
            let index = value.split(a).position(|part| part == mark);
            let index = index.ok_or_else(|| {
                EditError::refused(format!("internal error: could not get index of var {mark}"))
            })?;
            Ok((Some(a), index))
        }
        _ => Err(EditError::refused(format!(
            "cannot convert all vars to replacements; {mark} is not delimited"
        ))),
    }
}

/// Splits an `apiVersion` into group and version.
fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

fn source(var: &Node) -> Node {
    let empty = Node::default();
    let object = super::tree::field(var, "objref").unwrap_or(&empty);
    let field = super::tree::field(var, "fieldref").unwrap_or(&empty);
    let api_version = text(object, "apiVersion");
    let (group, version) = group_version(&api_version);
    map_of(&[
        ("group", group),
        ("version", version),
        ("kind", &text(object, "kind")),
        ("name", &text(object, "name")),
        ("namespace", &text(object, "namespace")),
        ("fieldPath", &text(field, "fieldPath")),
    ])
}

fn target(object: &Node, field: &VarField, patch: Option<&Node>) -> Node {
    let empty = Node::default();
    let metadata = super::tree::field(object, "metadata").unwrap_or(&empty);
    let (name, namespace) = (text(metadata, "name"), text(metadata, "namespace"));
    let kind = text(object, "kind");
    let options = patch.and_then(|patch| super::tree::field(patch, "options"));
    let may = |name: &str| options.is_some_and(|options| super::tree::is_on(options, name));
    let (renames, retypes) = (may("allowNameChange"), may("allowKindChange"));
    let select = match patch {
        Some(patch) if !renames || !retypes => {
            let selector = super::tree::field(patch, "target").unwrap_or(&empty);
            let own = |name: &str| text(selector, name).into_owned();
            let or = |use_object: bool, object: &str, name: &str| {
                if use_object { object.to_owned() } else { own(name) }
            };
            map_of(&[
                ("group", &own("group")),
                ("version", &own("version")),
                ("kind", &or(retypes, &kind, "kind")),
                ("name", &or(renames, &name, "name")),
                ("namespace", &or(!namespace.is_empty(), &namespace, "namespace")),
                ("labelSelector", &own("labelSelector")),
                ("annotationSelector", &own("annotationSelector")),
            ])
        }
        _ => {
            let api_version = text(object, "apiVersion");
            let (group, version) = group_version(&api_version);
            map_of(&[
                ("group", group),
                ("version", version),
                ("kind", &kind),
                ("name", &name),
                ("namespace", &namespace),
            ])
        }
    };
    let mut target = Node::default();
    push(&mut target, "select", select);
    push(&mut target, "fieldPaths", list(vec![string(&field.path)]));
    if let Some(delimiter) = field.delimiter {
        let mut options = map_of(&[("delimiter", &delimiter.to_string())]);
        if field.index > 0 {
            push(&mut options, "index", integer(field.index as i64));
        }
        push(&mut target, "options", options);
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sets_a_var_off_is_found() {
        let of = |value| delimiter(value, "$(V)").ok();
        assert_eq!(of("$(V)"), Some((None, 0)));
        assert_eq!(of("$(V)/b"), Some((Some('/'), 0)));
        assert_eq!(of("a.b.$(V)"), Some((Some('.'), 2)));
        assert_eq!(of("a:$(V):c"), Some((Some(':'), 1)));
        assert_eq!(of("a-$(V)_c"), None);
    }
}
