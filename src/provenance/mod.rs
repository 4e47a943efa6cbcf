//! Where every value of the tree comes from.
//!
//! A node carries one [`OriginId`]. A node that was parsed needs no table: its id is the global byte position of
//! its first token ([`crate::source::SourceFile::base`]), so a parsed tree is shared between overlays as it is. A
//! node that a step of the build wrote has the number of a [`Derived`] record in the table of the build: which step
//! wrote it, at which instruction, from which text, over which value. Following [`Derived::previous`] gives the
//! chain of writes; [`Derived::from`] leads to the text that was copied.
//!
//! A chain cannot tell what is no longer there. Deletions, replaced lists and rewrites are kept per resource, as
//! [`LogEntry`] lists.
//!
//! The table holds places, not values. A build that is asked for its history ([`Provenance::keep_values`]) also keeps each
//! value that a step has replaced or removed, so that it can be shown.

mod path;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

pub use path::{PathError, PathStep, ValuePath};

/// The origin of a node: a place in a file, or a record of the build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OriginId(u32);

const DERIVED: u32 = 1 << 31;

impl OriginId {
    /// No known origin.
    pub const NONE: Self = Self(0);

    /// Returns the origin of a token at a global position.
    pub fn written(position: u32) -> Self {
        debug_assert!(position < DERIVED, "positions are 31 bits wide");
        Self(position)
    }

    /// Returns the global position of a parsed token, if this is one.
    pub fn position(self) -> Option<u32> {
        (self.0 != 0 && self.0 < DERIVED).then_some(self.0)
    }
}

/// The number of a step in the build that it belongs to; later steps have larger ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepId(u32);

/// What a step of the build does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// A ConfigMap or Secret generator, or another generator.
    Generate,
    /// A strategic merge patch.
    StrategicMergePatch,
    /// A JSON patch (RFC 6902).
    JsonPatch,
    /// The `namespace` field.
    Namespace,
    /// The `namePrefix` field.
    NamePrefix,
    /// The `nameSuffix` field.
    NameSuffix,
    /// The `labels` and `commonLabels` fields.
    Labels,
    /// The `commonAnnotations` field.
    Annotations,
    /// The `replicas` field.
    Replicas,
    /// The `images` field.
    Images,
    /// The `replacements` field.
    Replacements,
    /// A value that a transformer of the `transformers` field adds.
    ValueAdd,
    /// The content hash in the name of a generated object.
    NameHash,
    /// A reference to an object whose name changed.
    NameReference,
    /// The `vars` field.
    Vars,
    /// The labels and annotations of `buildMetadata`.
    BuildMetadata,
    /// The mark `config.kubernetes.io/local-config`.
    LocalConfig,
}

impl StepKind {
    /// Returns the name of the step as messages use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generate => "generator",
            Self::StrategicMergePatch => "strategic merge patch",
            Self::JsonPatch => "JSON patch",
            Self::Namespace => "namespace",
            Self::NamePrefix => "namePrefix",
            Self::NameSuffix => "nameSuffix",
            Self::Labels => "labels",
            Self::Annotations => "commonAnnotations",
            Self::Replicas => "replicas",
            Self::Images => "images",
            Self::Replacements => "replacements",
            Self::ValueAdd => "value add",
            Self::NameHash => "name hash",
            Self::NameReference => "name reference",
            Self::Vars => "vars",
            Self::BuildMetadata => "buildMetadata",
            Self::LocalConfig => "local-config",
        }
    }
}

/// One step of the build: what it does and where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What the step does.
    pub kind: StepKind,
    /// The entry of the kustomization that asks for it; [`OriginId::NONE`] for what every build does.
    pub at: OriginId,
}

/// What a write makes of the value that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is left of it.
    Replaced,
    /// The new value depends on it: a prefix stands before it, a reference was found by it.
    Extended,
}

/// A write by a step of the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The instruction: the entry of the kustomization, or the operation of the patch.
    pub at: OriginId,
    /// The step that wrote.
    pub step: StepId,
    /// Where the written text comes from: a patch's node, a replacement's source, a generator's literal.
    pub from: OriginId,
    /// The origin of the value that was there before.
    pub previous: OriginId,
    /// What became of that value.
    pub effect: Effect,
}

