//! Paths that may match several values: the targets of replacements.
//!
//! In a target, `[name=x]` is a regular expression that may match anywhere in the value as it is *written*, quotes
//! included, and `*` stands for every element (`kyaml/yaml/match.go`). With `create`, what is missing is made on the way.

use std::cell::RefCell;

use super::path::{LookupFault, is_element, kind_before, position, split_element};
use crate::provenance::OriginId;
use crate::resource::Pattern;
use crate::yaml::{Commented, NodeKind};

/// A tree that paths can be matched in.
pub(crate) trait Tree: Sized {
    /// Returns the kind; none for a reference to an anchor, which no path leads through.
    fn kind(&self) -> Option<NodeKind>;
    fn is_null(&self) -> bool;
    fn origin(&self) -> OriginId;
    /// Returns the text of a scalar.
    fn text(&self) -> &str;
    /// Returns the first field with a name.
    fn field_mut(&mut self, name: &str) -> Option<&mut Self>;
    fn push_field(&mut self, name: &str, value: Self);
    fn element_count(&self) -> usize;
    fn element_mut(&mut self, index: usize) -> Option<&mut Self>;
    fn push_element(&mut self, element: Self);
    /// Returns an empty value of a kind, without a tag.
    fn empty(kind: NodeKind, origin: OriginId) -> Self;
    /// Puts an empty value in the place of this one, written in its style.
    fn clear(&mut self, kind: NodeKind, origin: OriginId);
    /// Returns a scalar without a tag.
    fn scalar(text: &str, origin: OriginId) -> Self;
    /// Returns the value as go-yaml v3 writes it.
    fn written(&self) -> String;
}

/// How a path is matched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matcher<'m> {
    /// The kind of what is created at the end of the path; none to create nothing.
    pub(crate) create: Option<NodeKind>,
    /// The origin of what is created.
    pub(crate) origin: OriginId,
    /// The kind that everything found must have; none for any.
    pub(crate) needed: Option<NodeKind>,
    /// Takes what a plain text matched only because it is read as a pattern: the text and what it matched.
    pub(crate) loose: &'m RefCell<Option<(String, String)>>,
}

impl Matcher<'_> {
    /// Calls `set` for every value that a path leads to; returns how many there were.
    pub(crate) fn visit<T: Tree>(
        &self,
        node: &mut T,
        path: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        let Some((part, rest)) = path.split_first() else { return self.found(node, set) };
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
        if part.is_empty() {
            return self.visit_itself(node, rest, set);
        }
        self.visit_field(node, part, rest, set)
    }

    fn found<T: Tree>(
        &self,
        node: &mut T,
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        if let Some(needed) = self.needed
            && node.kind() != Some(needed)
        {
            return Err(wrong_kind(node, needed, ""));
        }
        set(node)?;
        Ok(1)
    }

    /// A part without a name is the value itself if that is a scalar without text.
    fn visit_itself<T: Tree>(
        &self,
        node: &mut T,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        require(node, NodeKind::Scalar, "")?;
        if !node.is_null() && node.text().is_empty() {
            return self.visit_value(node, rest, set);
        }
        let Some(leaf) = self.create else { return Ok(0) };
        // What is created takes the place of the scalar, and what is set then is nowhere.
        let kind = kind_before(rest.first().map(String::as_str), leaf);
        node.clear(kind, self.origin);
        self.visit_value(&mut T::empty(kind, self.origin), rest, set)
    }

    fn visit_field<T: Tree>(
        &self,
        node: &mut T,
        part: &str,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
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

    fn visit_value<T: Tree>(
        &self,
        field: &mut T,
        rest: &[String],
        set: &mut dyn FnMut(&mut T) -> Result<(), LookupFault>,
    ) -> Result<usize, LookupFault> {
        if field.kind() == Some(NodeKind::Scalar) && !rest.is_empty() {
            return self
                .visit_text(field.text(), rest)
                .unwrap_or_else(|| Err(LookupFault::Scalar(rest[0].clone(), field.origin())));
        }
        self.visit(field, rest, set)
    }

    /// Follows the rest of a path inside a text; none if the text is not YAML. What is found there counts, but it is in a
    /// copy and is not set.
    fn visit_text(&self, text: &str, rest: &[String]) -> Option<Result<usize, LookupFault>> {
        let mut document = Commented::parse(text).ok()??;
        Some(self.visit(&mut document, rest, &mut |_| Ok(())))
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
        let mut created = T::scalar(value, self.origin);
        if !name.is_empty() {
            let value = std::mem::replace(&mut created, T::empty(NodeKind::Map, self.origin));
            created.push_field(name, value);
        }
        // What is created below a null is nowhere.
        let mut nowhere = T::empty(NodeKind::Sequence, self.origin);
        let node = if node.is_null() { &mut nowhere } else { node };
        node.push_element(created);
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
            if let Some(found) = written.as_deref().map(str::trim).filter(|w| *w != value)
                && value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
                && found.trim_matches(['"', '\'']) != value
            {
                *self.loose.borrow_mut() = Some((value.to_owned(), found.to_owned()));
            }
            if name.is_empty() {
                // What follows a scalar in the path does not count.
                count += self.found(element, set)?;
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
    Err(wrong_kind(node, needed, part))
}

fn wrong_kind<T: Tree>(node: &T, needed: NodeKind, part: &str) -> LookupFault {
    let (part, at) = (part.to_owned(), node.origin());
    match node.kind() {
        Some(found) => LookupFault::Kind { part, at, found, needed },
        None => LookupFault::Alias(part),
    }
}
