//! Paths of fields, as people write them: `spec.containers[name=api].image`.

use std::fmt;

use ecow::EcoString;

/// A step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// The value of a key.
    Key(EcoString),
    /// The element at a position, from 0.
    Index(usize),
    /// The element whose fields have these values, by the names of the fields. An empty name stands for the element itself.
    Element(Vec<(EcoString, EcoString)>),
}

/// The path of a field from the root of an object; empty for the object itself.
///
/// A key with a dot, a bracket or a blank stands in brackets: `metadata.labels[app.kubernetes.io/name]`. An element is
/// named by its position, `[0]`, or by fields of it, `[name=api]`, `[containerPort=80,protocol=TCP]`; one that is no map by
/// itself, `[=value]`. The forms of kustomize are read too: `containers.[name=api]`, `containers.0`, and a backslash before
/// a dot that belongs to a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ValuePath(pub Vec<PathStep>);

/// A text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A bracket is not closed.
    #[error("`{0}` has a bracket that is not closed")]
    Open(String),
    /// A step has no name.
    #[error("`{0}` has an empty step")]
    Empty(String),
}

impl ValuePath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut steps = Vec::new();
        let mut key = EcoString::new();
        let mut is_open = false;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                '\\' => {
                    let escaped = rest.chars().next().unwrap_or(character);
                    rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                    key.push(escaped);
                }
                '.' => {
                    if key.is_empty()
                        && !matches!(text[..text.len() - rest.len() - 1].chars().last(), Some(']'))
                    {
                        return Err(PathError::Empty(text.to_owned()));
                    }
                    push_key(&mut steps, &mut key);
                    is_open = true;
                }
                '[' => {
                    push_key(&mut steps, &mut key);
                    let Some((inside, behind)) = rest.split_once(']') else {
                        return Err(PathError::Open(text.to_owned()));
                    };
                    steps.push(in_brackets(inside));
                    rest = behind;
                    is_open = false;
                }
                _ => {
                    key.push(character);
                    is_open = false;
                }
            }
        }
        push_key(&mut steps, &mut key);
        if is_open { Err(PathError::Empty(text.to_owned())) } else { Ok(Self(steps)) }
    }

    /// Returns the path of what a step leads to.
    #[must_use]
    pub fn join(&self, step: PathStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

fn push_key(steps: &mut Vec<PathStep>, key: &mut EcoString) {
    if !key.is_empty() {
        steps.push(PathStep::Key(std::mem::take(key)));
    }
}

fn in_brackets(inside: &str) -> PathStep {
    if let Ok(index) = inside.parse() {
        return PathStep::Index(index);
    }
    if !inside.contains('=') {
        return PathStep::Key(inside.trim_matches('"').into());
    }
    let mut fields: Vec<(EcoString, EcoString)> = Vec::new();
    for part in inside.split(',') {
        match (part.split_once('='), fields.last_mut()) {
            (Some((name, value)), _) => fields.push((name.into(), value.into())),
            // A comma inside a value.
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(part);
            }
            (None, None) => fields.push((EcoString::new(), part.into())),
        }
    }
    PathStep::Element(fields)
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Key(key) if is_plain(key) => {
                    f.write_str(if index == 0 { "" } else { "." })?;
                    f.write_str(key)?;
                }
                PathStep::Key(key) => write!(f, "[{key}]")?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Element(fields) => {
                    let fields: Vec<String> =
                        fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    write!(f, "[{}]", fields.join(","))?;
                }
            }
        }
        Ok(())
    }
}

/// Returns whether a key can stand between dots.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && !key.contains(['.', '[', ']', ' ', '\\', '='])
        && key.parse::<usize>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> PathStep {
        PathStep::Key(text.into())
    }

    fn element(name: &str, value: &str) -> PathStep {
        PathStep::Element(vec![(name.into(), value.into())])
    }

    #[test]
    fn paths_are_read_in_every_form() {
        let cases = [
            ("spec.replicas", vec![key("spec"), key("replicas")]),
            ("a[0].b", vec![key("a"), PathStep::Index(0), key("b")]),
            ("a[0][1]", vec![key("a"), PathStep::Index(0), PathStep::Index(1)]),
            ("c[name=api].image", vec![key("c"), element("name", "api"), key("image")]),
            ("c.[name=api].image", vec![key("c"), element("name", "api"), key("image")]),
            ("labels[app.kubernetes.io/name]", vec![key("labels"), key("app.kubernetes.io/name")]),
            (
                r"labels.app\.kubernetes\.io/name",
                vec![key("labels"), key("app.kubernetes.io/name")],
            ),
            ("data[a.b].c", vec![key("data"), key("a.b"), key("c")]),
            ("l[=x]", vec![key("l"), element("", "x")]),
            ("[a.b]", vec![key("a.b")]),
            ("args[name=a,b]", vec![key("args"), element("name", "a,b")]),
            (
                "p[containerPort=80,protocol=TCP]",
                vec![
                    key("p"),
                    PathStep::Element(vec![
                        ("containerPort".into(), "80".into()),
                        ("protocol".into(), "TCP".into()),
                    ]),
                ],
            ),
            ("", vec![]),
        ];
        for (text, want) in cases {
            assert_eq!(ValuePath::parse(text), Ok(ValuePath(want)), "{text}");
        }
        for bad in [".", "a.", ".a.", "a..b", "a[b", "a[0]..b"] {
            assert!(ValuePath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_that_is_printed_is_read_back() {
        for text in [
            "spec.containers[name=api].image",
            "metadata.labels[app.kubernetes.io/name]",
            "[a.b].c[0][=x]",
            "data[a.b]",
        ] {
            assert_eq!(ValuePath::parse(text).unwrap().to_string(), text);
        }
    }
}