/// A value as it was before a step replaced or removed it. Its type is that of the tree, which this room does not know.
#[derive(Clone)]
pub struct Kept(Arc<dyn Any + Send + Sync>);

impl Kept {
    /// Returns the value, if it is of this type.
    pub fn get<V: 'static>(&self) -> Option<&V> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

/// What has an origin and can be kept.
pub(crate) trait Value: Clone + Send + Sync + 'static {
    /// Returns the origin.
    fn value_origin(&self) -> OriginId;
}

/// What an [`OriginId`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is known.
    Unknown,
    /// The text stands at this global position.
    Written(u32),
    /// A step wrote the value.
    Derived(Derived),
}

/// What happened to a part of a resource that left no node to carry an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// A field or an element was removed.
    Deleted,
    /// A field that was written without a value was dropped from a map that a patch touched.
    EmptyDropped,
    /// A list was replaced as a whole.
    ListReplaced,
    /// A map was replaced as a whole.
    MapReplaced,
    /// The elements of a list changed their order.
    ListReordered,
    /// The whole resource went through JSON: styles are gone, numbers are floating-point.
    Rewritten,
    /// The whole resource was dropped because it is marked as local.
    Local,
}

/// One entry of a resource's log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// The step that did it.
    pub step: StepId,
    /// The instruction.
    pub at: OriginId,
    /// The field, from the root of the resource; empty for the resource itself.
    pub path: ValuePath,
    /// What was done.
    pub kind: LogKind,
    /// The origin of what was there before.
    pub previous: OriginId,
    /// What was there before, if the build keeps values.
    pub value: Option<Kept>,
}

/// So many records have one block of numbers.
const BLOCK: u32 = 1 << 10;

/// Consecutive records, and the number of the first one divided by [`BLOCK`].
type Block = (u32, Arc<Vec<Derived>>);

/// What the builds of a session share, so that one can take over what another has written: the steps, and which blocks of
/// numbers are given out.
#[derive(Debug, Default)]
pub(crate) struct ProvenanceSpace {
    steps: RwLock<Vec<Step>>,
    next_block: AtomicU32,
}

/// The steps of one build and what they wrote.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    space: Arc<ProvenanceSpace>,
    /// Complete blocks, by their numbers.
    blocks: Vec<Block>,
    /// The block that is being written.
    current: Option<(u32, Vec<Derived>)>,
    /// The values that writes have replaced, by the numbers of the records; none if they are not kept.
    values: Option<HashMap<u32, Kept>>,
}

impl Provenance {
    /// Returns an empty table whose numbers no other build with this space has.
    pub(crate) fn within(space: &Arc<ProvenanceSpace>) -> Self {
        Self { space: Arc::clone(space), ..Self::default() }
    }

    /// Keeps the values that steps replace and remove from now on.
    pub(crate) fn keep_values(&mut self) {
        self.values.get_or_insert_default();
    }

    /// Returns a value to be kept, if values are.
    pub(crate) fn kept<V: Value>(&self, value: &V) -> Option<Kept> {
        self.values.is_some().then(|| Kept(Arc::new(value.clone())))
    }

    fn keep(&mut self, id: OriginId, kept: Option<Kept>) {
        if let (Some(values), Some(kept)) = (&mut self.values, kept)
            && id.0 & DERIVED != 0
        {
            values.insert(id.0 & !DERIVED, kept);
        }
    }

    /// Returns the origin of a write that was made where nothing was, as one over a value.
    pub(crate) fn over<V: Value>(&mut self, id: OriginId, previous: &V) -> OriginId {
        let Origin::Derived(derived) = self.origin(id) else { return id };
        let over = self.derive(Derived { previous: previous.value_origin(), ..derived });
        let kept = self.kept(previous);
        self.keep(over, kept);
        over
    }

    /// Returns the value that a write has replaced, if it was kept.
    pub fn before(&self, id: OriginId) -> Option<&Kept> {
        self.values.as_ref()?.get(&(id.0 & !DERIVED)).filter(|_| id.0 & DERIVED != 0)
    }

    /// Begins a step.
    pub fn step(&mut self, kind: StepKind, at: OriginId) -> StepId {
        let mut steps = self.space.steps.write().unwrap_or_else(PoisonError::into_inner);
        steps.push(Step { kind, at });
        StepId(steps.len() as u32 - 1)
    }

