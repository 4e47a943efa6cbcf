//! Paths, compared and shown as text: no file is touched here.

use std::path::{Component, Path, PathBuf};

/// Returns `path` without `.`, `..` and doubled separators, resolved by text alone (Go's `filepath.Clean`).
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

/// Returns `dir` and `entry` joined and cleaned. Unlike [`Path::join`], an absolute entry stays below `dir`,
/// as in Go's `filepath.Join`.
pub(crate) fn join(dir: &Path, entry: &Path) -> PathBuf {
    let mut joined = dir.to_path_buf();
    for part in entry.components() {
        if !matches!(part, Component::RootDir | Component::Prefix(_)) {
            joined.push(part);
        }
    }
    clean(&joined)
}

/// Returns `path` as a reader in directory `from` would write it: relative where a relative path is
/// the shorter one, with `/` between the parts.
pub(crate) fn display_path(path: &Path, from: &Path) -> String {
    let relative = relative_to(path, from);
    let absolute = path.to_string_lossy();
    match relative {
        Some(relative) if relative.len() <= absolute.len() => relative,
        _ => absolute.into_owned(),
    }
}

fn relative_to(path: &Path, from: &Path) -> Option<String> {
    if !path.is_absolute() || !from.is_absolute() {
        return None;
    }
    let path: Vec<_> = path.components().collect();
    let from: Vec<_> = from.components().collect();
    let common = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| "..".to_owned());
    let down = path[common..].iter().map(|c| c.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_is_textual() {
        for (given, want) in [
            ("/a/b/../c", "/a/c"),
            ("/a/./b//c/", "/a/b/c"),
            ("/../a", "/a"),
            ("a/..", "."),
            ("../a", "../a"),
        ] {
            assert_eq!(clean(Path::new(given)), Path::new(want), "{given}");
        }
        assert_eq!(join(Path::new("/r"), Path::new("/x/../y")), Path::new("/r/y"));
    }

    #[test]
    fn paths_are_shown_from_where_the_reader_stands() {
        let show = |p: &str, f: &str| display_path(Path::new(p), Path::new(f));
        assert_eq!(show("/w/p/k.yaml", "/w/p"), "k.yaml");
        assert_eq!(show("/w/q/k.yaml", "/w/p"), "../q/k.yaml");
        assert_eq!(show("/k", "/a/b/c/d"), "/k");
        assert_eq!(show("/w", "/w"), ".");
    }
}
