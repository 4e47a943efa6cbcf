//! Writes a synthetic project: `generate-project OBJECTS DIRECTORY`, then build `DIRECTORY/overlay`.

#![expect(clippy::disallowed_methods, reason = "the program writes files")]

mod project;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [objects, directory] = &arguments[..] else {
        return Err("usage: generate-project OBJECTS DIRECTORY".into());
    };
    for (path, text) in project::files(objects.parse()?) {
        let path = Path::new(directory).join(path);
        fs::create_dir_all(path.parent().ok_or("a file is in a directory")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}
