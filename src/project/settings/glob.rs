//! Patterns of paths, and names with captures.

use std::collections::BTreeMap;

/// A pattern of a path: `*` stands for any characters but `/`, `**` for any directories, `?` for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Vec<String>);

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        Self(pattern.split('/').map(str::to_owned).collect())
    }

    /// Returns whether a relative path, with `/` between its parts, fits.
    pub(crate) fn is_match(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        parts_match(&self.0, &parts)
    }
}

fn parts_match(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            (0..=path.len()).any(|skipped| parts_match(rest, &path[skipped..]))
        }
        (Some((first, rest)), Some((part, others))) => {
            part_matches(first.as_bytes(), part.as_bytes()) && parts_match(rest, others)
        }
        _ => false,
    }
}

/// Compares with at most one way back, so that the cost is bounded by the product of both lengths.
fn part_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => (p, t) = (p + 1, t + 1),
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// A part of a name or of a path: literal text, or a capture `{name}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Text(String),
    Capture(String),
}

/// Takes a text with captures apart; none if a brace is not closed, or a capture has no name.
pub(super) fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        let is_name =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || before.contains('}') {
            return None;
        }
        if !before.is_empty() {
            out.push(Piece::Text(before.to_owned()));
        }
        out.push(Piece::Capture(name.to_owned()));
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest.to_owned()));
    }
    Some(out)
}

/// Returns what the captures of a pattern take of a text, with those that are known already; the first way to take it
/// counts. None if it does not fit.
pub(super) fn capture(
    pattern: &[Piece],
    text: &str,
    known: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let Some((first, rest)) = pattern.split_first() else {
        return text.is_empty().then(|| known.clone());
    };
    match first {
        Piece::Text(literal) => capture(rest, text.strip_prefix(literal.as_str())?, known),
        Piece::Capture(name) => match known.get(name) {
            Some(value) => capture(rest, text.strip_prefix(value.as_str())?, known),
            None => {
                let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
                ends.into_iter().find_map(|end| {
                    let mut known = known.clone();
                    known.insert(name.clone(), text[..end].to_owned());
                    capture(rest, &text[end..], &known)
                })
            }
        },
    }
}

/// Puts what was captured in the place of `{name}`; what is not known stays.
pub(super) fn fill(text: &str, captures: &BTreeMap<String, String>) -> String {
    let mut out = text.to_owned();
    for (name, value) in captures {
        out = out.replace(&format!("{{{name}}}"), value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_paths() {
        let fits = |pattern: &str, path: &str| Glob::new(pattern).is_match(path);
        assert!(fits("**/*.yaml.j2", "a.yaml.j2") && fits("**/*.yaml.j2", "k8s/b/a.yaml.j2"));
        assert!(fits("k8s/**/x?.j2", "k8s/x1.j2") && !fits("k8s/*.j2", "k8s/b/x.j2"));
        assert!(!fits("*.j2", "a/b.j2") && !fits("a*b*c", "a_b_d") && fits("a*b*c", "abbbc"));
    }

    #[test]
    fn captures_take_what_fits() {
        let pattern = pieces("{cluster}-{app}").unwrap();
        let found = capture(&pattern, "eu-shop-api", &BTreeMap::new()).unwrap();
        assert_eq!((found["cluster"].as_str(), found["app"].as_str()), ("eu", "shop-api"));
        assert_eq!(fill("values/{app}.yaml", &found), "values/shop-api.yaml");
        assert!(capture(&pattern, "eu", &BTreeMap::new()).is_none());
        assert!(pieces("a{").is_none() && pieces("a}").is_none() && pieces("{}").is_none());
    }
}
