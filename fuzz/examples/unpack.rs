//! Writes the project of an input into a directory, so that kustomize can build it: `unpack TARGET INPUT DIRECTORY`.
//! Links and the arguments of the build are left out.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [target, input, directory] = args.as_slice() else {
        return Err(std::io::Error::other("unpack TARGET INPUT DIRECTORY"));
    };
    let data = std::fs::read(input)?;
    let project = match target.as_str() {
        "kustomization" => Some(kiln_fuzz::kustomization::project(&data)),
        "name_reference" => Some(kiln_fuzz::name_reference::project(&data)),
        "patch" => kiln_fuzz::patch::project(&String::from_utf8_lossy(&data)),
        _ => return Err(std::io::Error::other("the inputs of this target are no projects")),
    };
    if let Some(project) = project {
        project.unpack(Path::new(directory));
    }
    Ok(())
}
