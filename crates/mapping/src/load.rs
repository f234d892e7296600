//! Reading a mapping file: every fault is collected with its place, and what is sound still loads.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::convert;
use crate::json::{self, Document, Place, pointer};
use crate::token::{Object, Token};

/// Largest mapping file, in bytes. Real ones have some tens of kilobytes.
pub const MAPPING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most faults reported for one file; a person stops reading long before.
pub const FAULTS_MAX: usize = 200;

/// What is wrong at one place of a mapping file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultCode {
    /// The text is not JSON.
    JsonSyntax,
    /// The file holds nothing.
    EmptyMapping,
    /// The file is too large.
    TooLarge,
    /// The root names another kind of file.
    WrongTemplateType,
    /// `template` of the root is not an array.
    TemplateNotArray,
    /// A template of a type that does not exist.
    UnknownTemplateType,
    /// A template without a body, or whose body is not an object.
    TemplateTypeProblem,
    /// A member that must be there is not.
    MissingRequiredProperty,
    /// A member that must have a value is null or empty.
    RequiredPropertyNull,
    /// A member that means nothing.
    UnknownMember,
    /// A value of the wrong JSON type, or a word that is not among the possible ones.
    BadValueType,
    /// An expression that does not compile.
    ExpressionSyntax,
    /// Two FHIR templates for one type.
    DuplicateTypeName,
    /// A FHIR template without a type name.
    EmptyTypeName,
    /// A value without `valueType`.
    ValueTypeMissing,
    /// A value of a type that does not exist.
    ValueTypeUnsupported,
    /// A number outside of what makes sense.
    OutOfRange,
}

impl FaultCode {
    /// The stable name, kebab-case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonSyntax => "json-syntax",
            Self::EmptyMapping => "empty-mapping",
            Self::TooLarge => "too-large",
            Self::WrongTemplateType => "wrong-template-type",
            Self::TemplateNotArray => "template-not-array",
            Self::UnknownTemplateType => "unknown-template-type",
            Self::TemplateTypeProblem => "template-type-problem",
            Self::MissingRequiredProperty => "missing-required-property",
            Self::RequiredPropertyNull => "required-property-null",
            Self::UnknownMember => "unknown-member",
            Self::BadValueType => "bad-value-type",
            Self::ExpressionSyntax => "expression-syntax",
            Self::DuplicateTypeName => "duplicate-type-name",
            Self::EmptyTypeName => "empty-type-name",
            Self::ValueTypeMissing => "value-type-missing",
            Self::ValueTypeUnsupported => "value-type-unsupported",
            Self::OutOfRange => "out-of-range",
        }
    }
}

/// One fault of a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingFault {
    /// JSON Pointer to the value at fault, empty for the whole file.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1: the first character of the value, or the colon after the member's name.
    pub column: u32,
    /// What kind of fault.
    pub code: FaultCode,
    /// What is wrong, in a sentence.
    pub detail: String,
    /// What to write instead, when that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Whether the template was left out. False for what is only suspicious.
    pub fatal: bool,
}

/// What a mapping file gave: what loaded, and what is wrong with the rest.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The mapping with every template that loaded. Empty when the file could not be read at all.
    pub mapping: T,
    /// Every fault, in file order of templates.
    pub faults: Vec<MappingFault>,
}

impl<T> Loaded<T> {
    /// Whether every template loaded. A mapping that did not load whole should not be installed.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self.faults.iter().any(|it| it.fatal)
    }
}

/// Collects faults while a file is read.
pub(crate) struct Loader {
    pub(crate) document: Document,
    pub(crate) faults: Vec<MappingFault>,
}

/// A template's envelope: its type as written, its body and where that is.
pub(crate) struct Container<'a> {
    pub(crate) index: usize,
    pub(crate) kind: Cow<'a, str>,
    pub(crate) kind_path: String,
    pub(crate) body: &'a Object,
    pub(crate) path: String,
}

fn fault_at(place: Place, path: &str, code: FaultCode, detail: String) -> MappingFault {
    let Place { line, column } = place;
    MappingFault { path: path.into(), line, column, code, detail, suggestion: None, fatal: true }
}

/// Reads a file's text.
///
/// # Errors
/// The fault that keeps the whole file from being read.
pub(crate) fn open(text: &str) -> Result<Loader, Box<MappingFault>> {
    let at = |code, detail: &str| {
        Box::new(fault_at(Place { line: 1, column: 1 }, "", code, detail.into()))
    };
    if text.len() > MAPPING_BYTES_MAX {
        return Err(at(FaultCode::TooLarge, "a mapping file has at most 4 MiB"));
    }
    match json::parse_document(text) {
        Ok(Some(document)) => Ok(Loader { document, faults: Vec::new() }),
        Ok(None) => Err(at(FaultCode::EmptyMapping, "the mapping is empty")),
        Err(error) => Err(Box::new(fault_at(error.place, "", FaultCode::JsonSyntax, error.reason))),
    }
}

