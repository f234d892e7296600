//! Runs the behaviour corpus of the peer over the engine and documents what passed.
//!
//! The corpus is data beside the repository; where it is not present this test says so and passes.

mod device;
mod expressions;
mod fhir;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;

/// Where the corpus lies, seen from the root of the repository.
const CORPUS: &str = "../shared/corpus/iomt-fhir";

/// Cases whose result differs on purpose, each with the reason.
const DIFFERS_ON_PURPOSE: [(&str, &str); 6] = [
    (
        "fhir-099",
        "a stored series is read with the period it was stored with, so that no sample moves in time",
    ),
    (
        "fhir-122",
        "a component added by a merge covers the whole new window, so that no sample is lost",
    ),
    (
        "fhir-123",
        "a component without new data is laid over the new window too, so that it does not shift",
    ),
    ("fhir-126", "times are written in UTC with Z, whatever the zone they came in"),
    ("ident-021", "a device linked to one patient does not silently take data that name another"),
    (
        "load-025",
        "an empty file is no mapping and is refused, instead of failing with the first message",
    ),
];

/// One case, and the exact text of its members, which keeps their order.
pub struct Case {
    value: Value,
    raw: BTreeMap<String, Box<RawValue>>,
}

impl std::ops::Deref for Case {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.value
    }
}

impl Case {
    fn parse(text: &str) -> Self {
        let parsed = serde_json::from_str(text).unwrap();
        Self { value: parsed, raw: serde_json::from_str(text).unwrap() }
    }

    /// The text of a member, as it stands in the file.
    pub fn text(&self, member: &str) -> Option<&str> {
        self.raw.get(member).map(|it| it.get())
    }
}

type Check = fn(&Case) -> Result<(), String>;

const KINDS: [(&str, Check); 11] = [
    ("normalize", device::normalize),
    ("template-load", device::template_load),
    ("expression", expressions::expression),
    ("fhir", fhir::fhir),
    ("measurement-groups", fhir::groups_of_measurements),
    ("observation-groups", fhir::groups_of_observations),
    ("sampled-data-build", fhir::sampled_build),
    ("sampled-data-merge", fhir::sampled_merge),
    ("partition-hash", fhir::hash),
    ("identity", fhir::identity),
    ("validate", fhir::validation),
];

#[test]
fn every_case_of_the_corpus_gives_the_result_of_the_peer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(CORPUS);
    if !root.is_dir() {
        println!("not present: {CORPUS}; nothing was compared");
        return;
    }
    let mut failures = Vec::new();
    let mut features: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut table = String::from("| kind | same | on purpose different |\n|---|---|---|\n");
    for (kind, check) in KINDS {
        let (mut passed, mut total, mut differs) = (0, 0, 0);
        for path in files(&root.join(kind)) {
            let case = Case::parse(&std::fs::read_to_string(&path).unwrap());
            let id = case["id"].as_str().unwrap();
            let outcome = check(&case);
            if DIFFERS_ON_PURPOSE.iter().any(|(it, _)| *it == id) {
                differs += 1;
                assert!(outcome.is_err(), "{id} is listed as different but is the same");
                continue;
            }
            total += 1;
            passed += usize::from(outcome.is_ok());
            for feature in case["features"].as_array().unwrap() {
                let row = features.entry(feature.as_str().unwrap().to_owned()).or_default();
                row.0 += usize::from(outcome.is_ok());
                row.1 += 1;
            }
            if let Err(reason) = outcome {
                failures.push(format!("{id} {}: {reason}", case["name"].as_str().unwrap()));
            }
        }
        table.push_str(&format!("| {kind} | {passed}/{total} | {differs} |\n"));
    }
    table.push_str("\n| template type, function or feature | same |\n|---|---|\n");
    for (feature, (passed, total)) in features {
        table.push_str(&format!("| {feature} | {passed}/{total} |\n"));
    }
    table.push_str("\n| case | different because |\n|---|---|\n");
    for (id, reason) in DIFFERS_ON_PURPOSE {
        table.push_str(&format!("| {id} | {reason} |\n"));
    }
    println!("{table}");
    assert!(failures.is_empty(), "{}\n{} failed", failures.join("\n"), failures.len());
    documented(&table);
}

/// The table stands in the documentation as it is; `UPDATE_EXPECT=1` writes it there.
fn documented(table: &str) {
    const BEGIN: &str = "<!-- cases: begin -->\n";
    const END: &str = "<!-- cases: end -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mapping.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, table, "docs/mapping.md is out of date; run with UPDATE_EXPECT=1");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    files
}

/// Fails with both sides when they differ.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, want: T) -> Result<(), String> {
    if found == want { Ok(()) } else { Err(format!("{what}: found {found:?}, want {want:?}")) }
}
