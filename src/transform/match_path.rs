//! Paths that may match several values: the targets of replacements.
//!
//! In a target, `[name=x]` is a regular expression that may match anywhere in the value as it is *written*, quotes
//! included, and `*` stands for every element (`kyaml/yaml/match.go`). With `create`, what is missing is made on the way.

use super::path::{LookupFault, is_element, kind_before, position, split_element};
use crate::provenance::OriginId;
use crate::resource::Pattern;
use crate::yaml::NodeKind;

/// A tree that paths can be matched in.
pub(crate) trait Tree: Sized {
    /// Returns the kind; none for a reference to an anchor, which no path leads through.
    fn kind(&self) -> Option<NodeKind>;
    fn is_null(&self) -> bool;
    fn origin(&self) -> OriginId;
    /// Returns whether this is a scalar without text, and no null.
    fn is_empty_text(&self) -> bool;
    /// Puts another value in the place of this one.
    fn put(&mut self, value: Self);
    /// Returns the first field with a name.
    fn field_mut(&mut self, name: &str) -> Option<&mut Self>;
    fn push_field(&mut self, name: &str, value: Self);
    fn element_count(&self) -> usize;
    fn element_mut(&mut self, index: usize) -> Option<&mut Self>;
    fn push_element(&mut self, element: Self);
    /// Returns an empty value of a kind, without a tag.
    fn empty(kind: NodeKind, origin: OriginId) -> Self;
    /// Returns a scalar without a tag.
    fn scalar(text: &str, origin: OriginId) -> Self;
    /// Returns the value as go-yaml v3 writes it.
    fn written(&self) -> String;
    /// Follows the rest of a path inside a scalar that holds YAML. What is found there is set in a copy and lost.
    fn visit_inside(
        &mut self,
        path: &[String],
        matcher: &Matcher,
        set: &mut dyn FnMut(&mut Self) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault>;
}

/// How a path is matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matcher {
    /// The kind of what is created at the end of the path; none to create nothing.
    pub(crate) create: Option<NodeKind>,
    /// The origin of what is created.
    pub(crate) origin: OriginId,
}

impl Matcher {
    /// Calls `set` for every value that a path leads to; returns how many there were.
    pub(crate) fn visit<T: Tree>(
        &self,
        node: &mut T,
        path: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        let Some((part, rest)) = path.split_first() else {
            set(node)?;
            return Ok(1);
        };
        if let Some(index) = position(part).and_then(|i| usize::try_from(i).ok()) {
            return self.visit_index(node, part, index, rest, set);
        }
        if is_element(part) {
            return self.visit_elements(node, part, rest, set);
        }
        if part == "*" {
            require(node, NodeKind::Sequence, part)?;
            let mut count = 0;
            for index in 0..node.element_count() {
                if let Some(element) = node.element_mut(index) {
                    count += self.visit(element, rest, set)?;
                }
            }
            return Ok(count);
        }
        self.visit_field(node, part, rest, set)
    }

    fn visit_field<T: Tree>(
        &self,
        node: &mut T,
        part: &str,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        if part.is_empty() {
            return self.visit_empty(node, rest, set);
        }
        require(node, NodeKind::Map, part)?;
        let found = !node.is_null() && node.field_mut(part).is_some();
        if !found {
            let Some(leaf) = self.create else { return Ok(0) };
            let mut created =
                T::empty(kind_before(rest.first().map(String::as_str), leaf), self.origin);
            if node.is_null() {
                // What is created below a null is nowhere.
                return self.visit_value(&mut created, rest, set);
            }
            node.push_field(part, created);
        }
        match node.field_mut(part) {
            Some(field) => self.visit_value(field, rest, set),
            None => Ok(0),
        }
    }