impl Loader {
    /// Notes a fault at a value.
    pub(crate) fn fault(&mut self, path: &str, code: FaultCode, detail: impl Into<String>) {
        let place = self.document.place(path);
        self.push(fault_at(place, path, code, detail.into()));
    }

    /// Notes a fault at the name of a member.
    pub(crate) fn member_fault(&mut self, path: &str, code: FaultCode, detail: impl Into<String>) {
        let place = self.document.member_place(path);
        self.push(fault_at(place, path, code, detail.into()));
    }

    /// How many faults keep something from loading.
    pub(crate) fn fatal(&self) -> usize {
        self.faults.iter().filter(|it| it.fatal).count()
    }

    fn push(&mut self, fault: MappingFault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    /// Adds what to write instead to the fault noted last.
    pub(crate) fn suggest(&mut self, suggestion: impl Into<String>) {
        if let Some(fault) = self.faults.last_mut() {
            fault.suggestion = Some(suggestion.into());
        }
    }

    /// Makes the fault noted last a warning.
    pub(crate) fn only_warn(&mut self) {
        if let Some(fault) = self.faults.last_mut() {
            fault.fatal = false;
        }
    }
}

/// The containers of a mapping whose root, which stands at `base`, is one of `root_types`.
pub(crate) fn containers<'a>(
    root: &'a Token,
    base: &str,
    loader: &mut Loader,
    root_types: &[&str],
) -> Vec<Container<'a>> {
    let Token::Object(root) = root else {
        if *root == Token::Null {
            loader.fault(base, FaultCode::EmptyMapping, "the mapping is empty");
        } else {
            let detail = format!("the root must be an object, it is {}", root.kind());
            loader.fault(base, FaultCode::JsonSyntax, detail);
        }
        return Vec::new();
    };
    let expected = root_types.first().copied().unwrap_or_default();
    let named = find(root, "templateType");
    let kind = named.and_then(|(_, it)| convert::text(it)).unwrap_or_default();
    if !root_types.iter().any(|it| it.eq_ignore_ascii_case(&kind)) {
        match named {
            None => loader.fault(base, FaultCode::WrongTemplateType, "templateType is missing"),
            Some((name, _)) => {
                let detail = format!("templateType of this file must be {expected}");
                loader.member_fault(&pointer(base, name), FaultCode::WrongTemplateType, detail);
            }
        }
        loader.suggest(format!("\"templateType\": \"{expected}\""));
        return Vec::new();
    }
    let (path, items) = match find(root, "template") {
        Some((name, Token::Array(items))) => (pointer(base, name), items),
        Some((name, _)) => {
            let path = pointer(base, name);
            loader.fault(
                &path,
                FaultCode::TemplateNotArray,
                "template must be an array of templates",
            );
            return Vec::new();
        }
        None => {
            loader.fault(
                base,
                FaultCode::TemplateNotArray,
                "template, the array of templates, is missing",
            );
            return Vec::new();
        }
    };
    let containers = items.iter().enumerate();
    containers.filter_map(|(at, item)| container(at, item, &pointer(&path, at), loader)).collect()
}

fn container<'a>(
    index: usize,
    item: &'a Token,
    path: &str,
    loader: &mut Loader,
) -> Option<Container<'a>> {
    let Token::Object(object) = item else {
        let detail = format!("a template must be an object, it is {}", item.kind());
        loader.fault(path, FaultCode::TemplateTypeProblem, detail);
        return None;
    };
    let Some((name, kind)) = find(object, "templateType") else {
        loader.fault(
            path,
            FaultCode::UnknownTemplateType,
            "templateType of the template is missing",
        );
        return None;
    };
    let kind_path = pointer(path, name);
    let kind = convert::text(kind).unwrap_or_default();
    match find(object, "template") {
        Some((name, Token::Object(body))) => {
            Some(Container { index, kind, kind_path, body, path: pointer(path, name) })
        }
        Some((name, _)) => {
            let path = pointer(path, name);
            loader.fault(&path, FaultCode::TemplateTypeProblem, "template must be an object");
            None
        }
        None => {
            loader.fault(path, FaultCode::TemplateTypeProblem, "template, the body, is missing");
            None
        }
    }
}

/// The member of that name, letters of either case being the same; the last one when repeated.
pub(crate) fn find<'a>(object: &'a Object, name: &str) -> Option<(&'a str, &'a Token)> {
    object.iter().rev().find(|(it, _)| it.eq_ignore_ascii_case(name))
}

/// The members of one object of a mapping, by the names they may have.
pub(crate) struct Members<'a, 'l> {
    found: BTreeMap<&'static str, (&'a str, &'a Token)>,
    pub(crate) path: String,
    pub(crate) loader: &'l mut Loader,
}

