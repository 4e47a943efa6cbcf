//! Writes `seeds/TARGET/`, the inputs that fuzzing starts from, made from kiln's fixtures and examples.

use std::fs;
use std::path::{Path, PathBuf};

use kiln::Node;

fn main() -> std::io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Seeds { directory: fuzz.join("seeds"), count: 0 };
    let mut open = vec![fuzz.join("../fixtures"), fuzz.join("../examples")];
    while let Some(directory) = open.pop() {
        let files = files_below(&directory)?;
        if directory.join("case.toml").is_file() || directory.ends_with("examples") {
            seeds.case(&directory, &files)?;
        } else {
            open.extend(entries(&directory)?.into_iter().filter(|path| path.is_dir()));
        }
    }
    // Choices that differ from the first byte on.
    for seed in 0..64_u32 {
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        let choices = (0..160).map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as u8
        });
        seeds.write("name_reference", &choices.collect::<Vec<u8>>())?;
    }
    println!("{} seeds", seeds.count);
    Ok(())
}

struct Seeds {
    directory: PathBuf,
    count: usize,
}

impl Seeds {
    fn write(&mut self, target: &str, bytes: &[u8]) -> std::io::Result<()> {
        let directory = self.directory.join(target);
        fs::create_dir_all(&directory)?;
        self.count += 1;
        fs::write(directory.join(format!("{:05}", self.count)), bytes)
    }

    fn case(&mut self, directory: &Path, files: &[PathBuf]) -> std::io::Result<()> {
        let case = fs::read_to_string(directory.join("case.toml")).unwrap_or_default();
        let args = case.lines().find_map(|line| line.strip_prefix("args = ")).unwrap_or_default();
        let args = args.replace(['[', ']', '"', ','], " ");
        let mut project =
            format!(">>> {}\n", args.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut patches = Vec::new();
        for path in files {
            let name = path.strip_prefix(directory).unwrap_or(path).display().to_string();
            if name.starts_with("expected") || name == "case.toml" {
                continue;
            }
            if path.is_symlink() {
                project += &format!("=== {name} -> {}\n", fs::read_link(path)?.display());
                continue;
            }
            let Ok(text) = fs::read_to_string(path) else { continue };
            self.write("yaml_text", text.as_bytes())?;
            self.write("differential", text.as_bytes())?;
            if name.contains("kustomization") {
                patches.extend(inline_patches(&text));
            } else if name.contains("patch") {
                patches.push(text.clone());
            }
            project += &format!("=== {name}\n{text}");
            if !text.ends_with('\n') {
                project.push('\n');
            }
        }
        self.write("kustomization", project.as_bytes())?;
        let resources = files.iter().filter(|path| path.ends_with("r.yaml"));
        let resources: String =
            resources.filter_map(|path| fs::read_to_string(path).ok()).collect();
        for (mode, patch) in patches.iter().enumerate() {
            let seed = format!("{}{resources}\n====\n{patch}", mode % 8);
            self.write("patch", seed.as_bytes())?;
        }
        Ok(())
    }
}

fn inline_patches(kustomization: &str) -> Vec<String> {
    let mut patches = Vec::new();
    let mut open: Vec<Node> =
        kiln::internals::read_yaml_1_1(kustomization).ok().flatten().into_iter().collect();
    while let Some(node) = open.pop() {
        for entry in node.entries().unwrap_or_default() {
            if matches!(entry.key.text(), "patch" | "patchesStrategicMerge") {
                patches.push(entry.value.text().to_owned());
            }
            open.push(entry.value.clone());
        }
        open.extend(node.elements().unwrap_or_default().iter().cloned());
    }
    patches.retain(|patch| !patch.is_empty());
    patches
}

fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn files_below(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in entries(directory)? {
        if path.is_dir() && !path.is_symlink() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
