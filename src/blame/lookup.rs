//! Following paths.

use crate::diagnostic::nearest;
use crate::provenance::PathStep;
use crate::yaml::{Key, Node, NodeKind};

/// A value on the way of a path.
#[derive(Clone, Debug)]
pub(crate) struct Place<'n> {
    /// What leads to it: a key, or the position of an element.
    pub(crate) step: PathStep,
    pub(crate) node: &'n Node,
}

/// Returns the values that a path leads through, the one at its end last; none if it leads nowhere.
pub(crate) fn lookup<'n>(root: &'n Node, steps: &[PathStep]) -> Option<Vec<Place<'n>>> {
    let mut node = root;
    let mut out = Vec::with_capacity(steps.len());
    for wanted in steps {
        let (found, next) = step(node, wanted)?;
        out.push(Place { step: found, node: next });
        node = next;
    }
    Some(out)
}

/// Returns what a step leads to, and the step as a key or a position. A number in brackets may be a key, and a key a number.
pub(super) fn step<'n>(node: &'n Node, wanted: &PathStep) -> Option<(PathStep, &'n Node)> {
    match node.kind() {
        NodeKind::Scalar => None,
        NodeKind::Map => {
            let key = match wanted {
                PathStep::Key(key) => key.to_string(),
                PathStep::Index(index) => index.to_string(),
                PathStep::Element(fields) => {
                    let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
                    fields.collect::<Vec<_>>().join(",")
                }
            };
            let value = node.get(Key::text_key(&key))?;
            Some((PathStep::Key(key.into()), value))
        }
        NodeKind::Sequence => {
            let elements = node.elements()?;
            let index = match wanted {
                PathStep::Index(index) => *index,
                PathStep::Key(key) => key.parse().ok()?,
                PathStep::Element(_) => elements.iter().position(|e| is_element(e, wanted))?,
            };
            Some((PathStep::Index(index), elements.get(index)?))
        }
    }
}

/// Returns whether a step names an element by its fields.
fn is_element(element: &Node, wanted: &PathStep) -> bool {
    let PathStep::Element(fields) = wanted else { return false };
    fields.iter().all(|(name, value)| {
        if name.is_empty() {
            return element.is_scalar() && element.text() == value.as_str();
        }
        element.get(Key::text_key(name)).is_some_and(|field| field.text() == value.as_str())
    })
}

/// Returns what of a path is left behind another one; none if it does not lead through it.
pub(super) fn rest_behind<'p>(path: &'p [PathStep], other: &[PathStep]) -> Option<&'p [PathStep]> {
    let rest = path.get(other.len()..)?;
    path.iter().zip(other).all(|(own, other)| is_same(own, other)).then_some(rest)
}

fn is_same(own: &PathStep, other: &PathStep) -> bool {
    match (own, other) {
        (PathStep::Element(own), PathStep::Element(other)) => {
            own.iter().all(|field| other.contains(field))
        }
        (PathStep::Key(key), PathStep::Index(index))
        | (PathStep::Index(index), PathStep::Key(key)) => *key == index.to_string(),
        (own, other) => own == other,
    }
}

/// Returns how far a path leads into a value, and what was probably meant by the step that leads nowhere.
pub(crate) fn near(root: &Node, steps: &[PathStep]) -> (usize, Option<String>) {
    let mut node = root;
    for (index, wanted) in steps.iter().enumerate() {
        match step(node, wanted) {
            Some((_, next)) => node = next,
            None => return (index, near_step(node, wanted)),
        }
    }
    (steps.len(), None)
}

fn near_step(node: &Node, wanted: &PathStep) -> Option<String> {
    match wanted {
        PathStep::Key(key) => {
            if let Some(elements) = node.elements() {
                let first = elements.first()?;
                let name = first.get(crate::yaml::known::NAME);
                return Some(match name {
                    Some(name) => format!("[name={}]", name.text()),
                    None => "[0]".to_owned(),
                });
            }
            let keys = || node.entries().into_iter().flatten().map(|entry| entry.key.text());
            let like = || keys().find(|own| key.len() > 2 && own.starts_with(key.as_str()));
            nearest(key, keys()).or_else(like).map(str::to_owned)
        }
        PathStep::Index(_) => {
            let count = node.elements()?.len();
            count.checked_sub(1).map(|last| format!("[{last}]"))
        }
        PathStep::Element(fields) => {
            let (name, value) = fields.first()?;
            let text = |element: &Node| {
                let field =
                    if name.is_empty() { Some(element) } else { element.get(Key::text_key(name)) };
                field.map(Node::shared_text)
            };
            let values: Vec<_> = node.elements()?.iter().filter_map(text).collect();
            let values = || values.iter().map(ecow::EcoString::as_str);
            let found = nearest(value, values()).or_else(|| values().next())?;
            Some(format!("[{name}={found}]"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::ValuePath;
    use crate::yaml::{Dialect, parse_document};

    fn parse(text: &str) -> Node {
        parse_document(text, 1, Dialect::V3).unwrap().unwrap()
    }

    fn path(text: &str) -> Vec<PathStep> {
        ValuePath::parse(text).unwrap().0
    }

    #[test]
    fn every_form_of_a_path_leads_to_the_value() {
        let root = parse("a: [{n: x, v: 1}, {n: y, v: 2}]\nb: {c.d: e, \"7\": f}\nl: [p, q]\n");
        let text = |text: &str| {
            lookup(&root, &path(text)).map(|places| places.last().unwrap().node.text().to_owned())
        };
        for (from, want) in [
            ("a[n=y].v", "2"),
            ("a[1].v", "2"),
            ("a.1.v", "2"),
            ("a[n=x,v=1].n", "x"),
            ("b[c.d]", "e"),
            ("b[7]", "f"),
            ("l[=q]", "q"),
        ] {
            assert_eq!(text(from).as_deref(), Some(want), "{from}");
        }
        for none in ["a[2]", "a[n=z]", "a.n", "b.x", "l[0].x"] {
            assert_eq!(text(none), None, "{none}");
        }
    }

    #[test]
    fn what_was_meant_is_found() {
        let root = parse("spec: {replicas: 1, list: [{name: api}, {name: web}]}\n");
        let found = |text: &str| near(&root, &path(text));
        assert_eq!(found("spec.replica"), (1, Some("replicas".to_owned())));
        assert_eq!(found("spec.list[name=wbe].x"), (2, Some("[name=web]".to_owned())));
        assert_eq!(found("spec.list[7]"), (2, Some("[1]".to_owned())));
        assert_eq!(found("spec.list.image"), (2, Some("[name=api]".to_owned())));
        assert_eq!(found("zzz"), (0, None));
    }

    #[test]
    fn a_path_leads_through_another() {
        let rest = |own: &str, other: &str| {
            rest_behind(&path(own), &path(other)).map(|steps| ValuePath(steps.to_vec()).to_string())
        };
        assert_eq!(rest("a.b.c", "a.b").as_deref(), Some("c"));
        assert_eq!(rest("a[name=x].c", "a[name=x,p=1]").as_deref(), Some("c"));
        assert_eq!(rest("a.b", "a.b").as_deref(), Some(""));
        assert_eq!(rest("a.c", "a.b"), None);
        assert_eq!(rest("a", "a.b"), None);
    }
}
