//! What Argo CD tells a plugin about an Application: variables of the environment and the working directory.
//!
//! The names are those of Argo CD's repo server (`reposerver/repository`), which unpacks the repository into a directory of
//! its own and starts the plugin in the Application's path. Of the repository it may hand over a part only, so that the
//! working directory ends like the path, but not always with all of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use serde_json::Value as Json;

use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::source::clean;

/// The path of the Application in its repository.
pub(super) const SOURCE_PATH: &str = "ARGOCD_APP_SOURCE_PATH";
/// The parameters of the Application, as JSON.
pub(super) const PARAMETERS: &str = "ARGOCD_APP_PARAMETERS";
/// The version of the cluster, as `1.34.2`.
pub(super) const KUBE_VERSION: &str = "KUBE_VERSION";

/// The names of the parameters that kiln takes.
pub(super) const ENVIRONMENT: &str = "env";
pub(super) const VALUES: &str = "values";
pub(super) const SET: &str = "set";

/// What is known of an Application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Application {
    /// How far the files of the Application reach; none if kiln was not started by Argo CD.
    pub(super) root: Option<Root>,
    pub(super) parameters: Parameters,
    pub(super) kube_version: Option<String>,
}

/// The topmost directory that Argo CD has handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    /// Absolute, without symbolic links.
    pub(super) directory: PathBuf,
    /// It is the root of the repository, not a directory below it.
    pub(super) is_whole: bool,
}

/// What an Application sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) environment: Option<String>,
    /// Files of values, relative to the Application's path, or to the root if they begin with `/`.
    pub(super) values: Vec<String>,
    /// Values by their paths.
    pub(super) set: BTreeMap<String, String>,
}

impl Application {
    /// Reads what `variable` returns for the names of variables. `directory`: the working directory, absolute, without
    /// symbolic links.
    pub(super) fn read(
        directory: &Path,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Diagnostic> {
        let text = |name: &str| match variable(name).map(OsString::into_string) {
            Some(Err(_)) => Err(fault(format!("`{name}` is not UTF-8 text"))),
            Some(Ok(text)) => Ok(Some(text)),
            None => Ok(None),
        };
        let root = text(SOURCE_PATH)?.map(|path| root_of(directory, &path)).transpose()?;
        let parameters = text(PARAMETERS)?.map(|text| Parameters::parse(&text)).transpose()?;
        let kube_version = text(KUBE_VERSION)?.filter(|version| !version.is_empty());
        Ok(Self { root, parameters: parameters.unwrap_or_default(), kube_version })
    }
}

fn fault(message: String) -> Diagnostic {
    Diagnostic::error(Code::ArgocdParameters, message)
}

/// Takes the path of the Application off the end of the working directory, as far as the two are the same.
fn root_of(directory: &Path, source: &str) -> Result<Root, Diagnostic> {
    let path = clean(Path::new(source));
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            _ => {
                let message =
                    format!("the path of the Application, `{source}`, leads out of its repository");
                return Err(fault(message).help("`source.path` is relative to the repository"));
            }
        }
    }
    let mut root = directory;
    let mut is_whole = true;
    for name in parts.into_iter().rev() {
        if root.file_name() != Some(name) {
            is_whole = false;
            break;
        }
        root = root.parent().unwrap_or(root);
    }
    Ok(Root { directory: root.to_path_buf(), is_whole })
}

impl Parameters {
    /// Reads the JSON that Argo CD makes of `source.plugin.parameters`: a list of objects with a name and one of `string`,
    /// `array` and `map`. Nothing that a parameter holds is repeated in a message: it may be secret.
    fn parse(text: &str) -> Result<Self, Diagnostic> {
        let mut parameters = Self::default();
        if text.trim().is_empty() {
            return Ok(parameters);
        }
        let json: Json = serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            fault(format!("`{PARAMETERS}` is not JSON: it breaks off or is wrong at {place}"))
        })?;
        let entries = match &json {
            // What Go writes for a list that was never made.
            Json::Null => return Ok(parameters),
            Json::Array(entries) => entries,
            _ => return Err(fault(format!("`{PARAMETERS}` is not a list of parameters"))),
        };
        let mut seen: Vec<&str> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let Some(name) = entry.get("name").and_then(Json::as_str) else {
                return Err(fault(format!("parameter {index} has no name")));
            };
            if seen.contains(&name) {
                return Err(fault(format!("the parameter `{name}` is set twice")));
            }
            seen.push(name);
            match name {
                ENVIRONMENT => parameters.environment = Some(environment(entry)?),
                VALUES => parameters.values = values(entry)?,
                SET => parameters.set = set(entry)?,
                _ => return Err(unknown(name)),
            }
        }
        Ok(parameters)
    }
}

fn unknown(name: &str) -> Diagnostic {
    let known = [ENVIRONMENT, VALUES, SET];
    let near = nearest(name, known).map(|near| format!("did you mean `{near}`? "));
    let help = format!(
        "{}the parameters are `{ENVIRONMENT}` (string), `{VALUES}` (array) and `{SET}` (map)",
        near.unwrap_or_default()
    );
    fault(format!("kiln has no parameter `{name}`")).help(help)
}

/// Returns what a parameter holds in the field of its type. Argo CD leaves the other fields out.
fn member<'j>(entry: &'j Json, name: &str, field: &str) -> Result<&'j Json, Diagnostic> {
    let is_set = |field: &str| entry.get(field).is_some_and(|value| !value.is_null());
    let other = ["string", "array", "map"].into_iter().find(|f| *f != field && is_set(f));
    match (entry.get(field).filter(|value| !value.is_null()), other) {
        (Some(value), None) => Ok(value),
        (_, Some(other)) => {
            let message = format!("the parameter `{name}` is of the type `{field}`, not `{other}`");
            Err(fault(message).help(format!("write it as `{field}:` in the Application")))
        }
        (None, None) => Err(fault(format!("the parameter `{name}` has no `{field}`"))),
    }
}

