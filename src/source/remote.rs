//! Remote bases: recognised by kustomize's grammar, never fetched.
//!
//! The grammar is that of `api/internal/git/repospec.go` in kustomize 5.8.1: an optional `git::`, a scheme, a
//! user, a host, a path that is split into repository and directory at `_git/`, `//` or `.git`, or after two
//! segments, and a query with `ref` (or `version`).

use std::path::Path;

/// A reference to a directory of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteSpec {
    /// Scheme, user and host, with the separator that follows them: `https://github.com/`.
    pub(crate) host: String,
    /// The path of the repository on that host.
    pub(crate) repository: String,
    /// The directory inside the repository; empty for its root.
    pub(crate) directory: String,
    /// The branch, tag or commit; empty for the default branch.
    pub(crate) reference: String,
}

impl RemoteSpec {
    /// Returns what `git clone` takes.
    pub(crate) fn clone_url(&self) -> String {
        format!("{}{}", self.host, self.repository)
    }
}

/// Returns whether a path is an `http` or `https` URL, which kustomize fetches as a file first.
pub(crate) fn is_http_url(path: &str) -> bool {
    let Some((scheme, _)) = path.split_once(':') else { return false };
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Returns the remote directory that an entry names, or `None` where kustomize takes it for a local path.
pub(crate) fn parse_remote(entry: &str) -> Option<RemoteSpec> {
    if Path::new(entry).is_absolute() {
        return None;
    }
    let (path, query) = entry.split_once('?').unwrap_or((entry, ""));
    let (host, rest) = split_host(path)?;
    let (repository, directory) = split_repository(&rest, host.starts_with("file://"))?;
    if repository.is_empty() {
        return None;
    }
    let inside = super::clean(Path::new(directory.trim_start_matches('/')));
    if inside.components().next() == Some(std::path::Component::ParentDir) {
        return None;
    }
    let directory = directory.strip_prefix('/').unwrap_or(&directory).to_owned();
    Some(RemoteSpec { host, repository, directory, reference: reference(query) })
}

fn reference(query: &str) -> String {
    let value = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    };
    value("ref").filter(|v| !v.is_empty()).or_else(|| value("version")).unwrap_or_default()
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn split_host(entry: &str) -> Option<(String, String)> {
    let text = strip_prefix_ignore_case(entry, "git::").unwrap_or(entry);
    let schemes = ["ssh://", "https://", "http://", "file://"];
    let found =
        schemes.iter().find_map(|s| strip_prefix_ignore_case(text, s).map(|rest| (*s, rest)));
    let (scheme, text) = found.unwrap_or(("", text));
    let (user, text) = split_user(text);
    let lower = text.to_ascii_lowercase();
    let github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    if scheme == "file://" {
        return Some((scheme.to_owned(), format!("{user}{text}")));
    }
    let (host, rest) = match host_end(text, scp) {
        Some(end) => text.split_at(end + 1),
        None => (text, ""),
    };
    if github {
        let host = if scheme == "ssh://" || !user.is_empty() {
            format!("{user}github.com:")
        } else {
            "https://github.com/".to_owned()
        };
        return Some((host, rest.to_owned()));
    }
    (!host.is_empty()).then(|| (format!("{scheme}{user}{host}"), rest.to_owned()))
}

fn split_user(text: &str) -> (&str, &str) {
    let Some(at) = text.find('@') else { return ("", text) };
    let name = &text[..at];
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if valid { text.split_at(at + 1) } else { ("", text) }
}

fn host_end(text: &str, scp: bool) -> Option<usize> {
    let slash = text.find('/');
    if !scp {
        return slash;
    }
    let colon = text.find(':');
    match (slash, colon) {
        (None, colon) => colon,
        (Some(slash), Some(colon)) if colon > 0 && colon < slash => Some(colon),
        (slash, _) => slash,
    }
}

fn split_repository(path: &str, whole: bool) -> Option<(String, String)> {
    if let Some(at) = path.find("_git/") {
        let (head, tail) = path.split_at(at + "_git/".len());
        let (name, directory) = tail.split_once('/').unwrap_or((tail, ""));
        return Some((format!("{head}{name}"), directory.to_owned()));
    }
    if let Some((repository, directory)) = path.split_once("//") {
        return Some((repository.to_owned(), directory.to_owned()));
    }
    if let Some(at) = path.find(".git") {
        let (repository, directory) = path.split_at(at + ".git".len());
        return Some((repository.to_owned(), directory.to_owned()));
    }
    if whole {
        return Some((path.to_owned(), String::new()));
    }
    let segments: Vec<&str> = path.split('/').collect();
    let (repository, directory) = segments.split_at_checked(2)?;
    Some((repository.join("/"), directory.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_remote_bases() {
        let cases = [
            (
                "https://github.com/org/repo//deploy?ref=v1",
                "https://github.com/",
                "org/repo",
                "deploy",
                "v1",
            ),
            ("github.com/org/repo/a/b", "https://github.com/", "org/repo", "a/b", ""),
            ("git@github.com:org/repo.git", "git@github.com:", "org/repo.git", "", ""),
            (
                "ssh://git@gitlab.example.com/o/r.git/k?version=x",
                "ssh://git@gitlab.example.com/",
                "o/r.git",
                "k",
                "x",
            ),
            (
                "https://dev.example.com/o/p/_git/r/k",
                "https://dev.example.com/",
                "o/p/_git/r",
                "k",
                "",
            ),
            ("file:///srv/git/r//k", "file://", "", "", ""),
            ("git::https://example.com/o/r", "https://example.com/", "o/r", "", ""),
        ];
        for (entry, host, repository, directory, reference) in cases {
            let Some(spec) = parse_remote(entry) else {
                assert!(repository.is_empty(), "{entry} is remote");
                continue;
            };
            let parts = (spec.host.as_str(), spec.repository.as_str(), spec.directory.as_str());
            if !repository.is_empty() {
                assert_eq!(parts, (host, repository, directory), "{entry}");
                assert_eq!(spec.reference, reference, "{entry}");
            }
        }
        for local in ["../base", "base/dir", "/abs/dir", "a@b", "github.com", "https://example.com"]
        {
            assert_eq!(parse_remote(local), None, "{local}");
        }
        assert!(is_http_url("HTTPS://example.com/x.yaml") && !is_http_url("a/b"));
    }
}
