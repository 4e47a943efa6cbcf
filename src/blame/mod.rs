//! Where the fields of built objects come from, and what became of those that are gone.
//!
//! Comes in: a build that kept its history ([`crate::BuildOptions::keep_history`]). Goes out: for each field the steps that
//! wrote it, newest first, with the texts that each of them put there and the value that was there before.
//!
//! A step that puts a whole map or list into an object leaves one record, at the map or list. The history of a field below
//! it is therefore made of the records of all that it is in: whichever is the newest comes first, and where it replaced a
//! map or list, what was at the same path in that one goes on.

mod find;
mod history;
mod lookup;
mod texts;
mod walk;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::Build;
use crate::project::FILE_NAMES;
use crate::provenance::{
    Effect, Kept, LogEntry, LogKind, Origin, OriginId, PathStep, Provenance, StepKind, ValuePath,
};
use crate::resource::{Resource, ResourceSet};
use crate::session::Session;
use crate::values::Values;
use crate::yaml::{Key, Node, known};

pub(crate) use find::{Found, ObjectName, find};
pub(crate) use lookup::{Place as NodePlace, lookup, near};
use texts::Texts;

/// A place in a file, or in a flag of the command line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The path of the file, absolute; the flag, as `--set`.
    pub path: PathBuf,
    /// The byte offset.
    pub offset: u32,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// What the text at a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// The value as it is written.
    Text,
    /// A template, whose text is the value or a part of it.
    Template,
    /// An expression of a template, which prints all of the value.
    Expression,
    /// A value that a template prints, or a file that it reads.
    Value,
}

/// A text that a value was made of.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is written.
    pub place: Place,
    /// The byte offset where it ends, if it is a stretch of a template that is more than the value.
    pub end: Option<u32>,
    /// What it is.
    pub kind: SourceKind,
    /// The steps that wrote the value that was copied from there, newest first; none for a text.
    pub writes: Vec<Write>,
    /// The values that this one of a file of values took the place of, the last one first.
    pub overrides: Vec<(Place, Node)>,
}

/// One step in the history of a field.
#[derive(Clone, Debug)]
pub struct Write {
    /// What wrote; none for the text of the object itself.
    pub step: Option<StepKind>,
    /// The directory of the kustomization that asks for it.
    pub layer: Option<PathBuf>,
    /// The instruction: the entry of the kustomization, or the operation of the patch.
    pub at: Option<Place>,
    /// What the step put there.
    pub sources: Vec<Source>,
    /// What became of the value that was there before.
    pub effect: Effect,
    /// The value that was there before.
    pub before: Option<Node>,
}

/// A field of an object: a scalar, or a map or list that holds nothing.
#[derive(Clone, Debug)]
pub struct Field {
    /// The path, with positions of list elements.
    pub path: ValuePath,
    /// The value.
    pub value: Node,
    /// Whether the value is that of a Secret, or made of one that is marked as secret.
    pub is_secret: bool,
    /// Its history, newest first.
    pub writes: Vec<Write>,
}

impl Field {
    /// Returns the texts that the value depends on.
    pub fn texts(&self) -> Vec<&Source> {
        let mut out = Vec::new();
        collect_texts(&self.writes, &mut out);
        out
    }
}

fn collect_texts<'s>(writes: &'s [Write], out: &mut Vec<&'s Source>) {
    for write in writes {
        for source in &write.sources {
            if source.writes.is_empty() {
                out.push(source);
            } else {
                collect_texts(&source.writes, out);
            }
        }
        if write.effect == Effect::Replaced {
            return;
        }
    }
}

/// A field, or a whole object, that is gone.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    /// What was removed: the field that was asked for, or what it was in.
    pub(crate) path: ValuePath,
    /// How.
    pub(crate) kind: LogKind,
    /// What removed it.
    pub(crate) step: StepKind,
    /// The directory of the kustomization that asks for it.
    pub(crate) layer: Option<PathBuf>,
    /// The instruction.
    pub(crate) at: Option<Place>,
    /// The field as it was.
    pub(crate) fields: Vec<Field>,
}

/// Reads the history of a build.
pub struct Tracer<'b> {
    provenance: &'b Provenance,
    resources: &'b ResourceSet,
    texts: Texts<'b>,
    /// The directories of the kustomizations that were read.
    layers: Vec<PathBuf>,
    /// The objects whose names end with a content hash, by the record of that.
    hashed: HashMap<OriginId, usize>,
    secret_texts: OnceCell<HashSet<Place>>,
}

impl<'b> Tracer<'b> {
    /// Returns a reader of the history of a build of a session.
    pub fn new(session: &'b Session<'_>, build: &'b Build) -> Self {
        Self::with_values(session, build, None)
    }

