//! What is wrong with a manifest, with the line that says so.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, naming the key.
    pub message: String,
}

/// A manifest that is refused, with everything found wrong in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// The file.
    pub path: PathBuf,
    /// All faults, in the order of their lines. Never empty.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{name}:{}: {}", fault.line, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

/// Collects faults while a manifest is read.
pub(crate) struct Faults {
    path: PathBuf,
    line_starts: Vec<usize>,
    found: Vec<Fault>,
}

impl Faults {
    /// Starts with none.
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        let line_starts = std::iter::once(0)
            .chain(
                text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1),
            )
            .collect();
        Self { path: path.to_owned(), line_starts, found: Vec::new() }
    }

    /// The line, counted from 1, in which a span begins.
    pub(crate) fn line(&self, span: &Range<usize>) -> usize {
        self.line_starts.partition_point(|start| *start <= span.start)
    }

    /// Notes a fault at a span of the text.
    pub(crate) fn at(&mut self, span: &Range<usize>, message: impl Into<String>) {
        let line = self.line(span);
        self.at_line(line, message);
    }

    /// Notes a fault in a line.
    pub(crate) fn at_line(&mut self, line: usize, message: impl Into<String>) {
        self.found.push(Fault { line, message: message.into() });
    }

    /// The value if nothing is wrong, else everything that is.
    pub(crate) fn finish<T>(mut self, value: T) -> Result<T, ManifestError> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|fault| fault.line);
        Err(ManifestError { path: self.path, faults: self.found })
    }
}
