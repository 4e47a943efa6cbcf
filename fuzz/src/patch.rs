//! A digit, resources, a line `====`, and a patch: the patch is applied or refused, and the output is built to itself.
//!
//! The digit chooses how the kustomization names the patch, and what it allows.

use crate::project::Project;

/// Returns the project of an input; none if a part is missing.
pub fn project(text: &str) -> Option<Project> {
    let mode = text.bytes().next().filter(u8::is_ascii)?;
    let (resources, patch) = text[1..].split_once("\n====\n")?;
    let patches = match mode % 8 {
        0 => "patches: [{path: patch.yaml}]".to_owned(),
        1 => "patches: [{path: patch.yaml, target: {kind: .*}}]".to_owned(),
        2 => format!("patches: [{{patch: {}}}]", quoted(patch)),
        3 => format!("patches: [{{patch: {}, target: {{name: .*}}}}]", quoted(patch)),
        4 => "patchesStrategicMerge: [patch.yaml]".to_owned(),
        5 => "patchesJson6902: [{path: patch.yaml, target: {version: v1, kind: A, name: a}}]"
            .to_owned(),
        6 => {
            "patches: [{path: patch.yaml, options: {allowNameChange: true, allowKindChange: true}}]"
                .to_owned()
        }
        _ => "patches: [{path: patch.yaml, target: {kind: A}, options: {allowNameChange: true}}]"
            .to_owned(),
    };
    let mut project = Project::default();
    project.insert("kustomization.yaml", format!("resources: [resources.yaml]\n{patches}\n"));
    project.insert("resources.yaml", resources);
    project.insert("patch.yaml", patch);
    Some(project)
}

/// Applies one patch.
pub fn run(text: &str) {
    if let Some(project) = project(text) {
        project.build_stable();
    }
}

/// Returns a text as a double-quoted scalar.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            ' '..='~' if !matches!(character, '"' | '\\') => out.push(character),
            _ => out.push_str(&format!("\\U{:08x}", character as u32)),
        }
    }
    out.push('"');
    out
}