    /// Like [`Tracer::new`], with the values of the templates of the build.
    pub(crate) fn with_values(
        session: &'b Session<'_>,
        build: &'b Build,
        values: Option<&'b Values>,
    ) -> Self {
        let sources = session.sources();
        let mut layers: Vec<PathBuf> = Vec::new();
        for file in sources.all() {
            let name = file.path().file_name().unwrap_or_default().to_string_lossy();
            if FILE_NAMES.contains(&name.as_ref()) {
                layers.extend(file.path().parent().map(Path::to_path_buf));
            }
        }
        let mut hashed = HashMap::new();
        for (index, resource) in build.resources.iter().enumerate() {
            if !resource.hash_suffix().is_empty()
                && let Some(name) = resource.node().at(&[known::METADATA, known::NAME])
            {
                hashed.insert(name.origin(), index);
            }
        }
        Self {
            provenance: &build.provenance,
            resources: &build.resources,
            texts: Texts::new(sources, values),
            layers,
            hashed,
            secret_texts: OnceCell::new(),
        }
    }

    /// Returns the fields of an object, in its order.
    pub fn fields(&self, resource: &Resource) -> Vec<Field> {
        self.fields_below(resource, &ValuePath::default(), &[resource.node()])
    }

    /// Returns the fields at and below a value. `nodes`: the values that lead to it, the object first and itself last.
    pub(crate) fn fields_below(
        &self,
        resource: &Resource,
        path: &ValuePath,
        nodes: &[&Node],
    ) -> Vec<Field> {
        self.with_secrets(resource, walk::fields(self, path, nodes, 0))
    }

    fn with_secrets(&self, resource: &Resource, mut fields: Vec<Field>) -> Vec<Field> {
        for field in &mut fields {
            field.is_secret = is_secret_data(resource, &field.path) || {
                let mut places = Vec::new();
                collect_all(&field.writes, &mut places);
                places.into_iter().any(|source| self.is_secret(source))
            };
        }
        fields
    }

    /// Returns whether a text is a value that may reach only Secrets, or one that the data of a Secret is made of.
    fn is_secret(&self, source: &Source) -> bool {
        match source.kind {
            SourceKind::Value => self.texts.is_secret(&source.place),
            SourceKind::Text => self.secret_texts().contains(&source.place),
            // What a template says around the values is for everyone to read.
            SourceKind::Template | SourceKind::Expression => false,
        }
    }

    /// Returns the texts that the data of the Secrets are made of.
    fn secret_texts(&self) -> &HashSet<Place> {
        self.secret_texts.get_or_init(|| {
            let mut out = HashSet::new();
            for resource in self.resources.iter().chain(self.resources.removed()) {
                for key in [known::DATA, known::STRING_DATA] {
                    let path = ValuePath(vec![PathStep::Key(key.text().into())]);
                    let Some(data) = resource.node().get(key) else { continue };
                    if !is_secret_data(resource, &path) {
                        continue;
                    }
                    for field in walk::fields(self, &path, &[resource.node(), data], 0) {
                        let mut sources = Vec::new();
                        collect_all(&field.writes, &mut sources);
                        let texts = sources.into_iter().filter(|s| s.kind == SourceKind::Text);
                        out.extend(texts.map(|source| source.place.clone()));
                    }
                }
            }
            out
        })
    }

    /// Returns what removed a field that an object does not have.
    pub(crate) fn removal(&self, resource: &Resource, path: &ValuePath) -> Option<Removal> {
        self.replaced(resource, path).or_else(|| self.deleted(resource, path))
    }

    /// The field was in a map or list that was replaced, or in a value that is a scalar now.
    fn replaced(&self, resource: &Resource, path: &ValuePath) -> Option<Removal> {
        let mut node = resource.node();
        let mut steps = path.0.as_slice();
        loop {
            let mut id = node.origin();
            while let Origin::Derived(derived) = self.provenance.origin(id) {
                let before = self.provenance.before(id).and_then(Kept::get::<Node>);
                if let Some(places) = before.and_then(|before| lookup(before, steps)) {
                    let at = path.0.len() - steps.len();
                    let removed = ValuePath(path.0[..at].to_vec());
                    let kind = LogKind::MapReplaced;
                    let step = self.provenance.step_of(derived.step).kind;
                    return Some(Removal {
                        kind,
                        step,
                        layer: self.layer_of(derived.step),
                        at: self.place(derived.from).or_else(|| self.place(derived.at)),
                        fields: self.old_fields(resource, &removed, before?, &places),
                        path: removed,
                    });
                }
                id = derived.previous;
            }
            let (step, rest) = steps.split_first()?;
            node = lookup::step(node, step)?.1;
            steps = rest;
        }
    }

