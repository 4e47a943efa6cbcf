//! The fields in a value, each with its history.

use super::{Field, Tracer};
use crate::provenance::{OriginId, PathStep, ValuePath};
use crate::yaml::Node;

/// Goes through the fields in a value.
pub(super) struct Walk<'t, 'b> {
    tracer: &'t Tracer<'b>,
    path: ValuePath,
    /// How many steps of the path lead to the first of the values.
    above: usize,
    out: Vec<Field>,
}

/// Returns the fields at and below a value; whether they are secret is not known yet. `path`: that of the value; `nodes`: the
/// values that lead to it, itself last; `above`: how many steps lead to the first of them.
pub(super) fn fields<'n>(
    tracer: &Tracer<'_>,
    path: &ValuePath,
    nodes: &[&'n Node],
    above: usize,
) -> Vec<Field> {
    let mut walk = Walk { tracer, path: path.clone(), above, out: Vec::new() };
    let mut nodes: Vec<&'n Node> = nodes.to_vec();
    walk.value(&mut nodes);
    walk.out
}

impl Walk<'_, '_> {
    fn value(&mut self, nodes: &mut Vec<&Node>) {
        let Some(&node) = nodes.last() else { return };
        if node.is_empty() {
            let origins: Vec<OriginId> = nodes.iter().map(|node| node.origin()).collect();
            let writes = self.tracer.history(&origins, &self.path.0[self.above..]);
            let (path, value) = (self.path.clone(), node.clone());
            self.out.push(Field { path, value, is_secret: false, writes });
        }
        for entry in node.entries().into_iter().flatten() {
            self.below(PathStep::Key(entry.key.text().into()), &entry.value, nodes);
        }
        for (index, element) in node.elements().into_iter().flatten().enumerate() {
            self.below(PathStep::Index(index), element, nodes);
        }
    }

    fn below<'n>(&mut self, step: PathStep, node: &'n Node, nodes: &mut Vec<&'n Node>) {
        self.path.0.push(step);
        nodes.push(node);
        self.value(nodes);
        nodes.pop();
        self.path.0.pop();
    }
}
