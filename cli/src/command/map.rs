//! `auscult map`: mapping files, checked before anybody installs them.

use std::path::{Path, PathBuf};

use auscult_mapping::load::MAPPING_BYTES_MAX;
use auscult_mapping::{DeviceMapping, MappingFault};
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// Mapping files: from a device's message to measurements.
#[derive(Debug, clap::Subcommand)]
pub enum Map {
    /// Reads a device-content mapping and tells every fault with its place; exit 1 when a template
    /// would be left out.
    Check {
        /// The mapping file.
        file: PathBuf,
    },
}

impl Map {
    /// Does what was asked.
    pub fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Check { file } => check(&file, output),
        }
    }
}

fn check(file: &Path, output: Output) -> Result<(), Failure> {
    let text = read(file)?;
    let loaded = DeviceMapping::compile(&text);
    let name = file.display().to_string();
    let n_templates = loaded.mapping.len();
    let lines: Vec<String> = loaded.faults.iter().map(|it| line(&name, it)).collect();
    let summary = format!("{name}: {n_templates} templates, {} faults", loaded.faults.len());
    let json = json!({ "file": name, "sound": loaded.is_sound(), "templates": n_templates, "faults": loaded.faults });
    output.print(&lines.into_iter().chain([summary]).collect::<Vec<_>>().join("\n"), &json);
    if loaded.is_sound() {
        Ok(())
    } else {
        Err(Failure::Bad(format!("{name} would not load whole")))
    }
}

/// `file:line:column: code at /path: what is wrong (what to write instead)`, as compilers do.
fn line(file: &str, fault: &MappingFault) -> String {
    let MappingFault { line, column, path, detail, .. } = fault;
    let kind = if fault.fatal { "error" } else { "warning" };
    let advice = fault.suggestion.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    format!("{file}:{line}:{column}: {kind} {} at {path}: {detail}{advice}", fault.code.as_str())
}

fn read(file: &Path) -> Result<String, Failure> {
    let unread = |it: std::io::Error| Failure::unread(&file.display().to_string(), &it);
    let size = std::fs::metadata(file).map_err(unread)?.len();
    if usize::try_from(size).map_or(true, |it| it > MAPPING_BYTES_MAX) {
        return Err(Failure::Bad(format!("{} is too large for a mapping", file.display())));
    }
    std::fs::read_to_string(file).map_err(unread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Format;

    fn checked(text: &str) -> Result<(), u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mapping.json");
        std::fs::write(&file, text).unwrap();
        check(&file, Output::new(Format::Text)).map_err(|it| it.code())
    }

    #[test]
    fn a_sound_mapping_is_0_a_faulty_one_1_and_a_missing_one_3() {
        let sound = r#"{ "templateType": "CollectionContent", "template": [ { "templateType": "JsonPathContent", "template": {
            "typeName": "heartrate", "typeMatchExpression": "$..[?(@heartRate)]", "deviceIdExpression": "$.device",
            "timestampExpression": "$.ts", "values": [ { "required": "true", "valueExpression": "$.heartRate", "valueName": "hr" } ] } } ] }"#;
        assert_eq!(checked(sound), Ok(()));
        assert_eq!(checked(&sound.replace("\"typeName\"", "\"typename_\"")), Err(1));
        assert_eq!(checked("{"), Err(1));
        let missing = check(Path::new("/nowhere/mapping.json"), Output::new(Format::Text));
        assert_eq!(missing.unwrap_err().code(), 3);
    }
}