    /// Returns a step by its number.
    pub fn step_of(&self, id: StepId) -> Step {
        self.space.steps.read().unwrap_or_else(PoisonError::into_inner)[id.0 as usize]
    }

    /// Records a write and returns its origin. A full table gives the origin of the text instead.
    pub fn derive(&mut self, derived: Derived) -> OriginId {
        let is_full = |(_, records): &(u32, Vec<Derived>)| records.len() >= BLOCK as usize;
        if self.current.as_ref().is_none_or(is_full) {
            self.complete_block();
            let number = self.space.next_block.fetch_add(1, Ordering::Relaxed);
            if number >= DERIVED / BLOCK {
                return derived.from;
            }
            self.current = Some((number, Vec::new()));
        }
        let Some((number, records)) = &mut self.current else { return derived.from };
        records.push(derived);
        let index = *number * BLOCK + records.len() as u32 - 1;
        OriginId(index | DERIVED)
    }

    fn complete_block(&mut self) {
        if let Some((number, records)) = self.current.take() {
            self.add_block((number, Arc::new(records)));
        }
    }

    fn add_block(&mut self, block: Block) {
        if let Err(at) = self.blocks.binary_search_by_key(&block.0, |(number, _)| *number) {
            self.blocks.insert(at, block);
        }
    }

    /// Takes over what another build of the space has written.
    pub(crate) fn adopt(&mut self, other: &Self) {
        for block in &other.blocks {
            self.add_block(block.clone());
        }
        if let (Some(own), Some(values)) = (&mut self.values, &other.values) {
            own.extend(values.iter().map(|(number, kept)| (*number, kept.clone())));
        }
    }

    /// Completes the table, so that it can be adopted.
    pub(crate) fn complete(mut self) -> Self {
        self.complete_block();
        self
    }

    fn record(&self, index: u32) -> Option<Derived> {
        let (number, offset) = (index / BLOCK, (index % BLOCK) as usize);
        if let Some((current, records)) = &self.current
            && *current == number
        {
            return records.get(offset).copied();
        }
        let at = self.blocks.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.blocks[at].1.get(offset).copied()
    }

    /// Records that `step` wrote a value over `previous`, with the text of the instruction itself.
    pub fn write(&mut self, step: StepId, from: OriginId, previous: OriginId) -> OriginId {
        let at = self.step_of(step).at;
        self.derive(Derived { at, step, from, previous, effect: Effect::Replaced })
    }

    /// Returns what an origin stands for.
    pub fn origin(&self, id: OriginId) -> Origin {
        if id == OriginId::NONE {
            Origin::Unknown
        } else if id.0 & DERIVED == 0 {
            Origin::Written(id.0)
        } else {
            self.record(id.0 & !DERIVED).map_or(Origin::Unknown, Origin::Derived)
        }
    }

    /// Returns the global position of the text of a value: its own, or that of what was copied into it, or of the
    /// instruction that made it, or of what was there before.
    pub fn position(&self, id: OriginId) -> Option<u32> {
        let mut id = id;
        loop {
            match self.origin(id) {
                Origin::Unknown => return None,
                Origin::Written(position) => return Some(position),
                Origin::Derived(d) if d.from != OriginId::NONE => id = d.from,
                Origin::Derived(d) if d.at != OriginId::NONE => id = d.at,
                // What every build does to a value, as the content hash of a name, has no place of its own.
                Origin::Derived(d) => id = d.previous,
            }
        }
    }

    /// Returns the writes that led to a value, newest first, down to the text it was parsed from.
    pub fn history(&self, id: OriginId) -> Vec<Origin> {
        let mut out = Vec::new();
        let mut next = id;
        loop {
            match self.origin(next) {
                Origin::Unknown => return out,
                written @ Origin::Written(_) => {
                    out.push(written);
                    return out;
                }
                derived @ Origin::Derived(d) => {
                    out.push(derived);
                    next = d.previous;
                }
            }
        }
    }
}

/// Records the writes of one step.
pub(crate) struct Recorder<'p> {
    provenance: &'p mut Provenance,
    step: StepId,
    at: OriginId,
}

