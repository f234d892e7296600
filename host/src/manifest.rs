//! The application manifest, `spin.toml` version 2: read whole, and refused with the line of every
//! key that is not understood.

mod component;
mod fault;
mod section;

pub use component::{Component, Dependency, DependencySource, Inherit, Mount, Timer, ToolSettings};
pub use fault::{Fault, ManifestError};
pub use section::Located;

pub(crate) use component::MEMORY_BYTES_CEILING;
pub(crate) use fault::Faults;

use section::{Item, Section};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// An application as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file it was read from.
    pub path: PathBuf,
    /// The application's name.
    pub name: String,
    /// The application's version, empty if it has none.
    pub version: String,
    /// Declared variables by name.
    pub variables: BTreeMap<String, Variable>,
    /// What answers which path.
    pub triggers: Vec<Trigger>,
    /// Components by id.
    pub components: BTreeMap<String, Component>,
}

/// A declared variable of the application.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The value when none is given; a variable without one is required.
    pub default: Option<String>,
    /// Whether the value must never be shown.
    pub secret: bool,
    /// The line of the declaration.
    pub line: usize,
}

/// One `[[trigger.http]]`.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The path pattern, or none for a component reached only by other components.
    pub route: Option<Located<String>>,
    /// The component that answers.
    pub component: Located<String>,
}

impl Manifest {
    /// Reads a manifest from a file.
    ///
    /// # Errors
    /// Returns every fault found; an unreadable file is a fault in line 1.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) => {
                let fault =
                    Fault { line: 1, message: format!("cannot read the manifest: {error}") };
                Err(ManifestError { path: path.to_owned(), faults: vec![fault] })
            }
        }
    }

    /// Reads a manifest from its text; `path` is only remembered.
    ///
    /// # Errors
    /// Returns every fault found.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ManifestError> {
        let mut faults = Faults::new(path, text);
        let (table, syntax) = DeTable::parse_recoverable(text);
        for error in &syntax {
            faults.at(&error.span().unwrap_or(0..0), error.message());
        }
        let mut manifest = Self {
            path: path.to_owned(),
            name: String::new(),
            version: String::new(),
            variables: BTreeMap::new(),
            triggers: Vec::new(),
            components: BTreeMap::new(),
        };
        if syntax.is_empty() {
            manifest.read(Section::root(&table), &mut faults);
        }
        faults.finish(manifest)
    }

    /// The folder that relative paths start from.
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    fn read(&mut self, mut root: Section<'_>, faults: &mut Faults) {
        if let Some(version) = root.need("spin_manifest_version", faults) {
            version.number(2..3, faults);
        }
        if let Some(section) =
            root.need("application", faults).and_then(|item| item.section(faults))
        {
            self.read_application(section, faults);
        }
        if let Some(section) = root.take("variables").and_then(|item| item.section(faults)) {
            for (name, item) in section.entries() {
                if let Some(variable) = read_variable(&name, item, faults) {
                    self.variables.insert(name, variable);
                }
            }
        }
        if let Some(section) = root.take("component").and_then(|item| item.section(faults)) {
            for (id, item) in section.entries() {
                if !is_component_id(&id) {
                    faults.at(
                        &item.span,
                        format!(
                            "'{id}' is not a component id: write lower-case words joined by '-'"
                        ),
                    );
                }
                if let Some(section) = item.section(faults) {
                    self.components.insert(id, Component::read(section, faults));
                }
            }
        }
        if let Some(mut section) =
            root.need("trigger", faults).and_then(|item| item.section(faults))
        {
            let triggers = section.need("http", faults);
            for item in triggers.map(|item| item.items(faults)).unwrap_or_default() {
                if let Some(trigger) = read_trigger(item, faults) {
                    self.triggers.push(trigger);
                }
            }
            section.finish(faults);
        }
        root.finish(faults);
        self.check_triggers(faults);
    }

    fn read_application(&mut self, mut section: Section<'_>, faults: &mut Faults) {
        if let Some(name) = section.need("name", faults).and_then(|item| item.string(faults)) {
            self.name = name;
        }
        self.version = section.string("version", faults).unwrap_or_default();
        section.string("description", faults);
        if let Some(authors) = section.take("authors") {
            authors.strings(faults);
        }
        section.take("tool"); // Settings of other programs, free in form.
        if let Some(mut trigger) = section.take("trigger").and_then(|item| item.section(faults)) {
            if let Some(mut http) = trigger.take("http").and_then(|item| item.section(faults)) {
                if let Some(base) = http.take("base")
                    && base.string(faults).is_some_and(|base| base != "/")
                {
                    faults.at(&base.span, format!("key '{}' can only be \"/\"", base.path));
                }
                http.finish(faults);
            }
            trigger.finish(faults);
        }
        section.finish(faults);
    }

    fn check_triggers(&self, faults: &mut Faults) {
        for trigger in &self.triggers {
            if !self.components.contains_key(&trigger.component.value) {
                let message = format!("no component is called '{}'", trigger.component.value);
                faults.at_line(trigger.component.line, message);
            }
        }
    }
}

fn read_variable(name: &str, item: Item<'_>, faults: &mut Faults) -> Option<Variable> {
    let span = item.span.clone();
    let line = faults.line(&span);
    if !is_variable_name(name) {
        let message = format!("'{name}' is not a variable name: write lower case, digits and '_'");
        faults.at(&span, message);
    }
    let mut section = item.section(faults)?;
    let required = section.take("required").and_then(|item| item.boolean(faults)).unwrap_or(false);
    let default = section.string("default", faults);
    let secret = section.take("secret").and_then(|item| item.boolean(faults)).unwrap_or(false);
    section.string("description", faults);
    section.finish(faults);
    if required == default.is_some() {
        let message = format!("variable '{name}' needs either 'required = true' or a 'default'");
        faults.at(&span, message);
        return None;
    }
    Some(Variable { default, secret, line })
}

fn read_trigger(item: Item<'_>, faults: &mut Faults) -> Option<Trigger> {
    let mut section = item.section(faults)?;
    section.string("id", faults);
    let component = section.need("component", faults).and_then(|item| item.located(faults));
    let route = section.need("route", faults).and_then(|item| read_route(item, faults));
    if let Some(mut executor) = section.take("executor").and_then(|item| item.section(faults)) {
        if let Some(kind) = executor.need("type", faults)
            && kind.string(faults).is_some_and(|kind| kind != "http" && kind != "spin")
        {
            faults.at(&kind.span, format!("key '{}' can only be \"http\"", kind.path));
        }
        executor.finish(faults);
    }
    section.finish(faults);
    Some(Trigger { route: route?, component: component? })
}

/// Some(None) is a private route.
fn read_route(item: Item<'_>, faults: &mut Faults) -> Option<Option<Located<String>>> {
    if item.is_string() {
        return item.located(faults).map(Some);
    }
    let span = item.span.clone();
    let path = item.path.clone();
    let mut section = item.section(faults)?;
    let private = section.take("private").and_then(|item| item.boolean(faults));
    section.finish(faults);
    if private != Some(true) {
        faults.at(&span, format!("key '{path}' must be a path or {{ private = true }}"));
        return None;
    }
    Some(None)
}

fn is_component_id(id: &str) -> bool {
    id.split(['-', '_'])
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && id.starts_with(|first: char| first.is_ascii_alphabetic())
}

pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
