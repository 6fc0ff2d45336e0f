//! The tests that documentation names as what holds its promises.

use std::path::{Path, PathBuf};

/// Each `module::test` in code spans of a page.
pub(crate) fn named_tests(page: &str) -> Vec<(&str, &str)> {
    let spans = page.split('`').skip(1).step_by(2);
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let is_name = |text: &str| text.chars().all(is_part);
    spans
        .filter_map(|span| span.split_once("::"))
        .filter(|(module, test)| is_name(module) && is_name(test))
        .collect()
}

/// Whether one of these files is that module and has that function.
pub(crate) fn is_there(files: &[PathBuf], module: &str, test: &str) -> bool {
    let function = format!("fn {test}(");
    let mut modules = files.iter().filter(|file| is_module(file, module));
    modules.any(|file| std::fs::read_to_string(file).unwrap().contains(&function))
}

/// A module is a file of its name or of a directory of its name.
fn is_module(file: &Path, module: &str) -> bool {
    let directory = file.parent().and_then(Path::file_name);
    file.file_stem().is_some_and(|stem| stem == module) || directory.is_some_and(|name| name == module)
}
