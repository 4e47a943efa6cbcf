//! The text of a file to objects that are to be checked.
//!
//! They are read as Kubernetes' own tools do, by YAML 1.1. Unlike a build, a check takes objects without a name, and a file may hold documents that are none.

use crate::diagnostic::{Code, Diagnostic};
use crate::resource::{ReadFault, read_documents};
use crate::session::Context;
use crate::source::SourceFile;
use crate::yaml::{Dialect, Node, Scalar, ScalarStyle, Tag, known, resolve};

/// Groups whose objects are read by tools and never reach a cluster.
const TOOL_GROUPS: [&str; 3] = ["kustomize.config.k8s.io", "kiln", "config.kubernetes.io"];

/// The length of `false`, the longest word for a boolean.
const LONGEST_BOOLEAN: usize = 5;

/// The objects of a file.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    /// Objects, lists taken apart.
    pub(crate) objects: Vec<Node>,
    /// The first document that has no kind.
    pub(crate) not_an_object: Option<Node>,
}

/// Reads the objects of a file; the fault if it is not YAML.
pub(crate) fn read(cx: &Context<'_>, file: &SourceFile) -> Result<Manifests, Box<Diagnostic>> {
    let fault = |fault| Box::new(cx.read_fault_diagnostic(&fault, file));
    let text = std::str::from_utf8(file.bytes())
        .map_err(|error| fault(ReadFault::NotUtf8(error.valid_up_to())))?;
    let documents = read_documents(text, file.base())
        .map_err(|(error, at)| fault(ReadFault::Syntax(error, at)))?;
    let mut manifests = Manifests::default();
    for mut document in documents {
        retag(&mut document);
        add(document, &mut manifests);
    }
    Ok(manifests)
}

/// Gives the words that are booleans to YAML 1.1 alone, as `yes` and `off`, the tag of a boolean.
fn retag(node: &mut Node) {
    if let Some(entries) = node.entries_mut() {
        for entry in entries {
            retag(&mut entry.value);
        }
    } else if let Some(elements) = node.elements_mut() {
        elements.iter_mut().for_each(retag);
    } else if node.tag() == Tag::Str
        && node.style() == ScalarStyle::Plain
        && !node.is_tagged()
        && node.text().len() <= LONGEST_BOOLEAN
        && matches!(resolve(node.text(), Tag::Empty, Dialect::V2), Ok(Scalar::Bool(_)))
    {
        node.set_tag(Tag::Bool);
    }
}

fn add(node: Node, manifests: &mut Manifests) {
    if node.is_null_or_empty() {
        return;
    }
    let text = |key| node.get(key).map_or("", Node::text);
    let (kind, api_version) = (text(known::KIND), text(known::API_VERSION));
    if kind.is_empty() || api_version.is_empty() {
        manifests.not_an_object.get_or_insert(node);
        return;
    }
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    if TOOL_GROUPS.contains(&group) {
        return;
    }
    match node.get(known::ITEMS).and_then(Node::elements) {
        Some(items) if kind.ends_with("List") => {
            for item in items {
                add(item.clone(), manifests);
            }
        }
        _ => manifests.objects.push(node),
    }
}

/// Reports a document that should be an object.
pub(crate) fn not_an_object(cx: &Context<'_>, node: &Node) -> Diagnostic {
    let message = "expected an object of Kubernetes with `apiVersion` and `kind`";
    Diagnostic::error(Code::ResourceNotAnObject, message)
        .at(cx.span(node.origin()), "this document")
}