    /// A step has removed the field, or something that it was in.
    fn deleted(&self, resource: &Resource, path: &ValuePath) -> Option<Removal> {
        for entry in resource.log().iter().rev() {
            let Some(rest) = lookup::rest_behind(&path.0, &entry.path.0) else { continue };
            let value = entry.value.as_ref().and_then(Kept::get::<Node>);
            let fields = match value {
                Some(value) => {
                    let Some(places) = lookup(value, rest) else { continue };
                    self.old_fields(resource, &entry.path, value, &places)
                }
                // It is not known what was in it.
                None if rest.is_empty() && entry.kind == LogKind::Deleted => Vec::new(),
                None => continue,
            };
            return Some(Removal { fields, ..self.logged(entry) });
        }
        None
    }

    /// Returns why an object is gone, and a field of it as it was.
    pub(crate) fn removal_of_object(
        &self,
        resource: &Resource,
        path: &ValuePath,
    ) -> Option<Removal> {
        let entry = resource.log().last()?;
        let places = lookup(resource.node(), &path.0)?;
        Some(Removal {
            path: ValuePath::default(),
            fields: self.old_fields(resource, &ValuePath::default(), resource.node(), &places),
            ..self.logged(entry)
        })
    }

    /// Returns what steps have removed of an object that is not there again, without the fields.
    pub(crate) fn removals(&self, resource: &Resource) -> Vec<Removal> {
        let is_gone = |entry: &&LogEntry| {
            matches!(entry.kind, LogKind::Deleted | LogKind::EmptyDropped)
                && !entry.path.0.is_empty()
                && lookup(resource.node(), &entry.path.0).is_none()
        };
        resource.log().iter().filter(is_gone).map(|entry| self.logged(entry)).collect()
    }

    fn logged(&self, entry: &LogEntry) -> Removal {
        Removal {
            path: entry.path.clone(),
            kind: entry.kind,
            step: self.provenance.step_of(entry.step).kind,
            layer: self.layer_of(entry.step),
            at: self.place(entry.at),
            fields: Vec::new(),
        }
    }

    /// Returns the fields of a value that is gone. `path`: that of `root`; `places`: the steps from there.
    fn old_fields(
        &self,
        resource: &Resource,
        path: &ValuePath,
        root: &Node,
        places: &[NodePlace<'_>],
    ) -> Vec<Field> {
        let mut full = path.clone();
        let mut nodes = vec![root];
        for place in places {
            full.0.push(place.step.clone());
            nodes.push(place.node);
        }
        // What the object itself has written above it is of no account: it came later.
        self.with_secrets(resource, walk::fields(self, &full, &nodes, path.0.len()))
    }

    /// Returns where the text is that an origin leads to.
    pub(crate) fn place(&self, origin: OriginId) -> Option<Place> {
        self.texts.place(self.provenance.position(origin)?)
    }

    /// Returns the directory of the kustomization that a file is part of.
    fn layer(&self, path: &Path) -> Option<PathBuf> {
        let holds = |layer: &&PathBuf| path.starts_with(layer);
        let deepest =
            self.layers.iter().filter(holds).max_by_key(|layer| layer.components().count());
        deepest.cloned().or_else(|| path.parent().map(Path::to_path_buf))
    }

    fn layer_of(&self, step: crate::provenance::StepId) -> Option<PathBuf> {
        let place = self.place(self.provenance.step_of(step).at)?;
        self.layer(&place.path)
    }
}

/// Returns whether a path leads into the data of a Secret.
fn is_secret_data(resource: &Resource, path: &ValuePath) -> bool {
    let gvk = &resource.id().gvk;
    let is_data = |step: &PathStep| matches!(step, PathStep::Key(key) if key == known::DATA.text() || key == known::STRING_DATA.text());
    gvk.kind == "Secret" && gvk.group.is_empty() && path.0.first().is_some_and(is_data)
}

/// Collects all texts of a history, those that were replaced too; what only a content hash is made of is none.
fn collect_all<'s>(writes: &'s [Write], out: &mut Vec<&'s Source>) {
    for write in writes.iter().filter(|write| write.step != Some(StepKind::NameHash)) {
        for source in &write.sources {
            if source.writes.is_empty() {
                out.push(source);
            }
            collect_all(&source.writes, out);
        }
    }
}

/// The keys whose values decide about a content hash.
const HASHED: [Key; 4] = [known::DATA, known::BINARY_DATA, known::STRING_DATA, known::TYPE];
