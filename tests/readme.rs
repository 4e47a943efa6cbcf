//! The commands of README.md and of the examples' pages do what these pages say.

#![expect(clippy::disallowed_methods, reason = "tests read files and run the program")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns the commands of the `console` blocks of a page, each with the lines below it.
fn commands(page: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut is_open = false;
    for line in page.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            is_open = fence == "console";
        } else if let (true, Some(command)) = (is_open, line.strip_prefix("$ ")) {
            commands.push((command.to_owned(), String::new()));
        } else if let (true, Some((_, output))) = (is_open, commands.last_mut()) {
            output.push_str(line);
            output.push('\n');
        }
    }
    commands
}

/// Runs the `kiln` commands of a page that name something which exists; returns how many.
fn check(page: &Path) -> usize {
    let text = fs::read_to_string(page).expect("the page can be read");
    let directory = page.parent().expect("a page is in a directory");
    let mut count = 0;
    for (command, output) in commands(&text) {
        let command = command.split(" #").next().unwrap_or_default();
        let words: Vec<&str> = command.split_whitespace().collect();
        let arguments = match words[..] {
            ["kiln", "build" | "values", _] | ["kiln", "render", "--check"] => &words[1..],
            ["cargo", "run", "--release", "--quiet", "--", ..] => &words[5..],
            _ => continue,
        };
        let run = Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(arguments)
            .current_dir(directory)
            .output();
        let run = run.expect("kiln can be started");
        let printed = String::from_utf8_lossy(&run.stderr);
        assert_eq!(printed, output, "$ {command}");
        assert_eq!(run.status.success(), output.is_empty(), "$ {command}");
        count += 1;
    }
    count
}

/// Runs the commands of a page in the directories that it changes to, and compares all that they print; returns how many.
fn check_output(page: &Path) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(page).expect("the page can be read").replace("\r\n", "\n");
    let mut directory = root.to_path_buf();
    let mut count = 0;
    for (command, output) in commands(&text) {
        if let Some(name) = command.strip_prefix("cd ") {
            directory = root.join(name);
            continue;
        }
        let arguments = command.strip_prefix("kiln ").expect("the page runs kiln");
        // A quote keeps what the shell would take for a pattern.
        let words = arguments.split(' ').map(|word| word.trim_matches('\''));
        let run =
            Command::new(env!("CARGO_BIN_EXE_kiln")).args(words).current_dir(&directory).output();
        let run = run.expect("kiln can be started");
        let printed = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
        assert_eq!(printed.trim_end(), output.trim_end(), "$ {command}");
        count += 1;
    }
    count
}

#[test]
fn the_commands_of_the_page_about_blame_print_what_it_says() {
    assert_eq!(check_output(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/blame.md")), 8);
}

#[test]
fn the_commands_of_the_readme_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(check(&root.join("README.md")), 3);
}

#[test]
fn the_commands_of_the_examples_work() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for example in ["discbaboons", "wander", "transparenta", "super-todo", "xuangong"] {
        assert!(check(&examples.join(example).join("README.md")) >= 2, "{example}");
    }
}
