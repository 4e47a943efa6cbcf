//! Any text, read by kiln and by libyaml-safer: both refuse it, or both read the same tree. And what kiln reads without
//! tokens is what its full parser reads.

/// Keeps a panic of libyaml-safer, which is caught and says nothing of kiln, from ending the run.
pub fn let_it_panic() {
    let end_the_run = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|l| l.file().contains("libyaml-safer")) {
            end_the_run(panic);
        }
    }));
}

/// Reads one text three times.
pub fn run(text: &str) {
    if let Some(difference) = kiln::internals::difference_to_full_parser(text) {
        panic!("{difference}");
    }
    if let Some(difference) = kiln::internals::difference_to_second_reader(text) {
        panic!("{difference}");
    }
}
