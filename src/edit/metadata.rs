//! `edit set|add|remove label` and `annotation`.

use super::tree::{
    elements, elements_mut, field, is_on, map_mut, position, push, remove, remove_if_empty, set,
    string, text, yes,
};
use super::{Edit, EditError};
use crate::yaml::Node;

/// Labels or annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetadataKind {
    Label,
    Annotation,
}

impl MetadataKind {
    fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Annotation => "annotation",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Label => "commonLabels",
            Self::Annotation => "commonAnnotations",
        }
    }
}

/// Whether a key may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwrite {
    Allowed,
    Refused,
}

/// Which field new labels go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabelForm {
    /// `commonLabels`: selectors get them too.
    Common,
    /// `labels`: objects get them.
    WithoutSelectors,
    /// `labels`: objects and the templates of pods get them.
    WithTemplates,
}

/// Reads `key:value`, where a key alone has an empty value. Of several with one key, the last counts.
pub(crate) fn parse_metadata(
    arguments: &[String],
    kind: MetadataKind,
) -> Result<Vec<(String, String)>, EditError> {
    if arguments.is_empty() {
        return Err(EditError::usage(format!("must specify {}", kind.name())));
    }
    parse_pairs_of(arguments.iter().map(String::as_str), kind)
}

pub(super) fn parse_pairs_of<'a>(
    arguments: impl Iterator<Item = &'a str>,
    kind: MetadataKind,
) -> Result<Vec<(String, String)>, EditError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for argument in arguments {
        let (key, value) = argument.split_once(':').unwrap_or((argument, ""));
        if key.is_empty() && argument.starts_with(':') {
            let kind = kind.name();
            let message =
                format!("invalid {kind}: '{argument}' (need k:v pair where v may be quoted)");
            return Err(EditError::usage(message));
        }
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        match pairs.iter_mut().find(|(known, _)| known == key) {
            Some(pair) => value.clone_into(&mut pair.1),
            None => pairs.push((key.to_owned(), value.to_owned())),
        }
    }
    Ok(pairs)
}

/// Returns whether a text can be the key of an annotation; kustomize asks only where one is set.
fn is_annotation_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let fits = |text: &str, most: usize, more: &[u8], first: fn(&u8) -> bool| {
        let bytes = text.as_bytes();
        let (Some(start), Some(end)) = (bytes.first(), bytes.last()) else { return false };
        bytes.len() <= most
            && first(start)
            && end.is_ascii_alphanumeric()
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || more.contains(b))
    };
    prefix.is_none_or(|prefix| fits(prefix, 253, b"-.", u8::is_ascii_alphabetic))
        && fits(name, 63, b"-_.", u8::is_ascii_alphanumeric)
}

/// Checks the keys of `edit set`.
pub(crate) fn check_set(kind: MetadataKind, pairs: &[(String, String)]) -> Result<(), EditError> {
    if kind == MetadataKind::Annotation && !pairs.iter().all(|(key, _)| is_annotation_key(key)) {
        return Err(EditError::usage(
            "invalid annotation key: see the syntax and character set rules at https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/",
        ));
    }
    Ok(())
}

impl Edit {
    /// Adds labels or annotations to `commonLabels` or `commonAnnotations`.
    pub(crate) fn add_metadata(
        &mut self,
        kind: MetadataKind,
        pairs: &[(String, String)],
        overwrite: Overwrite,
    ) -> Result<(), EditError> {
        let map = map_mut(&mut self.root, kind.field());
        add_pairs(map, kind, pairs.iter(), overwrite)
    }

    /// Adds labels.
    pub(crate) fn add_labels(
        &mut self,
        pairs: &[(String, String)],
        overwrite: Overwrite,
        form: LabelForm,
    ) -> Result<(), EditError> {
        let templates = match form {
            LabelForm::Common => return self.add_metadata(MetadataKind::Label, pairs, overwrite),
            LabelForm::WithoutSelectors => false,
            LabelForm::WithTemplates => true,
        };
        let fits = |entry: &Node| {
            !is_on(entry, "includeSelectors") && is_on(entry, "includeTemplates") == templates
        };
        let found = elements(&self.root, "labels").iter().position(fits);
        let labels = elements_mut(&mut self.root, "labels");
        let entry = match found {
            Some(index) => &mut labels[index],
            None => {
                let mut entry = Node::default();
                push(&mut entry, "pairs", Node::default());
                if templates {
                    push(&mut entry, "includeTemplates", yes());
                }
                labels.push(entry);
                let last = labels.len() - 1;
                &mut labels[last]
            }
        };
        add_pairs(map_mut(entry, "pairs"), MetadataKind::Label, pairs.iter(), overwrite)
    }

