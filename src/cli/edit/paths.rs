//! Paths and patterns of paths on the command line, as kustomize takes them (Go's `filepath.Glob`).

#![expect(clippy::disallowed_methods, reason = "patterns are about what is on the disk")]

use std::fs;
use std::io;
use std::path::Path;

use crate::edit::{EditError, has_meta, path_match};
use crate::source::{clean, is_http_url, join, parse_remote};

/// Returns the paths that fit a pattern, relative to `directory` as the pattern is. Hidden files fit only a pattern whose last part
/// begins with a dot.
pub(super) fn glob(directory: &Path, pattern: &str) -> Result<Vec<String>, EditError> {
    let bad_pattern = || EditError::Usage("syntax error in pattern".to_owned());
    path_match(pattern, "").ok_or_else(bad_pattern)?;
    let mut found = matches(directory, pattern).ok_or_else(bad_pattern)?;
    let is_hidden = |path: &str| base(path).starts_with('.');
    if !is_hidden(pattern) {
        found.retain(|path| !is_hidden(path));
    }
    Ok(found)
}

/// Go's `filepath.Base`.
fn base(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => {
            if path.is_empty() {
                "."
            } else {
                "/"
            }
        }
        path => path.rsplit('/').next().unwrap_or(path),
    }
}

fn matches(directory: &Path, pattern: &str) -> Option<Vec<String>> {
    if !has_meta(pattern) {
        let is_there = !pattern.is_empty() && fs::symlink_metadata(directory.join(pattern)).is_ok();
        return Some(if is_there { vec![pattern.to_owned()] } else { Vec::new() });
    }
    let (parent, name) = match pattern.rfind('/') {
        Some(0) => ("/", &pattern[1..]),
        Some(at) => (&pattern[..at], &pattern[at + 1..]),
        None => (".", pattern),
    };
    let parents = if has_meta(parent) {
        path_match(parent, "")?;
        matches(directory, parent)?
    } else {
        vec![parent.to_owned()]
    };
    let mut found = Vec::new();
    for parent in parents {
        let Ok(entries) = fs::read_dir(directory.join(&parent)) else { continue };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
        names.sort_unstable();
        for entry in names {
            if path_match(name, &entry)? {
                let path = clean(&Path::new(&parent).join(entry));
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    Some(found)
}

/// Returns the entries that paths and patterns stand for. What fits nothing must be a remote directory, which is taken as it is,
/// without a look at it.
pub(super) fn entries(directory: &Path, patterns: &[String]) -> Result<Vec<String>, EditError> {
    let mut out = Vec::new();
    for pattern in patterns {
        let found =
            glob(directory, pattern).map_err(|e| e.during("error checking the filesystem"))?;
        if found.is_empty() {
            require_directory(directory, pattern)
                .map_err(|why| EditError::Refused(format!("{pattern} has no match: {why}")))?;
            out.push(pattern.clone());
        }
        out.extend(found);
    }
    Ok(out)
}

fn require_directory(directory: &Path, path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("new root cannot be empty".to_owned());
    }
    if parse_remote(path).is_some() || is_http_url(path) {
        return Ok(());
    }
    if Path::new(path).is_absolute() {
        return Err(format!("new root '{path}' cannot be absolute"));
    }
    let directory = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_path_buf());
    let whole = join(&directory, Path::new(path));
    let mut missing = whole.as_path();
    let mut reason = "no such file or directory";
    for ancestor in whole.ancestors() {
        match fs::symlink_metadata(ancestor) {
            Ok(_) => break,
            Err(error) => {
                missing = ancestor;
                if error.kind() == io::ErrorKind::NotADirectory {
                    reason = "not a directory";
                }
            }
        }
    }
    Err(format!(
        "must build at directory: not a valid directory: evalsymlink failure on '{}' : lstat {}: {reason}",
        whole.display(),
        missing.display()
    ))
}

/// Returns the files that patterns fit, and says which fit none.
pub(super) fn files(
    directory: &Path,
    patterns: &[String],
    notices: &mut Vec<String>,
) -> Result<Vec<String>, EditError> {
    let mut out = Vec::new();
    for pattern in patterns {
        let found = glob(directory, pattern)?;
        if found.is_empty() {
            notices.push(format!("{pattern} has no match"));
        }
        out.extend(found);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_is_there() {
        let directory = tempfile::TempDir::new().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join("c/b")).unwrap();
        for file in ["x.yaml", "y.yaml", ".z.yaml", "a/b/p.yaml", "c/b/q.yaml", "c/r[1].yaml"] {
            fs::write(root.join(file), "").unwrap();
        }
        let found = |pattern: &str| glob(root, pattern).map(|paths| paths.join(" "));
        let cases = [
            ("*.yaml", "x.yaml y.yaml"),
            (".*.yaml", ".z.yaml"),
            (".z.yaml", ".z.yaml"),
            ("*/b/*.yaml", "a/b/p.yaml c/b/q.yaml"),
            ("./*.yaml", "x.yaml y.yaml"),
            ("./x.yaml", "./x.yaml"),
            ("a", "a"),
            ("a/b/", "a/b/"),
            ("..", ".."),
            ("c/r\\[1\\].yaml", "c/r[1].yaml"),
            ("[xy].yaml", "x.yaml y.yaml"),
            ("none", ""),
            ("none/*", ""),
            ("", ""),
        ];
        for (pattern, want) in cases {
            assert_eq!(found(pattern), Ok(want.to_owned()), "{pattern}");
        }
        assert!(found("[").is_err());
    }

    #[test]
    fn what_fits_nothing_is_remote_or_missing() {
        let directory = tempfile::TempDir::new().unwrap();
        let of = |path: &str| entries(directory.path(), &[path.to_owned()]);
        let remote = "https://github.com/acme/base//app?ref=v1";
        assert_eq!(of(remote), Ok(vec![remote.to_owned()]));
        let message = |path: &str| of(path).unwrap_err().to_string();
        assert!(message("a/b.yaml").starts_with("a/b.yaml has no match: must build at directory:"));
        assert!(message("a/b.yaml").ends_with("/a: no such file or directory"));
        assert_eq!(message("/none"), "/none has no match: new root '/none' cannot be absolute");
        assert_eq!(message(""), " has no match: new root cannot be empty");
    }
}
