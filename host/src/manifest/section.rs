//! Reads TOML tables key by key, so that every key nobody asked for is a fault with its line.

use super::fault::Faults;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value together with the line it stands in.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The line, counted from 1.
    pub line: usize,
}

/// One table of the manifest that remembers which keys have been read.
pub(super) struct Section<'a> {
    path: String,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    read: Vec<&'static str>,
}

/// One value of the manifest and the name it is called by in faults.
pub(super) struct Item<'a> {
    pub(super) path: String,
    pub(super) span: Range<usize>,
    value: &'a DeValue<'a>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { path: String::new(), table: table.get_ref(), span: 0..0, read: Vec::new() }
    }

    /// Where the table begins.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Takes one key, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.read.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(Item { path: self.name(key), span: name.span(), value: value.get_ref() })
    }

    /// Takes one key that must be there.
    pub(super) fn need(&mut self, key: &'static str, faults: &mut Faults) -> Option<Item<'a>> {
        let item = self.take(key);
        if item.is_none() {
            faults.at(&self.span, format!("key '{}' is missing", self.name(key)));
        }
        item
    }

    /// Takes a text, if it is there.
    pub(super) fn string(&mut self, key: &'static str, faults: &mut Faults) -> Option<String> {
        self.take(key)?.string(faults)
    }

    /// Every key and value of a table whose keys are names chosen by the author.
    pub(super) fn entries(self) -> impl Iterator<Item = (String, Item<'a>)> {
        let path = self.path;
        self.table.iter().map(move |(key, value)| {
            let name = key.get_ref().to_string();
            let path = join(&path, &name);
            (name, Item { path, span: key.span(), value: value.get_ref() })
        })
    }

    /// Refuses every key that was not taken.
    pub(super) fn finish(self, faults: &mut Faults) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.read.contains(&name) {
                faults.at(&key.span(), format!("unknown key '{}'", self.name(name)));
            }
        }
    }

    fn name(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

impl<'a> Item<'a> {
    /// The value as a text.
    pub(super) fn string(&self, faults: &mut Faults) -> Option<String> {
        self.expect(self.value.as_str().map(str::to_owned), "a string", faults)
    }

    /// The value as a text, with its line.
    pub(super) fn located(&self, faults: &mut Faults) -> Option<Located<String>> {
        let line = faults.line(&self.span);
        self.string(faults).map(|value| Located { value, line })
    }

    /// Whether the value is a text.
    pub(super) fn is_string(&self) -> bool {
        self.value.is_str()
    }

    /// Whether the value is a table.
    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// The value, if it is `true` or `false`.
    pub(super) fn as_boolean(&self) -> Option<bool> {
        self.value.as_bool()
    }

    /// The value as `true` or `false`.
    pub(super) fn boolean(&self, faults: &mut Faults) -> Option<bool> {
        self.expect(self.value.as_bool(), "true or false", faults)
    }

    /// The value as a whole number in the range.
    pub(super) fn number(&self, range: Range<u64>, faults: &mut Faults) -> Option<u64> {
        let number = self
            .value
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| range.contains(number));
        self.expect(
            number,
            &format!("a whole number from {} to {}", range.start, range.end - 1),
            faults,
        )
    }

    /// The value as a table.
    pub(super) fn section(self, faults: &mut Faults) -> Option<Section<'a>> {
        let table = self.value.as_table();
        let table = self.expect(table, "a table", faults)?;
        Some(Section { path: self.path, table, span: self.span, read: Vec::new() })
    }

    /// The values of an array.
    pub(super) fn items(self, faults: &mut Faults) -> Vec<Item<'a>> {
        let Some(array) = self.expect(self.value.as_array(), "an array", faults) else {
            return Vec::new();
        };
        array
            .iter()
            .enumerate()
            .map(|(index, value)| Item {
                path: format!("{}[{index}]", self.path),
                span: value.span(),
                value: value.get_ref(),
            })
            .collect()
    }

    /// The value as an array of texts.
    pub(super) fn strings(self, faults: &mut Faults) -> Vec<Located<String>> {
        self.items(faults).iter().filter_map(|item| item.located(faults)).collect()
    }

    fn expect<T>(&self, value: Option<T>, wanted: &str, faults: &mut Faults) -> Option<T> {
        if value.is_none() {
            faults.at(
                &self.span,
                format!("key '{}' must be {wanted}, not {}", self.path, self.value.type_str()),
            );
        }
        value
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