    /// Removes keys from `commonLabels` or `commonAnnotations`.
    pub(crate) fn remove_metadata(
        &mut self,
        kind: MetadataKind,
        keys: &[String],
        ignores_missing: bool,
    ) -> Result<(), EditError> {
        let name = kind.field();
        if field(&self.root, name).is_none() {
            if ignores_missing {
                return Ok(());
            }
            return Err(EditError::refused(format!("{name} is not defined in kustomization file")));
        }
        let map = map_mut(&mut self.root, name);
        for key in keys {
            let is_there = map.entries().is_some_and(|e| e.iter().any(|e| e.key.text() == key));
            if !is_there && !ignores_missing {
                let kind = kind.name();
                return Err(EditError::refused(format!(
                    "{kind} {key} is not defined in kustomization file"
                )));
            }
            if let Some(entries) = map.entries_mut() {
                entries.retain(|entry| entry.key.text() != key);
            }
        }
        remove_if_empty(&mut self.root, name);
        Ok(())
    }
}

/// Reads the comma-separated keys of `edit remove label` and `annotation`. Errors speak of labels in both, as kustomize's do.
pub(crate) fn parse_keys(arguments: &[String]) -> Result<Vec<String>, EditError> {
    match arguments {
        [] => Err(EditError::usage("must specify label")),
        [keys] => {
            let keys: Vec<String> = keys.split(',').map(str::to_owned).collect();
            if keys.iter().any(String::is_empty) {
                return Err(EditError::usage("invalid label: '' (name is empty)"));
            }
            Ok(keys)
        }
        _ => Err(EditError::usage("labels must be comma-separated, with no spaces")),
    }
}

fn add_pairs<'p>(
    map: &mut Node,
    kind: MetadataKind,
    pairs: impl Iterator<Item = &'p (String, String)>,
    overwrite: Overwrite,
) -> Result<(), EditError> {
    for (key, value) in pairs {
        // Keys of labels are no fields: their case counts.
        let entries = map.entries_mut().expect("labels and annotations are maps");
        match entries.iter_mut().rev().find(|entry| entry.key.text() == key) {
            Some(_) if overwrite == Overwrite::Refused => {
                return Err(EditError::refused(format!(
                    "{} {key} already in kustomization file. Use --force to override.",
                    kind.name()
                )));
            }
            Some(entry) if super::tree::text_of(&entry.value) == value.as_str() => {}
            Some(entry) => entry.value = string(value),
            None => push(map, key, string(value)),
        }
    }
    Ok(())
}

/// Moves `commonLabels` to `labels`.
pub(super) fn fix_common_labels(root: &mut Node) -> Result<(), EditError> {
    const OLD: &str = "commonLabels";
    let Some(pairs) = field(root, OLD).cloned() else {
        remove(root, OLD);
        return Ok(());
    };
    if pairs.is_empty() {
        remove(root, OLD);
        return Ok(());
    }
    for entry in elements(root, "labels") {
        for pair in field(entry, "pairs").and_then(Node::entries).into_iter().flatten() {
            let name = pair.key.text();
            if pairs.entries().is_some_and(|own| own.iter().any(|own| own.key.text() == name)) {
                return Err(EditError::refused(format!(
                    "label name '{name}' exists in both commonLabels and labels"
                )));
            }
        }
    }
    let mut entry = Node::map(Vec::new(), pairs.origin());
    push(&mut entry, "includeSelectors", yes());
    push(&mut entry, "pairs", pairs.clone());
    if elements(root, "labels").is_empty() {
        remove(root, "labels");
        super::fix::rename(root, OLD, "labels");
        // The list stands where the map stood.
        set(root, "labels", Node::sequence(vec![entry], pairs.origin()));
    } else {
        remove(root, OLD);
        elements_mut(root, "labels").push(entry);
    }
    debug_assert!(position(root, OLD).is_none() && text(root, OLD).is_empty());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_at_the_first_colon() {
        let parse = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
            parse_metadata(&arguments, MetadataKind::Label)
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            parse(&["a:b:c", "d", "e:\"f\""]),
            Ok(vec![pair("a", "b:c"), pair("d", ""), pair("e", "f")])
        );
        assert_eq!(parse(&["a:b,c:d"]), Ok(vec![pair("a", "b,c:d")]));
        assert_eq!(parse(&["a:1", "b:2", "a:3"]), Ok(vec![pair("a", "3"), pair("b", "2")]));
        assert!(parse(&[":b"]).is_err() && parse(&[]).is_err());
    }

    #[test]
    fn keys_of_annotations_have_a_form() {
        for key in ["a", "a.b/c_d", "1", "A-b"] {
            assert!(is_annotation_key(key), "{key}");
        }
        for key in ["", "a/", "/a", "a b", "-a", "a-", "1a/b", "a/b/c", &"x".repeat(64)] {
            assert!(!is_annotation_key(key), "{key}");
        }
    }
}