impl<'p> Recorder<'p> {
    /// Returns a recorder for a step.
    pub(crate) fn new(provenance: &'p mut Provenance, step: StepId) -> Self {
        let at = provenance.step_of(step).at;
        Self { provenance, step, at }
    }

    /// Returns the step.
    pub(crate) fn step(&self) -> StepId {
        self.step
    }

    /// Returns the instruction that the writes follow.
    pub(crate) fn at(&self) -> OriginId {
        self.at
    }

    /// Sets the instruction that the next writes follow.
    pub(crate) fn set_at(&mut self, at: OriginId) {
        self.at = at;
    }

    /// Records that text from `from` was written where nothing was.
    pub(crate) fn create(&mut self, from: OriginId) -> OriginId {
        self.record(from, OriginId::NONE, Effect::Replaced)
    }

    /// Records that text from `from` was written over `previous`. A value without an origin was made just before, to be
    /// written over.
    pub(crate) fn write<V: Value>(&mut self, from: OriginId, previous: &V) -> OriginId {
        self.over(from, previous, Effect::Replaced)
    }

    /// Like [`Recorder::write`], where the new value depends on `previous`.
    pub(crate) fn extend<V: Value>(&mut self, from: OriginId, previous: &V) -> OriginId {
        self.over(from, previous, Effect::Extended)
    }

    /// Like [`Recorder::extend`], over what this step itself has written.
    pub(crate) fn extend_origin(&mut self, from: OriginId, previous: OriginId) -> OriginId {
        self.record(from, previous, Effect::Extended)
    }

    /// Like [`Recorder::write`], where the value was kept before.
    pub(crate) fn write_kept(
        &mut self,
        from: OriginId,
        previous: OriginId,
        kept: Option<Kept>,
    ) -> OriginId {
        let id = self.record(from, previous, Effect::Replaced);
        self.provenance.keep(id, kept);
        id
    }

    fn over<V: Value>(&mut self, from: OriginId, previous: &V, effect: Effect) -> OriginId {
        let id = self.record(from, previous.value_origin(), effect);
        if self.provenance.values.is_some() && previous.value_origin() != OriginId::NONE {
            let kept = self.provenance.kept(previous);
            self.provenance.keep(id, kept);
        }
        id
    }

    fn record(&mut self, from: OriginId, previous: OriginId, effect: Effect) -> OriginId {
        let (at, step) = (self.at, self.step);
        self.provenance.derive(Derived { at, step, from, previous, effect })
    }

    /// Returns a value to be kept, if values are.
    pub(crate) fn kept<V: Value>(&self, value: &V) -> Option<Kept> {
        self.provenance.kept(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_leads_from_the_newest_write_to_the_parsed_text() {
        let mut provenance = Provenance::default();
        let parsed = OriginId::written(10);
        let images = provenance.step(StepKind::Images, OriginId::written(50));
        let first = provenance.write(images, OriginId::written(55), parsed);
        let patch = provenance.step(StepKind::StrategicMergePatch, OriginId::written(70));
        let second = provenance.write(patch, OriginId::written(75), first);
        let history = provenance.history(second);
        assert_eq!(history.len(), 3);
        assert_eq!(history[2], Origin::Written(10));
        assert_eq!(provenance.position(second), Some(75));
        assert_eq!(provenance.position(OriginId::NONE), None);
    }

    #[test]
    fn a_build_takes_over_what_another_has_written() {
        let space = Arc::default();
        let write = |provenance: &mut Provenance, position: u32| {
            let step = provenance.step(StepKind::Images, OriginId::written(position));
            provenance.write(step, OriginId::written(position + 1), OriginId::NONE)
        };
        let mut base = Provenance::within(&space);
        let many: Vec<OriginId> = (0..3000).map(|n| write(&mut base, n * 10 + 10)).collect();
        let base = base.complete();
        let mut overlay = Provenance::within(&space);
        let own = write(&mut overlay, 7);
        overlay.adopt(&base);
        overlay.adopt(&base);
        let next = write(&mut overlay, 8);
        assert_eq!(overlay.position(own), Some(8));
        assert_eq!(overlay.position(next), Some(9));
        for (n, id) in many.into_iter().enumerate() {
            assert_eq!(overlay.position(id), Some(n as u32 * 10 + 11));
            assert_eq!(Provenance::within(&space).position(id), None);
        }
    }
}