    /// An empty part stands for the value itself, which has to be a scalar without text.
    fn visit_empty<T: Tree>(
        &self,
        node: &mut T,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        require(node, NodeKind::Scalar, "")?;
        if node.is_empty_text() {
            return self.visit_value(node, rest, set);
        }
        let Some(leaf) = self.create else { return Ok(0) };
        // The value becomes an empty one, and what is set is nowhere.
        let kind = kind_before(rest.first().map(String::as_str), leaf);
        node.put(T::empty(kind, self.origin));
        self.visit_value(&mut T::empty(kind, self.origin), rest, set)
    }

    fn visit_value<T: Tree>(
        &self,
        field: &mut T,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        if field.kind() == Some(NodeKind::Scalar) && !rest.is_empty() {
            return field.visit_inside(rest, self, set);
        }
        self.visit(field, rest, set)
    }

    fn visit_index<T: Tree>(
        &self,
        node: &mut T,
        part: &str,
        index: usize,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        require(node, NodeKind::Sequence, part)?;
        let len = node.element_count();
        if len == index
            && let Some(leaf) = self.create
        {
            let mut created =
                T::empty(kind_before(rest.first().map(String::as_str), leaf), self.origin);
            if node.is_null() {
                return self.visit(&mut created, rest, set);
            }
            node.push_element(created);
        }
        match node.element_mut(index) {
            Some(element) => self.visit(element, rest, set),
            None => Err(LookupFault::IndexTooLarge { index, len, at: node.origin() }),
        }
    }

    fn visit_elements<T: Tree>(
        &self,
        node: &mut T,
        part: &str,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        let (name, value) = split_element(part)?;
        require(node, NodeKind::Sequence, part)?;
        let mut pattern = None;
        let count = self.visit_matching(node, name, value, &mut pattern, rest, set)?;
        let (0, Some(_)) = (count, self.create) else { return Ok(count) };
        let mut detached = T::empty(NodeKind::Sequence, self.origin);
        // What is created below a null is nowhere.
        let node = if node.is_null() { &mut detached } else { node };
        let value_node = T::scalar(value, self.origin);
        if name.is_empty() {
            node.push_element(value_node);
        } else {
            let mut element = T::empty(NodeKind::Map, self.origin);
            element.push_field(name, value_node);
            node.push_element(element);
        }
        match self.visit_matching(node, name, value, &mut pattern, rest, set)? {
            0 => Err(LookupFault::NotCreated(part.to_owned())),
            count => Ok(count),
        }
    }

    /// Visits the elements whose field, or which themselves, match a pattern. The pattern is compiled when it is first
    /// needed: without elements a faulty one is no fault.
    fn visit_matching<T: Tree>(
        &self,
        node: &mut T,
        name: &str,
        value: &str,
        pattern: &mut Option<Pattern>,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        let mut count = 0;
        for index in 0..node.element_count() {
            let Some(element) = node.element_mut(index) else { continue };
            if pattern.is_none() {
                let compiled = Pattern::between("", value, "");
                *pattern = Some(compiled.map_err(|e| LookupFault::Pattern(e.to_string()))?);
            }
            let written = if name.is_empty() {
                Some(element.written())
            } else if element.kind() == Some(NodeKind::Map) {
                element.field_mut(name).map(|field| field.written())
            } else {
                None
            };
            let matches = |text: &str| pattern.as_ref().is_some_and(|p| p.is_match(text.trim()));
            if !written.as_deref().is_some_and(matches) {
                continue;
            }
            if name.is_empty() {
                // What follows a scalar in the path does not count.
                set(element)?;
                count += 1;
            } else {
                count += self.visit(element, rest, set)?;
            }
        }
        Ok(count)
    }
}

fn require<T: Tree>(node: &T, needed: NodeKind, part: &str) -> Result<(), LookupFault> {
    if node.is_null() || node.kind() == Some(needed) {
        return Ok(());
    }
    let found = node.kind().unwrap_or(NodeKind::Scalar);
    Err(LookupFault::Kind { part: part.to_owned(), at: node.origin(), found, needed })
}
