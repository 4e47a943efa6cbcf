//! Values as templates see them.
//!
//! Maps and lists are objects that note which of their values a template asks for. So an expression that is printed is
//! known to come from a line of a values file, and values that nobody asks for are found.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};

use crate::provenance::OriginId;
use crate::yaml::{Dialect, Key, Node, NodeKind, Scalar, Tag, resolve};

/// A value that a template has asked for.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    pub(super) origin: OriginId,
    pub(super) is_string: bool,
    /// The value as it is printed.
    pub(super) text: String,
}

/// A value that is not there.
#[derive(Clone, Debug)]
pub(super) struct Miss {
    /// The map that was asked, as `values.database`.
    pub(super) map: String,
    pub(super) key: String,
    /// The keys that are there.
    pub(super) known: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Notes {
    /// What the expression at work has asked for.
    pub(super) touched: Vec<Touch>,
    /// The elements of lists that were handed out, which loops bind to their variables.
    pub(super) elements: Vec<Touch>,
    pub(super) missed: Option<Miss>,
    /// Where everything is written that was asked for.
    pub(super) used: HashSet<OriginId>,
}

/// Elements that are remembered: a loop prints the ones that it was given last.
const MAX_ELEMENTS: usize = 256;

/// What the objects of one rendering note.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker(Arc<Mutex<Notes>>);

impl Tracker {
    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a tree as a value. `path`: what it is called in messages.
    pub(super) fn value(&self, node: &Node, path: &str) -> Value {
        match node.kind() {
            NodeKind::Scalar => scalar(node),
            _ => Value::from_object(Tree {
                node: node.clone(),
                path: path.to_owned(),
                tracker: self.clone(),
            }),
        }
    }
}

thread_local! {
    /// How numbers are written that are printed otherwise, by what they are. Of several ways the one that was asked for last
    /// counts.
    static WRITTEN: RefCell<HashMap<String, String>> = RefCell::default();
}

/// Returns a scalar as a value.
fn scalar(node: &Node) -> Value {
    let text = node.text();
    match resolve(text, node.resolved_tag(), Dialect::V3) {
        Ok(Scalar::Null) => Value::from(()),
        Ok(Scalar::Bool(value)) => Value::from(value),
        Ok(Scalar::Int(number)) => number_value(Value::from(number), text),
        Ok(Scalar::Uint(number)) => number_value(Value::from(number), text),
        Ok(Scalar::Float(number)) => number_value(Value::from(number), text),
        _ => Value::from(text),
    }
}

fn number_value(value: Value, text: &str) -> Value {
    let printed = value.to_string();
    WRITTEN.with_borrow_mut(|written| {
        if printed == text {
            written.remove(&printed);
        } else {
            written.insert(printed, text.to_owned());
        }
    });
    value
}

/// Returns how a number, a boolean or nothing is printed: as it is written, in the words of YAML. None for other values.
pub(super) fn printed(value: &Value) -> Option<String> {
    match value.kind() {
        ValueKind::Bool => Some(if value.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::None => Some("null".to_owned()),
        ValueKind::Number => {
            let text = value.to_string();
            let written = WRITTEN.with_borrow(|written| written.get(&text).cloned());
            Some(written.unwrap_or(text))
        }
        _ => None,
    }
}

/// A map or a list of values.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) node: Node,
    path: String,
    tracker: Tracker,
}

impl Tree {
    fn give(&self, node: &Node, path: &str, is_element: bool) -> Value {
        let value = self.tracker.value(node, path);
        let mut notes = self.tracker.notes();
        notes.used.insert(node.origin());
        if node.is_scalar() {
            let is_string = node.resolved_tag() == Tag::Str;
            let touch = Touch { origin: node.origin(), is_string, text: value.to_string() };
            if is_element {
                if notes.elements.len() == MAX_ELEMENTS {
                    notes.elements.remove(0);
                }
                notes.elements.push(touch);
            } else {
                notes.touched.push(touch);
            }
        }
        value
    }
}

impl Object for Tree {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.node.kind() == NodeKind::Map { ObjectRepr::Map } else { ObjectRepr::Seq }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(elements) = self.node.elements() {
            let index = key.as_usize()?;
            let element = elements.get(index)?;
            return Some(self.give(element, &format!("{}[{index}]", self.path), true));
        }
        let name = key.as_str()?;
        match self.node.get(Key::text_key(name)) {
            Some(value) => Some(self.give(value, &format!("{}.{name}", self.path), false)),
            None => {
                let entries = self.node.entries().unwrap_or_default();
                self.tracker.notes().missed = Some(Miss {
                    map: self.path.clone(),
                    key: name.to_owned(),
                    known: entries.iter().map(|e| e.key.text().to_owned()).collect(),
                });
                None
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        // Who asks for all, or how many there are, uses them.
        let entries = self.node.entries().into_iter().flatten().map(|e| &e.value);
        let elements = self.node.elements().into_iter().flatten();
        self.tracker.notes().used.extend(entries.chain(elements).map(Node::origin));
        match self.node.entries() {
            Some(entries) => {
                Enumerator::Values(entries.iter().map(|e| Value::from(e.key.text())).collect())
            }
            None => Enumerator::Seq(self.node.len()),
        }
    }
}