fn environment(entry: &Json) -> Result<String, Diagnostic> {
    match member(entry, ENVIRONMENT, "string")?.as_str() {
        Some("") => {
            let message = format!("the parameter `{ENVIRONMENT}` is empty");
            Err(fault(message).help(
                "name an environment, or remove the parameter to take the one at the Application's path",
            ))
        }
        Some(name) => Ok(name.to_owned()),
        None => Err(fault(format!("the parameter `{ENVIRONMENT}` is not a string"))),
    }
}

fn values(entry: &Json) -> Result<Vec<String>, Diagnostic> {
    let files = member(entry, VALUES, "array")?.as_array();
    let files = files.map(|files| files.iter().map(Json::as_str).collect::<Option<Vec<_>>>());
    match files.flatten() {
        Some(files) if files.contains(&"") => {
            Err(fault(format!("the parameter `{VALUES}` names a file with an empty name")))
        }
        Some(files) => Ok(files.into_iter().map(str::to_owned).collect()),
        None => Err(fault(format!("the parameter `{VALUES}` is not a list of files"))),
    }
}

fn set(entry: &Json) -> Result<BTreeMap<String, String>, Diagnostic> {
    let Some(map) = member(entry, SET, "map")?.as_object() else {
        return Err(fault(format!("the parameter `{SET}` is not a map")));
    };
    let mut out = BTreeMap::new();
    for (path, value) in map {
        let Some(value) = value.as_str() else {
            let message = format!("`{path}` of the parameter `{SET}` is not a string");
            return Err(
                fault(message).help("a map of an Application holds strings: put it in quotes")
            );
        };
        if path.contains('=') {
            return Err(fault(format!("`{path}` of the parameter `{SET}` is no path as `a.b[0]`")));
        }
        out.insert(path.clone(), value.to_owned());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Parameters::parse(text).expect_err("it is refused").message
    }

    #[test]
    fn parameters_are_read_as_argo_cd_writes_them() {
        for text in ["", "null", "[]"] {
            assert_eq!(Parameters::parse(text).unwrap(), Parameters::default(), "{text}");
        }
        let text = r#"[{"name":"env","string":"prod"},
            {"name":"values","array":["values/blue.yaml","/shared.yaml"]},
            {"name":"set","map":{"image.tag":"1.10","replicas":"3"}}]"#;
        let parameters = Parameters::parse(text).unwrap();
        assert_eq!(parameters.environment.as_deref(), Some("prod"));
        assert_eq!(parameters.values, ["values/blue.yaml", "/shared.yaml"]);
        let set: Vec<_> = parameters.set.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(set, [("image.tag", "1.10"), ("replicas", "3")]);
    }

    #[test]
    fn bad_parameters_are_refused_without_their_content() {
        assert_eq!(
            message(r#"[{"name":"env","string":"hunter2"#),
            "`ARGOCD_APP_PARAMETERS` is not JSON: it breaks off or is wrong at line 1, column 32"
        );
        for (text, want) in [
            (r#"{"env":"hunter2"}"#, "`ARGOCD_APP_PARAMETERS` is not a list of parameters"),
            (r#"["hunter2"]"#, "parameter 0 has no name"),
            (r#"[{"name":"environment","string":"x"}]"#, "kiln has no parameter `environment`"),
            (r#"[{"name":"env"}]"#, "the parameter `env` has no `string`"),
            (r#"[{"name":"env","string":""}]"#, "the parameter `env` is empty"),
            (r#"[{"name":"env","string":1}]"#, "the parameter `env` is not a string"),
            (
                r#"[{"name":"env","array":["prod"]}]"#,
                "the parameter `env` is of the type `string`, not `array`",
            ),
            (
                r#"[{"name":"env","string":"a"},{"name":"env","string":"b"}]"#,
                "the parameter `env` is set twice",
            ),
            (r#"[{"name":"values","array":[1]}]"#, "the parameter `values` is not a list of files"),
            (r#"[{"name":"set","map":{"a":1}}]"#, "`a` of the parameter `set` is not a string"),
            (
                r#"[{"name":"set","map":{"a=b":"hunter2"}}]"#,
                "`a=b` of the parameter `set` is no path as `a.b[0]`",
            ),
        ] {
            assert_eq!(message(text), want);
            assert!(!message(text).contains("hunter2"));
        }
    }

    #[test]
    fn the_root_is_the_directory_without_the_path() {
        let root = |directory: &str, path: &str| {
            let root = root_of(Path::new(directory), path).unwrap();
            (root.directory.display().to_string(), root.is_whole)
        };
        let whole = |text: &str| (text.to_owned(), true);
        assert_eq!(root("/tmp/1/k8s/prod", "k8s/prod"), whole("/tmp/1"));
        assert_eq!(root("/tmp/1/k8s/prod", "./k8s//prod/"), whole("/tmp/1"));
        assert_eq!(root("/tmp/1", "."), whole("/tmp/1"));
        assert_eq!(root("/tmp/1", ""), whole("/tmp/1"));
        // A part of the repository was handed over.
        assert_eq!(root("/tmp/1/prod", "k8s/prod"), ("/tmp/1".to_owned(), false));
        assert_eq!(root("/tmp/1", "k8s/prod"), ("/tmp/1".to_owned(), false));
        for path in ["/etc", "..", "../x", "a/../../x"] {
            assert!(root_of(Path::new("/tmp/1/x"), path).is_err(), "{path}");
        }
    }
}
