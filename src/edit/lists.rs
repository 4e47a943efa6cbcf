//! Fields that are lists of strings: resources, components, generators, transformers and options of `buildMetadata`.

use super::path_match::path_match;
use super::tree::{
    elements, elements_mut, list, remove, remove_if_empty, set, string, text_of, texts,
};
use super::{Edit, EditError};
use crate::yaml::Node;

/// A field that is a list of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StringList {
    Resources,
    Components,
    Generators,
    Transformers,
}

impl StringList {
    /// The field, and the old one whose elements follow those of the field.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Resources => &["resources", "bases"],
            Self::Components => &["components"],
            Self::Generators => &["generators"],
            Self::Transformers => &["transformers"],
        }
    }

    /// What one element is called.
    fn element(self) -> &'static str {
        match self {
            Self::Resources => "resource",
            Self::Components => "component",
            Self::Generators => "generator",
            Self::Transformers => "transformer",
        }
    }
}

impl Edit {
    fn contains(&self, list: StringList, entry: &str) -> bool {
        list.fields().iter().any(|field| texts(&self.root, field).iter().any(|t| t == entry))
    }

    /// Adds entries that are not there yet.
    pub(crate) fn add_to_list(&mut self, list: StringList, entries: &[String]) {
        let fields = list.fields();
        let mut known: std::collections::HashSet<String> = fields
            .iter()
            .flat_map(|field| texts(&self.root, field))
            .map(std::borrow::Cow::into_owned)
            .collect();
        for entry in entries {
            if !known.insert(entry.clone()) {
                let what = list.element();
                self.notice(format!("{what} {entry} already in kustomization file"));
                continue;
            }
            elements_mut(&mut self.root, fields[0]).push(string(entry));
        }
    }

    /// Adds directories to `resources`; one that is there already is an error.
    pub(crate) fn add_base(&mut self, entry: &str) -> Result<(), EditError> {
        if self.contains(StringList::Resources, entry) {
            return Err(EditError::refused(format!("base {entry} already in kustomization file")));
        }
        elements_mut(&mut self.root, "resources").push(string(entry));
        Ok(())
    }

    /// Removes the entries that fit any of some patterns.
    pub(crate) fn remove_from_list(
        &mut self,
        list: StringList,
        patterns: &[String],
    ) -> Result<(), EditError> {
        for field in list.fields() {
            let mut goes = Vec::new();
            for element in elements(&self.root, field) {
                let entry = text_of(element);
                let mut fits = false;
                for pattern in patterns {
                    let matched = path_match(pattern, &entry);
                    fits |= matched.ok_or_else(|| EditError::usage("syntax error in pattern"))?;
                }
                goes.push(fits);
            }
            if goes.contains(&true) {
                let mut goes = goes.into_iter();
                elements_mut(&mut self.root, field).retain(|_| !goes.next().unwrap_or(false));
                remove_if_empty(&mut self.root, field);
            }
        }
        Ok(())
    }

    /// Sets the options of `buildMetadata`. Those that stay keep their lines.
    pub(crate) fn set_build_metadata(&mut self, options: &[String]) {
        let old: Vec<Node> = elements(&self.root, BUILD_METADATA).to_vec();
        let mut old: Vec<Option<Node>> = old.into_iter().map(Some).collect();
        let mut take = |option: &String| {
            let is_it = |node: &&mut Option<Node>| {
                node.as_ref().is_some_and(|node| text_of(node) == option.as_str())
            };
            old.iter_mut().find(is_it).and_then(Option::take).unwrap_or_else(|| string(option))
        };
        let new: Vec<Node> = options.iter().map(&mut take).collect();
        if elements(&self.root, BUILD_METADATA).is_empty() {
            set(&mut self.root, BUILD_METADATA, list(new));
        } else {
            *elements_mut(&mut self.root, BUILD_METADATA) = new;
        }
    }

    /// Adds options to `buildMetadata`; one that is there already is an error.
    pub(crate) fn add_build_metadata(&mut self, options: &[String]) -> Result<(), EditError> {
        for option in options {
            if texts(&self.root, BUILD_METADATA).iter().any(|known| known == option) {
                let message =
                    format!("buildMetadata option {option} already in kustomization file");
                return Err(EditError::refused(message));
            }
            elements_mut(&mut self.root, BUILD_METADATA).push(string(option));
        }
        Ok(())
    }

    /// Removes options from `buildMetadata`.
    pub(crate) fn remove_build_metadata(&mut self, options: &[String]) {
        if elements(&self.root, BUILD_METADATA).is_empty() {
            return remove(&mut self.root, BUILD_METADATA);
        }
        elements_mut(&mut self.root, BUILD_METADATA)
            .retain(|node| !options.iter().any(|option| text_of(node) == option.as_str()));
        remove_if_empty(&mut self.root, BUILD_METADATA);
    }
}

const BUILD_METADATA: &str = "buildMetadata";

/// Reads comma-separated options of `buildMetadata`.
pub(crate) fn parse_build_metadata(arguments: &[String]) -> Result<Vec<String>, EditError> {
    let options = match arguments {
        [] => return Err(EditError::usage("must specify a buildMetadata option")),
        [options] => options.split(',').map(str::to_owned).collect::<Vec<_>>(),
        _ => {
            return Err(EditError::usage(format!(
                "too many arguments: [{}]; to provide multiple buildMetadata options, please separate options by comma",
                arguments.join(" ")
            )));
        }
    };
    let known = ["originAnnotations", "transformerAnnotations", "managedByLabel"];
    match options.iter().find(|option| !known.contains(&option.as_str())) {
        Some(option) => Err(EditError::usage(format!("invalid buildMetadata option: {option}"))),
        None => Ok(options),
    }
}
