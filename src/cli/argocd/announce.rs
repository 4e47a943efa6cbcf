//! The parameters that Argo CD's user interface offers for an Application.
//!
//! The format is that of `parameters.dynamic` in a `ConfigManagementPlugin`. What is announced is shown and not sent back:
//! an Application sends only what it sets itself.

use std::fmt::Write;

use serde_json::{Map, json};

use super::application::{ENVIRONMENT, SET, VALUES};
use crate::project::Environment;
use crate::values::{Declared, Values};
use crate::yaml::Node;

/// Returns the announcement. `declared`: the values that the project's schema declares; `values`: those that count where
/// nothing is set.
pub(super) fn json(
    environments: &[&str],
    chosen: Option<&Environment>,
    declared: &[Declared],
    values: &Values,
) -> String {
    let mut environment = json!({
        "name": ENVIRONMENT,
        "title": "Environment",
        "tooltip": format!("One of {}", environments.join(", ")),
        "collectionType": "string",
        "required": chosen.is_none(),
    });
    if let Some(chosen) = chosen {
        environment["string"] = chosen.name.clone().into();
    }
    let files = json!({
        "name": VALUES,
        "title": "Files of values",
        "tooltip": "Paths relative to the Application, or to the repository if they begin with /; later ones win",
        "collectionType": "array",
    });
    let leaves = values.leaves();
    let mut defaults = Map::new();
    let mut tooltip = String::from("Values by their paths, as image.tag; they win over files");
    for value in declared.iter().filter(|value| !value.is_secret) {
        let own = leaves.iter().find(|(path, _)| *path == value.path).map(|(_, node)| *node);
        let own = own.filter(|node| !values.secrets.contains(&node.origin())).map(Node::text);
        if let Some(text) = own.or(value.default.as_deref()) {
            defaults.insert(value.path.clone(), text.into());
        }
        if let Some(description) = &value.description {
            let _ = write!(tooltip, "\n{}: {description}", value.path);
        }
    }
    let mut set = json!({
        "name": SET,
        "title": "Values",
        "tooltip": tooltip,
        "collectionType": "map",
    });
    if !defaults.is_empty() {
        set["map"] = defaults.into();
    }
    json!([environment, set, files]).to_string() + "\n"
}
