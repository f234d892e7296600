//! The mapping sets of one batch, compiled once, and which of them a message is for.

use std::collections::HashMap;

use auscult_mapping::MappingSet;
use auscult_model::events::ReceivedMessage;

/// One compiled version of a mapping set.
#[derive(Debug)]
pub struct Compiled {
    /// Name of the set: the same over all versions.
    pub name: String,
    /// `<name>@<version>`.
    pub version: String,
    /// The set.
    pub set: MappingSet,
}

/// What a device is, as (system, code) of its `Device.type`.
pub type DeviceTypes = HashMap<String, Vec<(String, String)>>;

/// The compiled mapping sets of one batch.
#[derive(Debug, Default)]
pub struct MappingSets {
    versions: HashMap<String, Compiled>,
    /// The version in force, by name.
    current: HashMap<String, String>,
    /// Names of the sets that choose messages themselves, in order of name.
    choosing: Vec<String>,
    types: DeviceTypes,
}

impl MappingSets {
    /// Compiles the version in force of a set. Templates that do not load were told when it was put
    /// here, and are left out.
    pub fn add(&mut self, name: &str, version: i64, document: &str) {
        let version = self.add_version(name, version, document);
        let chooses = self.versions.get(&version).is_some_and(|it| !it.set.applies.is_empty());
        if chooses && let Err(place) = self.choosing.binary_search_by(|it| it.as_str().cmp(name)) {
            self.choosing.insert(place, name.to_owned());
        }
        self.current.insert(name.to_owned(), version);
    }

    /// Compiles any version of a set and returns its name.
    pub fn add_version(&mut self, name: &str, version: i64, document: &str) -> String {
        let version = format!("{name}@{version}");
        let set = MappingSet::compile(document).mapping;
        let compiled = Compiled { name: name.to_owned(), version: version.clone(), set };
        self.versions.insert(version.clone(), compiled);
        version
    }

    /// Tells what the devices of the batch are.
    pub fn know(&mut self, types: DeviceTypes) {
        self.types = types;
    }

    /// Whether some set wants to know what a device is.
    #[must_use]
    pub fn ask_for_types(&self) -> bool {
        self.choosing
            .iter()
            .filter_map(|it| self.get(it))
            .any(|it| !it.set.applies.device_types.is_empty())
    }

    /// The version in force of that set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Compiled> {
        self.version(self.current.get(name)?)
    }

    /// That version.
    #[must_use]
    pub fn version(&self, version: &str) -> Option<&Compiled> {
        self.versions.get(version)
    }

    /// The set a message is for: the one its sender names, else the first by name that chooses it.
    #[must_use]
    pub fn of(&self, message: &ReceivedMessage) -> Option<&Compiled> {
        if let Some(source) = &message.source {
            return self.get(source);
        }
        let device = device_of(message)?;
        let types = self.types.get(device).map(Vec::as_slice).unwrap_or_default();
        let covers = |it: &&Compiled| it.set.applies.covers(device, types);
        self.choosing.iter().filter_map(|it| self.get(it)).find(covers)
    }
}

/// The device that sent a message, as far as that is known before it is read.
#[must_use]
pub fn device_of(message: &ReceivedMessage) -> Option<&str> {
    match (&message.device, message.allowed.as_slice()) {
        (Some(device), _) => Some(device),
        (None, [only]) if !only.ends_with('*') => Some(only),
        _ => None,
    }
}
