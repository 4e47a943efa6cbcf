//! `docs/broken-projects.md` says what kiln says.

#![expect(
    clippy::disallowed_methods,
    reason = "the test runs the program on the projects of the page"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_page_says_what_kiln_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/broken-projects.md")).expect("there is a page");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert_eq!(sections.len(), 10, "the page has ten projects");
    for section in sections {
        let (name, _) = section.split_once('\n').expect("a section has a name");
        let project = root.join("examples/broken").join(name);
        let run = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(["build", "overlays/prod"])
            .current_dir(&project)
            .output()
            .expect("kiln can be started");
        let (_, said) =
            section.split_once("\n`kiln build overlays/prod` ends with ").expect("kiln speaks");
        let (status, said) = said.split_once(":\n\n```text\n").expect("kiln never says nothing");
        let (said, _) = said.split_once("\n```").expect("a block ends");
        assert_eq!(run.status.code().map(|c| c.to_string()).as_deref(), Some(status), "{name}");
        assert_eq!(String::from_utf8_lossy(&run.stderr).trim_end(), said, "{name}");
    }
}
