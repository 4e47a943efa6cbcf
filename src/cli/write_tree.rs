//! Changes of a rendered tree, made so that no file is ever half of one and half of another.
//!
//! All files are written beside their places before the first is moved there; so a full disk changes nothing. Whenever a run
//! is interrupted, each file is the old one or the new one, and the next run removes what is left of those that were not moved.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::CommandError;
use crate::tree::TEMPORARY;

/// What is to be done to the files of a tree.
#[derive(Default)]
pub(super) struct Changes {
    /// Paths in the tree, with `/` between parts, and the bytes.
    pub(super) write: Vec<(String, Vec<u8>)>,
    pub(super) remove: Vec<String>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.write.is_empty() && self.remove.is_empty()
    }
}

/// The steps that change a tree.
pub(super) trait Steps {
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Writes a new file.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Moves a file, over another if there is one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder if it is empty.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
}

/// The file system.
pub(super) struct Disk;

impl Steps for Disk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Waiting for the disk would take longer than all else. What a loss of power can leave of a file that was moved into
        // its place is an empty one, which the next run replaces.
        fs::write(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }
}

/// Makes changes below a directory. After a fault the files that were not moved are gone.
pub(super) fn apply(
    steps: &impl Steps,
    directory: &Path,
    changes: &Changes,
) -> Result<(), CommandError> {
    let mut waiting: Vec<(PathBuf, PathBuf)> = Vec::new();
    let result = make(steps, directory, changes, &mut waiting);
    if result.is_err() {
        for (temporary, _) in &waiting {
            // There is no more to be done about one that stays; the next run tries again.
            let _ = steps.remove(temporary);
        }
    }
    result
}

fn make(
    steps: &impl Steps,
    directory: &Path,
    changes: &Changes,
    waiting: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<(), CommandError> {
    let failed = |path: &Path| CommandError::io(format!("`{}` cannot be written", path.display()));
    // A file that goes may be where a folder is needed.
    for path in &changes.remove {
        let folder = format!("{path}/");
        if changes.write.iter().any(|(new, _)| new.starts_with(&folder)) {
            let target = directory.join(path);
            steps.remove(&target).map_err(failed(&target))?;
        }
    }
    for (number, (path, bytes)) in changes.write.iter().enumerate() {
        let target = directory.join(path);
        let folder = target.parent().unwrap_or(directory);
        steps.create_folder(folder).map_err(failed(folder))?;
        let (start, end) = TEMPORARY;
        let temporary = folder.join(format!("{start}{}-{number}{end}", std::process::id()));
        waiting.push((temporary.clone(), target.clone()));
        steps.write(&temporary, bytes).map_err(failed(&target))?;
    }
    waiting.reverse();
    while let Some((temporary, target)) = waiting.last() {
        steps.rename(temporary, target).map_err(failed(target))?;
        waiting.pop();
    }
    for path in &changes.remove {
        let target = directory.join(path);
        match steps.remove(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&target)(error));
            }
            _ => remove_empty_folders(steps, directory, &target),
        }
    }
    Ok(())
}

/// Removes the folders that have become empty on the way up to a directory.
fn remove_empty_folders(steps: &impl Steps, directory: &Path, removed: &Path) {
    let mut folder = removed.parent();
    while let Some(path) = folder.filter(|path| *path != directory && path.starts_with(directory)) {
        if steps.remove_folder(path).is_err() {
            return;
        }
        folder = path.parent();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// A disk that stops at a step: it and all that come after do nothing, as if the process had been killed; or only it
    /// fails, as on a full disk.
    struct Faulty {
        files: RefCell<BTreeMap<PathBuf, Vec<u8>>>,
        step: Cell<usize>,
        stops_at: usize,
        dies: bool,
    }

    impl Faulty {
        fn new(files: &BTreeMap<PathBuf, Vec<u8>>, stops_at: usize, dies: bool) -> Self {
            Self { files: RefCell::new(files.clone()), step: Cell::new(0), stops_at, dies }
        }

        fn step(&self) -> io::Result<()> {
            let step = self.step.replace(self.step.get() + 1);
            let stops = step == self.stops_at || self.dies && step > self.stops_at;
            if stops { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        }
    }

    impl Steps for Faulty {
        fn create_folder(&self, _: &Path) -> io::Result<()> {
            self.step()
        }

        fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
            let result = self.step();
            // A write that fails may have written a part.
            let written = if result.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
            if result.is_ok() || self.step.get() == self.stops_at + 1 {
                self.files.borrow_mut().insert(path.to_path_buf(), written.to_vec());
            }
            result
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step()?;
            let mut files = self.files.borrow_mut();
            let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            files.insert(to.to_path_buf(), bytes);
            Ok(())
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            self.step()?;
            self.files
                .borrow_mut()
                .remove(path)
                .map(drop)
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        fn remove_folder(&self, _: &Path) -> io::Result<()> {
            self.step()
        }
    }

    const FILES: usize = 50;

    fn old() -> BTreeMap<PathBuf, Vec<u8>> {
        let path = |n: usize| PathBuf::from(format!("/t/prod/{n}.yaml"));
        (0..FILES + 5).map(|n| (path(n), b"old".to_vec())).collect()
    }

    fn changes() -> Changes {
        let path = |n: usize| format!("prod/{n}.yaml");
        Changes {
            write: (5..FILES + 5).map(|n| (path(n), b"new".to_vec())).collect(),
            remove: (0..5).map(path).collect(),
        }
    }

    #[test]
    fn a_run_that_is_killed_at_any_step_leaves_old_and_new_files_only() {
        let whole = Faulty::new(&old(), usize::MAX, true);
        apply(&whole, Path::new("/t"), &changes()).expect("nothing stops it");
        let steps = whole.step.get();
        assert!(steps > 3 * FILES, "{steps} steps");
        for stops_at in 0..steps {
            let disk = Faulty::new(&old(), stops_at, true);
            // Removing a folder is no step that matters.
            let _ = apply(&disk, Path::new("/t"), &changes());
            let files = disk.files.into_inner();
            for (path, old) in old() {
                let name = path.display();
                match files.get(&path) {
                    Some(now) => assert!(*now == old || now == b"new", "{name} at {stops_at}"),
                    None => assert!(
                        name.to_string().len() < "/t/prod/10.yaml".len(),
                        "{name} at {stops_at}"
                    ),
                }
            }
        }
    }

    #[test]
    fn a_step_that_fails_before_the_first_move_changes_nothing() {
        for stops_at in 0..2 * FILES {
            let disk = Faulty::new(&old(), stops_at, false);
            assert!(apply(&disk, Path::new("/t"), &changes()).is_err());
            assert_eq!(disk.files.into_inner(), old(), "at {stops_at}");
        }
    }
}
