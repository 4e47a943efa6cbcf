//! The text of a file to objects that are to be checked.
//!
//! They are read as Kubernetes' own tools do, by YAML 1.1. Unlike a build, a check takes objects without a name, and a file may hold documents that are none.

use crate::diagnostic::{Code, Diagnostic};
use crate::provenance::OriginId;
use crate::resource::{self, ReadFault};
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

/// The text of a file or of a part of it, and where its documents begin and end.
#[derive(Clone, Debug)]
pub(crate) struct Text<'t> {
    file: &'t SourceFile,
    text: &'t str,
    /// Where in the file it begins.
    start: usize,
    pieces: Vec<(usize, usize)>,
}

impl<'t> Text<'t> {
    /// Returns a text that is cut into documents; the fault if it is not UTF-8.
    pub(crate) fn new(
        cx: &Context<'_>,
        file: &'t SourceFile,
        bytes: &'t [u8],
    ) -> Result<Self, Box<Diagnostic>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let fault = ReadFault::NotUtf8(error.valid_up_to());
            Box::new(cx.read_fault_diagnostic(&fault, file))
        })?;
        Ok(Self { file, text, start: 0, pieces: resource::pieces(text) })
    }

    /// Returns a part of a file that begins at `start`; none if it cannot be cut into documents without the rest.
    pub(crate) fn part(file: &'t SourceFile, bytes: &'t [u8], start: usize) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        Some(Self { file, text, start, pieces: resource::split(text).ok()? })
    }

    /// Reads the objects, some documents at a time; the fault if one is not YAML.
    pub(crate) fn manifests(
        &self,
        cx: &Context<'_>,
    ) -> impl ExactSizeIterator<Item = Result<Manifests, Box<Diagnostic>>> {
        self.pieces.chunks(DOCUMENTS).map(|pieces| read_pieces(cx, self, pieces))
    }
}

/// Reads the objects of a file; the fault if it is not YAML.
pub(crate) fn read(cx: &Context<'_>, file: &SourceFile) -> Result<Manifests, Box<Diagnostic>> {
    let text = Text::new(cx, file, file.bytes())?;
    read_pieces(cx, &text, &text.pieces)
}

/// So many documents are in memory at once.
pub(crate) const DOCUMENTS: usize = 32;

/// Reads the documents of a file again in which something stands at these places, and hands over their objects, some at a time.
pub(crate) fn read_again(
    cx: &Context<'_>,
    file: &SourceFile,
    wanted: &[OriginId],
    mut take: impl FnMut(Vec<Node>),
) -> Result<(), Box<Diagnostic>> {
    let text = Text::new(cx, file, file.bytes())?;
    let base = file.base();
    let mut offsets: Vec<usize> = wanted
        .iter()
        .filter_map(|at| Some(cx.provenance.position(*at)?.checked_sub(base)? as usize))
        .collect();
    offsets.sort_unstable();
    let has_one = |(start, end): &(usize, usize)| {
        let after = offsets.partition_point(|at| at < start);
        offsets.get(after).is_some_and(|at| at < end)
    };
    let pieces: Vec<_> = text.pieces.iter().copied().filter(has_one).collect();
    for pieces in pieces.chunks(DOCUMENTS) {
        take(read_pieces(cx, &text, pieces)?.objects);
    }
    Ok(())
}

/// Reads the objects of some pieces of a text; the fault if one is not YAML.
fn read_pieces(
    cx: &Context<'_>,
    text: &Text<'_>,
    pieces: &[(usize, usize)],
) -> Result<Manifests, Box<Diagnostic>> {
    let base = text.file.base() + text.start as u32;
    let documents = resource::read_pieces(text.text, base, pieces).map_err(|(error, at)| {
        let fault = ReadFault::Syntax(error, text.start + at);
        Box::new(cx.read_fault_diagnostic(&fault, text.file))
    })?;
    let mut manifests = Manifests::default();
    for mut document in documents {
        if has_old_boolean(&document) {
            retag(&mut document);
        }
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
    } else if is_old_boolean(node) {
        node.set_tag(Tag::Bool);
    }
}

/// Returns whether there is such a word: most documents have none, and need not be changed.
fn has_old_boolean(node: &Node) -> bool {
    match (node.entries(), node.elements()) {
        (Some(entries), _) => entries.iter().any(|entry| has_old_boolean(&entry.value)),
        (_, Some(elements)) => elements.iter().any(has_old_boolean),
        (None, None) => is_old_boolean(node),
    }
}

fn is_old_boolean(node: &Node) -> bool {
    node.tag() == Tag::Str
        && node.style() == ScalarStyle::Plain
        && !node.is_tagged()
        && node.text().len() <= LONGEST_BOOLEAN
        && matches!(resolve(node.text(), Tag::Empty, Dialect::V2), Ok(Scalar::Bool(_)))
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
