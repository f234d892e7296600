//! One `[component.<id>]` of the manifest, our own settings in its `tool.auscult` table included.

use super::fault::Faults;
use super::is_variable_name;
use super::section::{Item, Located, Section};
use std::collections::BTreeMap;

/// A timer may not fire more often than this: below it the guest would do little but start.
const TIMER_EVERY_MS_MIN: u64 = 10;
/// A year; longer intervals are a slip of the pen.
const TIMER_EVERY_MS_MAX: u64 = 366 * 24 * 3_600_000;
/// The smallest useful memory, the few pages a Rust guest starts with.
const MEMORY_BYTES_MIN: u64 = 2 << 20;
/// What the engine reserves for one memory, so the most that may be promised.
pub(crate) const MEMORY_BYTES_CEILING: u64 = 1 << 30;
/// The longest a guest may be allowed to compute.
const DEADLINE_MS_MAX: u64 = 3_600_000;

/// A component as the manifest describes it.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// Path of the WebAssembly file, relative to the manifest.
    pub source: Option<Located<String>>,
    /// Environment of the guest.
    pub environment: BTreeMap<String, String>,
    /// Variables the guest may read: name and template.
    pub variables: BTreeMap<String, Located<String>>,
    /// Files the guest may read.
    pub files: Vec<Located<Mount>>,
    /// Patterns of files left out.
    pub exclude_files: Vec<Located<String>>,
    /// Where the guest may connect to, as templates.
    pub allowed_outbound_hosts: Vec<Located<String>>,
    /// Labels of the SQLite databases the guest may open.
    pub sqlite_databases: Vec<Located<String>>,
    /// Labels of the key-value stores the guest may open.
    pub key_value_stores: Vec<Located<String>>,
    /// Components that satisfy imports of this one.
    pub dependencies: Vec<Dependency>,
    /// Whether all dependencies get everything this component may do.
    pub dependencies_inherit_configuration: bool,
    /// Our own settings.
    pub tool: ToolSettings,
    /// The line of the component.
    pub line: usize,
}

/// Files given to a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// All files that match a pattern, under their own relative paths.
    Pattern(String),
    /// A file or folder under another name.
    Placed {
        /// What to give, relative to the manifest.
        source: String,
        /// Where the guest sees it.
        destination: String,
    },
}

/// A component that satisfies an import of another.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The import: a package, an interface or a plain name.
    pub name: String,
    /// Where the component comes from.
    pub source: DependencySource,
    /// The export to use, if it is not called like the import.
    pub export: Option<String>,
    /// What it inherits of the depending component.
    pub inherit: Inherit,
    /// The line of the entry.
    pub line: usize,
}

/// Where a dependency comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencySource {
    /// A file, relative to the manifest.
    Path(String),
    /// Another component of the application.
    Component(String),
}

/// What a dependency inherits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inherit {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// These sets of capabilities, by their manifest keys.
    Some(Vec<String>),
}

/// What `[component.<id>.tool.auscult]` says.
#[derive(Debug, Clone, Default)]
pub struct ToolSettings {
    /// Paths called at intervals.
    pub timers: Vec<Timer>,
    /// The most memory one instance may have.
    pub memory_bytes_max: Option<u64>,
    /// The longest one instance may compute.
    pub deadline_ms: Option<u64>,
}

/// A path of the component that is called at an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// The path to POST to.
    pub path: String,
    /// The interval.
    pub every_ms: u64,
}

impl Component {
    pub(super) fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        let mut component = Self { line: faults.line(&section.span()), ..Self::default() };
        component.source =
            section.need("source", faults).and_then(|item| read_source(item, faults));
        section.string("description", faults);
        component.environment = read_map(section.take("environment"), faults)
            .into_iter()
            .map(|(name, text)| (name, text.value))
            .collect();
        component.variables = read_map(section.take("variables"), faults);
        for (name, template) in &component.variables {
            if !is_variable_name(name) {
                faults.at_line(template.line, format!("'{name}' is not a variable name"));
            }
        }
        for item in section.take("files").map(|item| item.items(faults)).unwrap_or_default() {
            component.files.extend(read_mount(item, faults));
        }
        let mut strings = |key, faults: &mut Faults| {
            section.take(key).map(|item| item.strings(faults)).unwrap_or_default()
        };
        component.exclude_files = strings("exclude_files", faults);
        component.allowed_outbound_hosts = strings("allowed_outbound_hosts", faults);
        component.sqlite_databases = strings("sqlite_databases", faults);
        component.key_value_stores = strings("key_value_stores", faults);
        if !strings("ai_models", faults).is_empty() {
            faults.at_line(component.line, "key 'ai_models' is not supported by this host");
        }
        section.take("build"); // How to make the file is not our business.
        component.dependencies_inherit_configuration = section
            .take("dependencies_inherit_configuration")
            .and_then(|item| item.boolean(faults))
            .unwrap_or(false);
        if let Some(table) = section.take("dependencies").and_then(|item| item.section(faults)) {
            component.dependencies = table
                .entries()
                .filter_map(|(name, item)| read_dependency(name, item, faults))
                .collect();
        }
        if component.dependencies_inherit_configuration {
            for dependency in &mut component.dependencies {
                dependency.inherit = Inherit::Everything;
            }
        }
        if let Some(mut tool) = section.take("tool").and_then(|item| item.section(faults)) {
            // Tables of other tools are theirs; only ours is read and checked.
            if let Some(ours) = tool.take("auscult").and_then(|item| item.section(faults)) {
                component.tool = ToolSettings::read(ours, faults);
            }
        }
        section.finish(faults);
        component
    }
}

