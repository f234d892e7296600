//! Lays out the files a component may read in a folder of its own, which becomes its root.

use crate::manifest::{Component, Mount};
use std::path::{Component as Part, Path, PathBuf};

/// Copies the component's files below `target`; none if it has none.
///
/// A failure is told with the line of the entry.
pub(crate) fn lay_out(
    folder: &Path,
    target: &Path,
    component: &Component,
) -> Result<Option<PathBuf>, (usize, String)> {
    if component.files.is_empty() {
        return Ok(None);
    }
    let mut excluded = Vec::new();
    for pattern in &component.exclude_files {
        let pattern_parsed = glob::Pattern::new(&pattern.value)
            .map_err(|error| (pattern.line, format!("'{}': {error}", pattern.value)))?;
        excluded.push(pattern_parsed);
    }
    let is_excluded = |path: &Path| excluded.iter().any(|pattern| pattern.matches_path(path));
    let fresh = || {
        let _ = std::fs::remove_dir_all(target);
        std::fs::create_dir_all(target)
    };
    fresh().map_err(|error| (component.line, format!("cannot lay out files: {error}")))?;
    for mount in &component.files {
        let laid = match &mount.value {
            Mount::Pattern(pattern) => by_pattern(folder, target, pattern, &is_excluded),
            Mount::Placed { source, destination } => inside(destination).and_then(|destination| {
                inside_or_absolute(source)?;
                copy(
                    &folder.join(source),
                    &target.join(destination),
                    Path::new(source),
                    &is_excluded,
                )
            }),
        };
        laid.map_err(|message| (mount.line, message))?;
    }
    Ok(Some(target.to_owned()))
}

fn by_pattern(
    folder: &Path,
    target: &Path,
    pattern: &str,
    is_excluded: &dyn Fn(&Path) -> bool,
) -> Result<(), String> {
    inside(pattern)?;
    let full = folder.join(pattern);
    let Some(full) = full.to_str() else { return Err(format!("'{pattern}' is not UTF-8")) };
    let mut n_found = 0;
    for found in glob::glob(full).map_err(|error| format!("'{pattern}': {error}"))? {
        let found = found.map_err(|error| error.to_string())?;
        let relative = found.strip_prefix(folder).unwrap_or(&found).to_owned();
        if found.is_file() && !is_excluded(&relative) {
            copy_file(&found, &target.join(&relative))?;
        }
        n_found += 1;
    }
    if n_found == 0 {
        return Err(format!("'{pattern}' matches no file"));
    }
    Ok(())
}

/// Copies a file or everything below a folder.
fn copy(
    from: &Path,
    to: &Path,
    relative: &Path,
    is_excluded: &dyn Fn(&Path) -> bool,
) -> Result<(), String> {
    if is_excluded(relative) {
        return Ok(());
    }
    if from.is_file() {
        return copy_file(from, to);
    }
    let told = |error: std::io::Error| format!("cannot read {}: {error}", relative.display());
    std::fs::create_dir_all(to).map_err(told)?;
    for entry in std::fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let name = entry.file_name();
        // A link could lead out of the folder, or around in it.
        if !entry.file_type().map_err(told)?.is_symlink() {
            copy(&entry.path(), &to.join(&name), &relative.join(&name), is_excluded)?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("cannot copy {}: {error}", from.display());
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(told)?;
    }
    std::fs::copy(from, to).map(|_| ()).map_err(told)
}

/// A path that stays below where it starts; a leading '/' means the component's root.
fn inside(path: &str) -> Result<PathBuf, String> {
    let relative = PathBuf::from(path.trim_start_matches('/'));
    if relative.components().all(|part| matches!(part, Part::Normal(_) | Part::CurDir)) {
        return Ok(relative);
    }
    Err(format!("'{path}' leaves its folder"))
}

/// A source may be named absolutely, but may not climb with `..`.
fn inside_or_absolute(path: &str) -> Result<(), String> {
    if Path::new(path).components().any(|part| part == Part::ParentDir) {
        return Err(format!("'{path}' leaves the application's folder"));
    }
    Ok(())
}