impl<'a, 'l> Members<'a, 'l> {
    /// Sorts the members under their known names and notes the unknown ones.
    pub(crate) fn read(
        object: &'a Object,
        path: &str,
        known: &[&'static str],
        loader: &'l mut Loader,
    ) -> Self {
        let mut found = BTreeMap::new();
        for (name, value) in object.iter() {
            if let Some(known) = known.iter().find(|it| it.eq_ignore_ascii_case(name)) {
                found.insert(*known, (name, value));
                continue;
            }
            let detail = format!("there is no member '{}' here", shortened(name));
            loader.member_fault(&pointer(path, name), FaultCode::UnknownMember, detail);
            if let Some(near) = nearest(name, known) {
                loader.suggest(format!("did you mean {near}?"));
            }
        }
        Self { found, path: path.into(), loader }
    }

    /// The same without a word about unknown members.
    pub(crate) fn lenient(object: &'a Object, path: &str, loader: &'l mut Loader) -> Self {
        const KNOWN: [&str; 10] = [
            "value",
            "language",
            "valueType",
            "valueName",
            "unit",
            "code",
            "system",
            "text",
            "codes",
            "defaultPeriod",
        ];
        let mut found = BTreeMap::new();
        for (name, value) in object.iter() {
            if let Some(known) = KNOWN.iter().copied().find(|it| it.eq_ignore_ascii_case(name)) {
                found.insert(known, (name, value));
            }
        }
        Self { found, path: path.into(), loader }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Token> {
        self.found.get(name).map(|(_, value)| *value)
    }

    /// The pointer of a member, under the name it is written with.
    pub(crate) fn path_to(&self, name: &str) -> String {
        pointer(&self.path, self.found.get(name).map_or(name, |(written, _)| written))
    }

    pub(crate) fn bad(&mut self, name: &str, wanted: &str) {
        let found = self.get(name).map_or("nothing", Token::kind);
        let path = self.path_to(name);
        self.loader.fault(
            &path,
            FaultCode::BadValueType,
            format!("{name} must be {wanted}, it is {found}"),
        );
    }

    pub(crate) fn missing(&mut self, name: &str) {
        let path = self.path.clone();
        self.loader.fault(&path, FaultCode::MissingRequiredProperty, format!("{name} is missing"));
    }

    pub(crate) fn is_null(&mut self, name: &str) {
        let path = self.path_to(name);
        self.loader.fault(
            &path,
            FaultCode::RequiredPropertyNull,
            format!("{name} must not be null or empty"),
        );
    }

    /// A text that must be there; empty is a text. Numbers, booleans and dates are turned into text.
    pub(crate) fn required_text(&mut self, name: &'static str) -> Option<String> {
        match self.get(name) {
            None => {
                self.missing(name);
                None
            }
            Some(Token::Null) => {
                self.is_null(name);
                None
            }
            Some(value) => {
                let text = convert::text(value).map(Cow::into_owned);
                if text.is_none() {
                    self.bad(name, "a text");
                    self.missing(name);
                }
                text
            }
        }
    }

    /// A text that may be there.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.get(name).filter(|it| **it != Token::Null)?;
        let text = convert::text(value).map(Cow::into_owned);
        if text.is_none() {
            self.bad(name, "a text");
        }
        text
    }

    /// An array that may be there.
    pub(crate) fn optional_array(&mut self, name: &'static str) -> Option<&'a [Token]> {
        match self.get(name) {
            Some(Token::Array(items)) => Some(items),
            None | Some(Token::Null) => None,
            Some(_) => {
                self.bad(name, "an array");
                None
            }
        }
    }
}

/// A name as far as it is shown.
fn shortened(name: &str) -> String {
    name.chars().take(60).collect()
}

/// The known name that differs least, when the difference is small.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower: Vec<char> = name.to_lowercase().chars().take(60).collect();
    let distance = |it: &str| edits(&lower, &it.to_lowercase().chars().collect::<Vec<_>>());
    let best = known.iter().copied().min_by_key(|it| distance(it))?;
    (distance(best) <= 1 + best.len() / 4).then_some(best)
}

/// Letters added, left out or changed, and neighbours swapped, between two words.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut above = None;
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&last, j) + usize::from(x != y);
            let mut fewest = changed.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let left = j.checked_sub(1);
            if let Some(left) = left
                && above == Some(y)
                && b.get(left) == Some(x)
            {
                fewest = fewest.min(at(&before, left) + 1);
            }
            row.push(fewest);
        }
        above = Some(x);
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        #[rustfmt::skip]
        let rows = [
            ("bmp", Some("bpm")), ("BPM", Some("bpm")), ("tmie", Some("time")),
            ("heartrat", Some("heartrate")), ("xyz", None), ("", None),
        ];
        for (name, want) in rows {
            assert_eq!(nearest(name, &["time", "bpm", "heartrate"]), want, "{name}");
        }
    }
}
