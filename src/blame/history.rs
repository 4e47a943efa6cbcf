//! The records of a value and of all that it is in, as one history.

use super::texts::Reading;
use super::{HASHED, Place, Source, SourceKind, Tracer, Write, lookup, walk};
use crate::provenance::{Derived, Effect, Kept, Origin, OriginId, PathStep, StepKind, ValuePath};
use crate::yaml::Node;

/// No history is longer. What several steps copy from each other could make one that is.
const MAX_WRITES: usize = 256;

/// Histories of what was copied from elsewhere are followed so deep.
const MAX_DEPTH: usize = 16;

impl Tracer<'_> {
    /// Returns the history of a value, newest first. `origins`: those of the values that lead to it, itself last; `steps`: the
    /// steps between them.
    pub(super) fn history(&self, origins: &[OriginId], steps: &[PathStep]) -> Vec<Write> {
        self.history_within(origins, steps, MAX_DEPTH)
    }

    fn history_within(&self, origins: &[OriginId], steps: &[PathStep], depth: usize) -> Vec<Write> {
        let mut levels = origins.to_vec();
        let mut out = Vec::new();
        let Some(leaf) = levels.len().checked_sub(1) else { return out };
        while out.len() < MAX_WRITES {
            let Some((level, derived)) = self.newest(&levels) else {
                out.extend(self.text(levels[leaf]));
                break;
            };
            if level == leaf {
                let (write, previous) = self.write(levels[leaf], derived, depth);
                out.push(write);
                levels[leaf] = previous;
                if previous == OriginId::NONE {
                    break;
                }
                continue;
            }
            let sources = self.source(levels[leaf], Reading::Yaml, depth);
            let old = self.provenance.before(levels[level]).and_then(Kept::get::<Node>);
            let places = old.and_then(|old| lookup(old, &steps[level..]));
            out.push(Write {
                step: Some(self.provenance.step_of(derived.step).kind),
                layer: self.layer_of(derived.step),
                at: self.place(derived.at),
                sources,
                effect: Effect::Replaced,
                before: places.as_ref().and_then(|places| Some(places.last()?.node.clone())),
            });
            let (Some(old), Some(places)) = (old, places) else { break };
            levels[level] = old.origin();
            for (own, place) in levels[level + 1..].iter_mut().zip(&places) {
                *own = place.node.origin();
            }
        }
        out
    }

    /// Returns the newest record of values that lead to one, the value itself last.
    fn newest(&self, levels: &[OriginId]) -> Option<(usize, Derived)> {
        let leaf = levels.len() - 1;
        let records = levels.iter().enumerate().filter_map(|(level, id)| {
            let Origin::Derived(derived) = self.provenance.origin(*id) else { return None };
            // What a generator makes has a record for each value.
            let counts =
                level == leaf || self.provenance.step_of(derived.step).kind != StepKind::Generate;
            counts.then_some((level, derived))
        });
        records.max_by_key(|(level, derived)| (derived.step, *level))
    }

    /// Returns the write of one step, which may have several records, and what was there before.
    fn write(&self, id: OriginId, newest: Derived, depth: usize) -> (Write, OriginId) {
        let kind = self.provenance.step_of(newest.step).kind;
        let reading = match kind {
            StepKind::Generate => Reading::Lines,
            StepKind::NameReference => Reading::Name,
            _ => Reading::Yaml,
        };
        let mut write = Write {
            step: Some(kind),
            layer: self.layer_of(newest.step),
            at: self.place(newest.at),
            sources: Vec::new(),
            effect: Effect::Extended,
            before: None,
        };
        let (mut id, mut derived) = (id, newest);
        loop {
            for source in self.source(derived.from, reading, depth) {
                let is_known = |own: &Source| own.place == source.place && own.kind == source.kind;
                if !write.sources.iter().any(is_known) {
                    write.sources.push(source);
                }
            }
            if kind == StepKind::NameHash {
                write.sources.extend(self.hashed(id, depth));
            }
            if derived.effect == Effect::Replaced {
                write.effect = Effect::Replaced;
            }
            if let Some(before) = self.provenance.before(id).and_then(Kept::get::<Node>) {
                write.before = Some(before.clone());
            }
            id = derived.previous;
            match self.provenance.origin(id) {
                Origin::Derived(next) if next.step == newest.step => derived = next,
                _ => return (write, id),
            }
        }
    }

    /// Returns what stands for a value that a step has copied.
    fn source(&self, from: OriginId, reading: Reading, depth: usize) -> Vec<Source> {
        match self.provenance.origin(from) {
            Origin::Unknown => Vec::new(),
            Origin::Written(position) => self.texts.at(position, reading),
            Origin::Derived(_) if depth == 0 => Vec::new(),
            Origin::Derived(_) => {
                let writes = self.history_within(&[from], &[], depth - 1);
                let oldest = writes.iter().rev().flat_map(|write| &write.sources).next();
                let oldest = oldest.map(|source| source.place.clone());
                let place = match reading {
                    Reading::Name => oldest.or_else(|| self.place(from)),
                    Reading::Yaml | Reading::Lines => self.place(from).or(oldest),
                };
                let source = |place: Place| {
                    let (kind, overrides) = (SourceKind::Text, Vec::new());
                    Source { place, end: None, kind, writes, overrides }
                };
                place.map(source).into_iter().collect()
            }
        }
    }

    /// Returns the values that decide about the content hash of a name.
    fn hashed(&self, name: OriginId, depth: usize) -> Vec<Source> {
        let Some(&index) = self.hashed.get(&name).filter(|_| depth > 0) else { return Vec::new() };
        let resource = self.resources.get(index);
        let mut out = Vec::new();
        for key in HASHED {
            let Some(value) = resource.node().get(key) else { continue };
            let path = ValuePath(vec![PathStep::Key(key.text().into())]);
            for field in walk::fields(self, &path, &[resource.node(), value], 0) {
                let place = field.texts().first().map(|source| source.place.clone());
                let (kind, writes) = (SourceKind::Text, field.writes);
                let overrides = Vec::new();
                let source = |place| Source { place, end: None, kind, writes, overrides };
                out.extend(place.map(source));
            }
        }
        out
    }

    /// Returns the text that a value was read from as the first entry of its history.
    fn text(&self, origin: OriginId) -> Option<Write> {
        let Origin::Written(position) = self.provenance.origin(origin) else { return None };
        let place = self.texts.place(position);
        Some(Write {
            step: None,
            layer: place.as_ref().and_then(|place| self.layer(&place.path)),
            at: place,
            sources: self.texts.at(position, Reading::Yaml),
            effect: Effect::Replaced,
            before: None,
        })
    }
}
