//! `auscult map`: mapping files, checked before anybody installs them, and tried on a message.

mod explain;

use std::path::{Path, PathBuf};

use auscult_mapping::load::MAPPING_BYTES_MAX;
use auscult_mapping::set::is_fhir_mapping;
use auscult_mapping::{FhirMapping, MappingFault, MappingSet};
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// Mapping files: from a device's message to measurements.
#[derive(Debug, clap::Subcommand)]
pub enum Map {
    /// Reads a mapping set, device mapping or FHIR mapping and tells every fault with its place; exit
    /// 1 when a template would be left out.
    Check {
        /// The mapping file.
        file: PathBuf,
    },
    /// Tells what becomes of one message: which templates matched, what each expression gave, the
    /// measurements, the Observations; exit 1 when something did not arrive.
    Explain(explain::Explain),
}

impl Map {
    /// Does what was asked.
    pub fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::Check { file } => check(&file, output),
            Self::Explain(explain) => explain.run(output),
        }
    }
}

fn check(file: &Path, output: Output) -> Result<(), Failure> {
    let text = read_mapping(file)?;
    let (n_templates, faults) = if is_fhir_mapping(&text) {
        let loaded = FhirMapping::compile(&text);
        (loaded.mapping.len(), loaded.faults)
    } else {
        let loaded = MappingSet::compile(&text);
        let of_fhir = loaded.mapping.fhir.as_ref().map_or(0, FhirMapping::len);
        (loaded.mapping.device.len() + of_fhir, loaded.faults)
    };
    let sound = !faults.iter().any(|it| it.fatal);
    let name = file.display().to_string();
    let lines: Vec<String> = faults.iter().map(|it| line(&name, it)).collect();
    let summary = format!("{name}: {n_templates} templates, {} faults", faults.len());
    let json = json!({ "file": name, "sound": sound, "templates": n_templates, "faults": faults });
    output.print(&lines.into_iter().chain([summary]).collect::<Vec<_>>().join("\n"), &json);
    if sound { Ok(()) } else { Err(Failure::Bad(format!("{name} would not load whole"))) }
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
    std::fs::read_to_string(file).map_err(unread)
}

fn read_mapping(file: &Path) -> Result<String, Failure> {
    let unread = |it: std::io::Error| Failure::unread(&file.display().to_string(), &it);
    let size = std::fs::metadata(file).map_err(unread)?.len();
    if usize::try_from(size).map_or(true, |it| it > MAPPING_BYTES_MAX) {
        return Err(Failure::Bad(format!("{} is too large for a mapping", file.display())));
    }
    read(file)
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
        let fhir = r#"{ "templateType": "CollectionFhir", "template": [ { "templateType": "CodeValueFhir",
            "template": { "typeName": "heartrate", "codes": [] } } ] }"#;
        assert_eq!(checked(fhir), Ok(()));
        assert_eq!(checked(&fhir.replace("CodeValueFhir", "CodeValue")), Err(1));
        assert_eq!(checked(&format!(r#"{{ "device": {sound}, "fhir": {fhir} }}"#)), Ok(()));
        assert_eq!(checked(&format!(r#"{{ "device": {sound}, "values": [ 1 ] }}"#)), Err(1));
        let missing = check(Path::new("/nowhere/mapping.json"), Output::new(Format::Text));
        assert_eq!(missing.unwrap_err().code(), 3);
    }
}
