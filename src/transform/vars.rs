//! `vars`: fields of objects, put where `$(NAME)` stands.

use std::cell::Cell;
use std::collections::HashMap;

use ecow::EcoString;

use super::field_path::{Leaf, PathFault, SpecsByType, visit};
use super::path::{lookup, split_dots};
use super::set_value::path_fault;
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported, nearest};
use crate::project::{FieldSpecs, Var};
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::{AliasWrites, ResourceId, ResourceSet};
use crate::session::Context;
use crate::yaml::{KeyKind, Node, NodeKind, ScalarStyle, Tag, format_general};

/// The vars that a build has met, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vars(Vec<Var>);

impl Vars {
    /// Adds the vars of a kustomization, and marks the objects that they name.
    pub(crate) fn add(
        &mut self,
        cx: &mut Context<'_>,
        set: &mut ResourceSet,
        vars: &[Var],
    ) -> Fallible<()> {
        for var in vars {
            let id = ResourceId {
                gvk: var.gvk.clone(),
                name: var.object_name.clone(),
                namespace: var.namespace.clone(),
                cluster_scoped: set.scopes().is_cluster_scoped(&var.gvk),
            };
            let any_namespace = id.namespace.is_empty() && !id.cluster_scoped;
            let fits = |own: &ResourceId| {
                if any_namespace {
                    own.gvk == id.gvk && own.name == id.name
                } else {
                    own.matches(&id)
                }
            };
            let found: Vec<usize> =
                set.named(&id.name).into_iter().filter(|&i| set.get(i).any_id(fits)).collect();
            if found.len() > 1 {
                let message = format!("`{}` names {} objects", var.name.value, found.len());
                let mut d =
                    Diagnostic::error(Code::VarInvalid, message).at(cx.span(var.at), "this var");
                for index in found {
                    d = d.at(cx.span(set.get(index).node().origin()), "one of them");
                }
                return Err(cx.fail(d.help("set the namespace in `objref`")));
            }
            for index in found {
                set.update_content(index, |r| r.var_names.push(var.name.value.clone()));
            }
        }
        vars.iter().try_for_each(|var| self.insert(cx, var))
    }

    /// Adds the vars of a base.
    pub(crate) fn merge(&mut self, cx: &mut Context<'_>, other: &Self) -> Fallible<()> {
        other.0.iter().try_for_each(|var| self.insert(cx, var))
    }

    fn insert(&mut self, cx: &mut Context<'_>, var: &Var) -> Fallible<()> {
        match self.0.binary_search_by(|own| own.name.value.cmp(&var.name.value)) {
            Ok(index) => {
                let message = format!("the var `{}` is defined twice", var.name.value);
                let d = Diagnostic::error(Code::VarInvalid, message)
                    .at(cx.span(var.at), "defined again here")
                    .at(cx.span(self.0[index].at), "first defined here");
                Err(cx.fail(d.help("give one of them another name")))
            }
            Err(index) => {
                self.0.insert(index, var.clone());
                Ok(())
            }
        }
    }
}

/// The value of a var.
#[derive(Clone, Debug, PartialEq)]
enum VarValue {
    Text(EcoString),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A list or a map, which cannot be put into a text.
    Collection,
}

struct Replacement {
    name: EcoString,
    is_used: Cell<bool>,
    value: VarValue,
    at: OriginId,
    from: OriginId,
}

/// Replaces `$(NAME)` in the fields that may hold it.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    vars: &Vars,
    specs: &FieldSpecs,
) -> Fallible<()> {
    let mut values = HashMap::with_capacity(vars.0.len());
    let mut result = Ok(());
    for var in &vars.0 {
        match value_of(cx, set, var) {
            Ok(value) => {
                values.insert(var.name.value.clone(), value);
            }
            Err(reported) => result = Err(reported),
        }
    }
    result?;
    if values.is_empty() {
        return Ok(());
    }
    let step = cx.provenance.step(StepKind::Vars, OriginId::NONE);
    let mut by_type = SpecsByType::new(specs);
    for index in 0..set.len() {
        let gvk = set.get(index).id().gvk.clone();
        let mut recorder = Recorder::new(&mut cx.provenance, step);
        let fault = set.update(index, |resource| {
            let root = resource.node_mut();
            for spec in by_type.of(&gvk) {
                let mut writes = AliasWrites::default();
                let path = &spec.path;
                let visited = visit(root, path, false, Leaf::Found, OriginId::NONE, &mut |node| {
                    replace_in(node, &values, &mut recorder, &mut writes)
                });
                writes.apply(root);
                visited.map_err(|fault| (fault, path.as_str().to_owned()))?;
            }
            Ok(())
        });
        if let Err((fault, path)) = fault {
            return Err(path_fault(cx, fault, &path, &set.get(index).id().clone(), OriginId::NONE));
        }
    }
    let mut unused: Vec<&Replacement> = values.values().filter(|r| !r.is_used.get()).collect();
    unused.sort_by(|a, b| a.name.cmp(&b.name));
    for var in unused {
        let message = format!("the var `{}` is used nowhere", var.name);
        let d = Diagnostic::warning(Code::VarUnused, message).at(cx.span(var.at), "not used");
        cx.warn(d.help("remove it, or name the field that holds `$(NAME)` under `varReference` of a configuration"));
    }
    Ok(())
}

