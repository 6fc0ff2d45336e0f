//! Habits of the source that the compiler does not hold.

use std::path::{Path, PathBuf};

/// Every place in our Rust files where a lint is allowed without a reason.
pub(crate) fn bare_allows(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in rust_files(root) {
        let text = std::fs::read_to_string(&file).unwrap();
        match count_bare_allows(&text) {
            0 => {}
            count => found.push(format!("{} ({count})", file.display())),
        }
    }
    found
}

/// Our Rust files that hold this text.
pub(crate) fn files_with(root: &Path, text: &str) -> Vec<String> {
    rust_files(root)
        .into_iter()
        .filter(|file| std::fs::read_to_string(file).unwrap().contains(text))
        .map(|file| file.display().to_string())
        .collect()
}

/// How many attributes of a source text allow a lint without a reason.
pub(crate) fn count_bare_allows(text: &str) -> usize {
    let mut count = 0;
    for opening in [concat!("#", "[allow("), concat!("#!", "[allow(")] {
        for (at, _) in text.match_indices(opening) {
            let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let is_comment = text[line_start..at].trim_start().starts_with("//");
            let attribute = text[at..].split(")]").next().unwrap_or_default();
            if !is_comment && !attribute.contains("reason") {
                count += 1;
            }
        }
    }
    count
}

/// Our Rust files.
pub(crate) fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Build products and hidden directories are not ours.
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