impl ToolSettings {
    fn read(mut section: Section<'_>, faults: &mut Faults) -> Self {
        let timers = section.take("timer").map(|item| item.items(faults)).unwrap_or_default();
        let timers = timers.into_iter().filter_map(|item| read_timer(item, faults)).collect();
        let memory = section.take("memory_bytes_max");
        let memory =
            memory.and_then(|item| item.number(MEMORY_BYTES_MIN..MEMORY_BYTES_CEILING + 1, faults));
        let deadline = section.take("deadline_ms");
        let deadline = deadline.and_then(|item| item.number(1..DEADLINE_MS_MAX + 1, faults));
        section.finish(faults);
        Self { timers, memory_bytes_max: memory, deadline_ms: deadline }
    }
}

fn read_timer(item: Item<'_>, faults: &mut Faults) -> Option<Timer> {
    let mut section = item.section(faults)?;
    let path = section.need("path", faults).and_then(|item| {
        let path = item.string(faults)?;
        if !path.starts_with('/') {
            faults.at(&item.span, format!("key '{}' must begin with '/'", item.path));
            return None;
        }
        Some(path)
    });
    let every = section.need("every_ms", faults);
    let every =
        every.and_then(|item| item.number(TIMER_EVERY_MS_MIN..TIMER_EVERY_MS_MAX + 1, faults));
    section.finish(faults);
    Some(Timer { path: path?, every_ms: every? })
}

fn read_source(item: Item<'_>, faults: &mut Faults) -> Option<Located<String>> {
    if item.is_table() {
        let message = format!(
            "key '{}' must be the path of a file: this host fetches no component from the network or a registry",
            item.path
        );
        faults.at(&item.span, message);
        return None;
    }
    item.located(faults)
}

fn read_map(item: Option<Item<'_>>, faults: &mut Faults) -> BTreeMap<String, Located<String>> {
    let Some(section) = item.and_then(|item| item.section(faults)) else {
        return BTreeMap::new();
    };
    section.entries().filter_map(|(name, item)| Some((name, item.located(faults)?))).collect()
}

fn read_mount(item: Item<'_>, faults: &mut Faults) -> Option<Located<Mount>> {
    let line = faults.line(&item.span);
    let value = if item.is_string() {
        Mount::Pattern(item.string(faults)?)
    } else {
        let mut section = item.section(faults)?;
        let source = section.need("source", faults).and_then(|item| item.string(faults));
        let destination = section.need("destination", faults).and_then(|item| item.string(faults));
        section.finish(faults);
        Mount::Placed { source: source?, destination: destination? }
    };
    Some(Located { value, line })
}

fn read_dependency(name: String, item: Item<'_>, faults: &mut Faults) -> Option<Dependency> {
    let span = item.span.clone();
    let line = faults.line(&span);
    if item.is_string() {
        let message = format!(
            "key '{}' names a registry version: this host takes only {{ path = … }} or {{ component = … }}",
            item.path
        );
        faults.at(&span, message);
        return None;
    }
    let path_of_entry = item.path.clone();
    let mut section = item.section(faults)?;
    let path = section.string("path", faults);
    let component = section.string("component", faults);
    let export = section.string("export", faults);
    let inherit = section.take("inherit_configuration").and_then(|item| read_inherit(item, faults));
    section.finish(faults);
    let source = match (path, component) {
        (Some(path), None) => DependencySource::Path(path),
        (None, Some(component)) => DependencySource::Component(component),
        _ => {
            let message = format!("key '{path_of_entry}' needs either 'path' or 'component'");
            faults.at(&span, message);
            return None;
        }
    };
    Some(Dependency { name, source, export, inherit: inherit.unwrap_or(Inherit::Nothing), line })
}

fn read_inherit(item: Item<'_>, faults: &mut Faults) -> Option<Inherit> {
    const SETS: [&str; 7] = [
        "ai_models",
        "allowed_outbound_hosts",
        "environment",
        "files",
        "key_value_stores",
        "sqlite_databases",
        "variables",
    ];
    if let Some(everything) = item.as_boolean() {
        return Some(if everything { Inherit::Everything } else { Inherit::Nothing });
    }
    let span = item.span.clone();
    let sets = item.strings(faults);
    for set in &sets {
        if !SETS.contains(&set.value.as_str()) {
            faults.at(&span, format!("'{}' is nothing a dependency can inherit", set.value));
        }
    }
    Some(Inherit::Some(sets.into_iter().map(|set| set.value).collect()))
}