fn value_of(cx: &mut Context<'_>, set: &ResourceSet, var: &Var) -> Result<Replacement, Reported> {
    let name = &var.name.value;
    let Some(resource) = set.iter().find(|r| r.var_names.contains(name)) else {
        let message = format!("the var `{name}` names no object");
        let mut d = Diagnostic::error(Code::VarInvalid, message).at(cx.span(var.at), "this var");
        let of_kind = set.iter().filter(|r| r.id().gvk.kind == var.gvk.kind);
        if let Some(near) = nearest(&var.object_name, of_kind.map(|r| r.id().name.as_str())) {
            d = d.help(format!("there is a {} named `{near}`", var.gvk.kind));
        }
        return Err(cx.fail(d));
    };
    let path = if var.field_path.is_empty() { "metadata.name" } else { var.field_path.as_str() };
    let parts = split_indexes(split_dots(path));
    let found = lookup(resource.node(), &parts).ok().flatten();
    match found.and_then(|node| Some((scalar_value(node)?, node.origin()))) {
        Some((value, from)) => Ok(Replacement {
            name: name.clone(),
            is_used: Cell::new(false),
            value,
            at: var.at,
            from,
        }),
        None => {
            let message = format!("`{}` has no `{path}` for the var `{name}`", resource.id());
            let at = if var.field_path.is_empty() { var.at } else { var.field_path.at };
            let d = Diagnostic::error(Code::VarInvalid, message)
                .at(cx.span(at), "not found")
                .at(cx.span(resource.node().origin()), "in this object");
            Err(cx.fail(d))
        }
    }
}

/// `name[0]` is a field and a position.
fn split_indexes(parts: Vec<String>) -> Vec<String> {
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        let index = part.strip_suffix(']').and_then(|p| p.rsplit_once('['));
        match index {
            Some((name, digits))
                if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) =>
            {
                if !name.is_empty() {
                    out.push(name.to_owned());
                }
                out.push(digits.to_owned());
            }
            _ => out.push(part),
        }
    }
    out
}

fn scalar_value(node: &Node) -> Option<VarValue> {
    if !node.is_scalar() {
        return Some(VarValue::Collection);
    }
    let text = node.text();
    Some(match node.tag() {
        // These are Go's conversions of a text, not YAML's: an octal number is read as decimal.
        Tag::Int => VarValue::Int(super::path::position(text)?),
        Tag::Float => VarValue::Float(text.parse().ok().filter(|f: &f64| f.is_finite())?),
        Tag::Bool => match text {
            "true" | "True" | "TRUE" => VarValue::Bool(true),
            "false" | "False" | "FALSE" => VarValue::Bool(false),
            _ => return None,
        },
        _ => VarValue::Text(node.shared_text()),
    })
}

/// Replaces the vars in a string, or in the strings of a map or list.
fn replace_in(
    node: &mut Node,
    values: &HashMap<EcoString, Replacement>,
    recorder: &mut Recorder<'_>,
    writes: &mut AliasWrites,
) -> Result<(), PathFault> {
    if node.is_null() {
        return Ok(());
    }
    match node.kind() {
        NodeKind::Scalar => {
            replace_scalar(node, values, recorder, writes);
            Ok(())
        }
        NodeKind::Map => {
            for entry in node.entries_mut().into_iter().flatten() {
                if entry.key.kind() != KeyKind::Text {
                    let at = entry.key_origin;
                    return Err(PathFault::Kind {
                        at,
                        found: NodeKind::Scalar,
                        needed: NodeKind::Map,
                    });
                }
                replace_scalar(&mut entry.value, values, recorder, writes);
            }
            Ok(())
        }
        NodeKind::Sequence => {
            for element in node.elements_mut().into_iter().flatten() {
                if !element.is_string() {
                    let (at, found) = (element.origin(), element.kind());
                    return Err(PathFault::Kind { at, found, needed: NodeKind::Scalar });
                }
                replace_scalar(element, values, recorder, writes);
            }
            Ok(())
        }
    }
}

