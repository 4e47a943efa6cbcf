//! Files that are replaced whole or not at all.

#![expect(clippy::disallowed_methods, reason = "this is where files are written")]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::CommandError;

/// Puts bytes into a file. The file is the old one or the new one at every instant: the bytes are written beside it and
/// moved into its place.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let what = || format!("`{}` cannot be written", path.display());
    // A link is followed, so that it stays one.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    // A pipe or device has no other file to be moved into its place.
    if fs::metadata(&target).is_ok_and(|m| !m.is_file()) {
        return fs::write(&target, bytes).map_err(CommandError::io(what()));
    }
    let temporary = temporary_path(&target);
    let written =
        write_new(&temporary, &target, bytes).and_then(|()| fs::rename(&temporary, &target));
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        CommandError::io(what())(error)
    })
}

fn temporary_path(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

fn write_new(temporary: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(temporary)?;
    file.write_all(bytes)?;
    if let Ok(metadata) = fs::metadata(target) {
        file.set_permissions(metadata.permissions())?;
    }
    file.sync_all()
}
