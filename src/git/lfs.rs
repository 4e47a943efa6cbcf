//! Files that git LFS keeps outside of git: what git holds is a pointer.
//!
//! The form is that of the specification of git LFS: lines `key value`, the first of which is `version URL`, then sorted by
//! key; at most 1024 bytes. A clone that has fetched the content has it in `lfs/objects`, by its SHA-256.

use std::path::{Path, PathBuf};

use super::GitError;

const VERSION: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
const MAX_POINTER_BYTES: usize = 1024;
const DIGEST_DIGITS: usize = 64;
const SHORT_DIGITS: usize = 10;

/// Returns whether the bytes of a file are a pointer.
pub(super) fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_POINTER_BYTES && bytes.starts_with(VERSION) && digest(bytes).is_some()
}

/// Returns the fault of a file whose bytes are a pointer; none for all other files.
pub(crate) fn fault(path: &str, bytes: &[u8]) -> Option<GitError> {
    let digest = digest(bytes).filter(|_| is_pointer(bytes))?;
    let digest = digest[..SHORT_DIGITS].to_owned();
    Some(GitError::LfsPointer { path: path.to_owned(), digest })
}

fn digest(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let digest = text.lines().find_map(|line| line.strip_prefix("oid sha256:"))?;
    let is_digest =
        digest.len() == DIGEST_DIGITS && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then_some(digest)
}

/// Returns where the content behind a pointer is kept once it was fetched. `common`: the directory of the repository.
pub(super) fn object_path(common: &Path, pointer: &[u8]) -> Option<PathBuf> {
    let digest = digest(pointer)?;
    let directory = common.join("lfs").join("objects");
    Some(directory.join(&digest[..2]).join(&digest[2..4]).join(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_told_from_manifests() {
        let digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let pointer = format!(
            "version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 12345\n"
        );
        assert!(is_pointer(pointer.as_bytes()));
        let path = object_path(Path::new("/r/.git"), pointer.as_bytes()).unwrap();
        assert_eq!(path, Path::new("/r/.git/lfs/objects/4d/7a").join(digest));
        assert!(!is_pointer(b"version https://git-lfs.github.com/spec/v1\noid sha256:../../x\n"));
        assert!(!is_pointer(b"version: https://git-lfs.github.com/spec/v1\n"));
        assert!(!is_pointer(&[pointer.as_bytes(), &[b'x'; 1024]].concat()));
    }
}