/// Replaces the vars in a string. Even one without any loses its style.
fn replace_scalar(
    node: &mut Node,
    values: &HashMap<EcoString, Replacement>,
    recorder: &mut Recorder<'_>,
    writes: &mut AliasWrites,
) {
    if !node.is_string() {
        return;
    }
    let (text, tag, sources) = expand(node.text(), values);
    let mut origin = node.origin();
    for (index, source) in sources.into_iter().enumerate() {
        recorder.set_at(source.at);
        origin = match index {
            0 => recorder.extend(source.from, node),
            _ => recorder.extend_origin(source.from, origin),
        };
    }
    writes.replace(node, Node::scalar(text, ScalarStyle::Plain, tag, origin));
}

/// Replaces `$(NAME)`; `$$` is a dollar sign, and what is not known stays. A text that is one var takes its type. Returns the
/// vars that were used, too.
fn expand<'v>(
    text: &str,
    values: &'v HashMap<EcoString, Replacement>,
) -> (EcoString, Tag, Vec<&'v Replacement>) {
    let mut out = String::with_capacity(text.len());
    let mut sources = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let after = &rest[dollar + 1..];
        if after.is_empty() {
            break;
        }
        out.push_str(&rest[..dollar]);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
            continue;
        }
        let name = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let Some((name, tail)) = name else {
            // Kustomize goes on by one byte, and so do the characters that follow.
            let step = if after.starts_with('(') {
                1
            } else {
                after.chars().next().map_or(0, char::len_utf8)
            };
            out.push('$');
            out.push_str(&after[..step]);
            rest = &after[step..];
            continue;
        };
        let known = values.get(name).filter(|r| r.value != VarValue::Collection);
        if let Some(found) = known {
            found.is_used.set(true);
            sources.push(found);
            if dollar == 0 && tail.is_empty() && out.is_empty() && rest.len() == text.len() {
                let (text, tag) = typed(&found.value);
                return (text, tag, sources);
            }
            out.push_str(&inside(&found.value));
        } else {
            out.push_str("$(");
            out.push_str(name);
            out.push(')');
        }
        rest = tail;
    }
    out.push_str(rest);
    (out.into(), Tag::Str, sources)
}

fn typed(value: &VarValue) -> (EcoString, Tag) {
    match value {
        VarValue::Text(text) => (text.clone(), Tag::Str),
        VarValue::Int(int) => (int.to_string().into(), Tag::Int),
        VarValue::Bool(value) => (value.to_string().into(), Tag::Bool),
        VarValue::Float(float) => (float.to_string().into(), Tag::Float),
        VarValue::Collection => (EcoString::new(), Tag::Str),
    }
}

fn inside(value: &VarValue) -> EcoString {
    match value {
        VarValue::Float(float) => format_general(*float).into(),
        other => typed(other).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vars_are_replaced_in_texts() {
        let replacement = |value| Replacement {
            name: EcoString::new(),
            is_used: Cell::new(false),
            value,
            at: OriginId::NONE,
            from: OriginId::NONE,
        };
        let values = HashMap::from([
            ("A".into(), replacement(VarValue::Text("x".into()))),
            ("N".into(), replacement(VarValue::Int(7))),
        ]);
        let cases = [
            ("$(A)", "x", Tag::Str),
            ("$(N)", "7", Tag::Int),
            ("a $(A) $(N)", "a x 7", Tag::Str),
            ("$$(A)", "$(A)", Tag::Str),
            ("$(B) $(A", "$(B) $(A", Tag::Str),
            ("$x$", "$x$", Tag::Str),
            ("é$é", "é$é", Tag::Str),
        ];
        for (text, want, tag) in cases {
            let (found, found_tag, _) = expand(text, &values);
            assert_eq!((found.as_str(), found_tag), (want, tag), "{text}");
        }
    }

    #[test]
    fn a_position_may_stand_in_brackets() {
        assert_eq!(
            split_indexes(vec!["a[0]".to_owned(), "[name=x]".to_owned()]),
            ["a", "0", "[name=x]"]
        );
    }
}
