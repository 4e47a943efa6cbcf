//! Values as templates see them.
//!
//! Maps and lists are objects that note which of their values a template asks for. So an expression that is printed is
//! known to come from a line of a values file, and values that nobody asks for are found.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
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
    /// Its place in the map or list that it was taken from.
    index: usize,
    /// It is no value but literal text of a template, which ends here.
    pub(super) literal_end: Option<OriginId>,
    /// It was printed into a text that was captured, and not asked for where that text is printed.
    pub(super) is_captured: bool,
}

impl Touch {
    fn text(origin: OriginId, text: &str) -> Self {
        let (text, literal_end) = (text.to_owned(), None);
        Self { origin, is_string: false, text, index: 0, literal_end, is_captured: false }
    }
}

/// A variable that was set to a text or a value, and what that was made of.
#[derive(Clone, Debug)]
struct Variable {
    name: String,
    text: String,
    touches: Vec<Touch>,
}

/// An expression or a captured text at work.
#[derive(Clone, Copy, Debug)]
struct Frame {
    touched: usize,
    captured: usize,
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
    /// What the expressions at work have asked for, the inner ones last.
    touched: Vec<Touch>,
    /// The expressions at work: a macro has some of its own.
    frames: Vec<Frame>,
    /// How often something was printed into a text that was captured.
    captured: usize,
    variables: Vec<Variable>,
    /// The elements of lists, and the values of maps that were walked, which loops bind to their variables.
    elements: VecDeque<Touch>,
    /// The maps that were walked, by their addresses.
    walked: HashSet<usize>,
    pub(super) missed: Option<Miss>,
    /// Where everything is written that was asked for.
    pub(super) used: HashSet<OriginId>,
}

/// What a printed expression was made of.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) touches: Vec<Touch>,
    /// A macro has printed something on the way.
    pub(super) by_macro: bool,
}

impl Notes {
    /// Begins an expression, or a text that is captured.
    pub(super) fn begin(&mut self) {
        if self.frames.is_empty() {
            // What conditions have asked for is printed nowhere.
            self.touched.clear();
        }
        self.frames.push(Frame { touched: self.touched.len(), captured: self.captured });
    }

    /// Ends it, and returns what it has asked for.
    pub(super) fn end(&mut self) -> Made {
        let Some(frame) = self.frames.pop() else { return Made::default() };
        let touches = self.touched.split_off(frame.touched.min(self.touched.len()));
        Made { touches, by_macro: self.captured != frame.captured }
    }

    /// Notes what was printed into a text that is captured: it is a part of what is made of that text.
    pub(super) fn capture(&mut self, touches: &[Touch]) {
        self.captured += 1;
        let captured = touches.iter().map(|touch| Touch { is_captured: true, ..touch.clone() });
        self.touched.extend(captured);
    }

    /// Notes what the value of a variable was made of.
    pub(super) fn assign(&mut self, name: &str, text: String, touches: Vec<Touch>) {
        self.variables.retain(|known| known.name != name || known.text != text);
        if self.variables.len() == MAX_VARIABLES {
            self.variables.remove(0);
        }
        self.variables.push(Variable { name: name.to_owned(), text, touches });
    }

    /// Returns what the value of a variable was made of. `index`: how often the loop has gone round that binds it.
    pub(super) fn variable(&self, name: &str, text: &str, index: Option<usize>) -> Vec<Touch> {
        let is_set = |known: &&Variable| known.name == name && known.text == text;
        if let Some(known) = self.variables.iter().rev().find(is_set).filter(|_| index.is_none()) {
            return known.touches.clone();
        }
        let of_text = || self.elements.iter().rev().filter(|element| element.text == text);
        let at_index = of_text().find(|element| index.is_some_and(|index| element.index == index));
        at_index.or_else(|| of_text().next()).cloned().into_iter().collect()
    }

    /// Notes that a file was read.
    pub(super) fn read(&mut self, origin: OriginId, text: &str) {
        self.touched.push(Touch::text(origin, text));
    }

    /// Notes that a macro, or a text that is captured, goes on with literal text.
    pub(super) fn literal(&mut self, start: OriginId, end: OriginId) {
        if !self.frames.is_empty() {
            self.touched.push(Touch { literal_end: Some(end), ..Touch::text(start, "") });
        }
    }

    /// Returns whether what is printed now is part of a macro or of a text that is captured.
    pub(super) fn is_inside(&self) -> bool {
        !self.frames.is_empty()
    }
}

/// Elements that are remembered: a loop prints the ones that it was given last.
const MAX_ELEMENTS: usize = 1024;

/// Variables that are remembered.
const MAX_VARIABLES: usize = 256;

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
    /// Hands out a value that stands at a place of the map or list.
    fn give(&self, node: &Node, path: &str, index: usize) -> Value {
        let value = self.tracker.value(node, path);
        let mut notes = self.tracker.notes();
        notes.used.insert(node.origin());
        if node.is_scalar() {
            let is_string = node.resolved_tag() == Tag::Str;
            let text = printed(&value).unwrap_or_else(|| value.to_string());
            let origin = node.origin();
            let touch = Touch { is_string, index, ..Touch::text(origin, &text) };
            let is_walked =
                self.node.address().is_some_and(|address| notes.walked.contains(&address));
            if self.node.kind() == NodeKind::Sequence || is_walked {
                if notes.elements.len() == MAX_ELEMENTS {
                    notes.elements.pop_front();
                }
                notes.elements.push_back(touch.clone());
            }
            notes.touched.push(touch);
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
            return Some(self.give(element, &format!("{}[{index}]", self.path), index));
        }
        let name = key.as_str()?;
        let entries = self.node.entries().unwrap_or_default();
        match entries.iter().position(|entry| entry.key.same_text(Key::text_key(name))) {
            Some(index) => {
                Some(self.give(&entries[index].value, &format!("{}.{name}", self.path), index))
            }
            None => {
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
        self.tracker.notes().walked.extend(self.node.address());
        self.tracker.notes().used.extend(entries.chain(elements).map(Node::origin));
        match self.node.entries() {
            Some(entries) => {
                Enumerator::Values(entries.iter().map(|e| Value::from(e.key.text())).collect())
            }
            None => Enumerator::Seq(self.node.len()),
        }
    }
}
