//! `edit fix`: fields that are deprecated or missing.

use super::metadata::fix_common_labels;
use super::tree::{
    elements, elements_mut, field, map_mut, position, remove, set, set_text, string, text,
};
use super::{Edit, EditError};
use crate::provenance::OriginId;
use crate::yaml::{Entry, Key, Node};

/// What a fix needs to know.
pub(crate) struct Fix<'f> {
    /// Returns whether a path, as the kustomization writes it, is that of a file.
    pub(crate) is_file: &'f dyn Fn(&str) -> bool,
}

/// Gives a field another name and leaves it where it is.
pub(super) fn rename(map: &mut Node, old: &str, new: &str) {
    let Some(index) = position(map, old) else { return };
    if let Some(entries) = map.entries_mut() {
        entries[index].key = Key::text_key(new);
        let name = entries[index].key;
        let mut at = 0;
        entries.retain(|entry| {
            at += 1;
            at - 1 == index || !(entry.key.text().eq_ignore_ascii_case(old) && entry.key != name)
        });
    }
}

/// Adds `apiVersion` and `kind` to the beginning where they are missing.
pub(super) fn add_type(root: &mut Node) {
    let kind = text(root, "kind").into_owned();
    let version = if kind == "Component" {
        "kustomize.config.k8s.io/v1alpha1"
    } else {
        "kustomize.config.k8s.io/v1beta1"
    };
    let insert = |root: &mut Node, at: usize, name: &str, value: &str| {
        remove(root, name);
        let (key, value) = (Key::text_key(name), string(value));
        let entry = Entry { key, key_origin: OriginId::NONE, value };
        if let Some(entries) = root.entries_mut() {
            entries.insert(at.min(entries.len()), entry);
        }
    };
    if text(root, "apiVersion").is_empty() {
        insert(root, 0, "apiVersion", version);
    }
    if kind.is_empty() {
        let behind = position(root, "apiVersion").map_or(0, |index| index + 1);
        insert(root, behind, "kind", "Kustomization");
    }
}

impl Edit {
    /// Puts the fields of today in the place of those that are deprecated.
    pub(crate) fn fix(&mut self, fix: &Fix<'_>) -> Result<(), EditError> {
        self.fold_list("bases", "resources");
        self.fold_list("imageTags", "images");
        self.fix_env_files();
        self.fix_charts();
        self.fix_patches(fix.is_file);
        fix_common_labels(&mut self.root)?;
        add_type(&mut self.root);
        Ok(())
    }

    /// Moves `helmChartInflationGenerator` to `helmCharts` and `helmGlobals`.
    fn fix_charts(&mut self) {
        const OLD: &str = "helmChartInflationGenerator";
        const NAMES: [(&str, &str); 7] = [
            ("chartName", "name"),
            ("chartVersion", "version"),
            ("chartRepoUrl", "repo"),
            ("values", "valuesFile"),
            ("valuesLocal", "valuesInline"),
            ("valuesMerge", "valuesMerge"),
            ("releaseName", "releaseName"),
        ];
        if elements(&self.root, OLD).is_empty() {
            return remove(&mut self.root, OLD);
        }
        let (mut chart_home, mut config_home) = (String::new(), String::new());
        let mut lost = Vec::new();
        for chart in elements_mut(&mut self.root, OLD) {
            for (old, home) in [("chartHome", &mut chart_home), ("helmHome", &mut config_home)] {
                let own = text(chart, old).into_owned();
                if !own.is_empty() {
                    *home = own;
                }
                remove(chart, old);
            }
            for (old, new) in NAMES {
                rename(chart, old, new);
            }
            let name = text(chart, "name").into_owned();
            let entries = chart.entries().unwrap_or_default();
            let gone: Vec<String> = entries
                .iter()
                .map(|entry| entry.key.text().to_owned())
                .filter(|key| !NAMES.iter().any(|(_, new)| new == key))
                .collect();
            for key in gone {
                lost.push(format!("chart {name} loses {key}, which has no successor"));
                remove(chart, &key);
            }
        }
        for message in lost {
            self.notice(message);
        }
        self.fold_list(OLD, "helmCharts");
        let has_globals = field(&self.root, "helmGlobals").is_some();
        let is_set = !chart_home.is_empty() || !config_home.is_empty();
        if is_set && !has_globals {
            let globals = map_mut(&mut self.root, "helmGlobals");
            set_text(globals, "chartHome", &chart_home);
            set_text(globals, "configHome", &config_home);
        }
    }

    /// Puts replacements in the place of vars.
    pub(crate) fn replace_vars(&mut self, replacements: Vec<Node>) {
        const OLD: &str = "vars";
        const NEW: &str = "replacements";
        if replacements.is_empty() {
            return remove(&mut self.root, OLD);
        }
        if elements(&self.root, NEW).is_empty() {
            let at = field(&self.root, OLD).map_or(OriginId::NONE, Node::origin);
            remove(&mut self.root, NEW);
            rename(&mut self.root, OLD, NEW);
            // They stand where the vars stood.
            return set(&mut self.root, NEW, Node::sequence(replacements, at));
        }
        remove(&mut self.root, OLD);
        elements_mut(&mut self.root, NEW).extend(replacements);
    }
}
