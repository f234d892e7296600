//! The documents name only what is there.

use anyhow::Result;
use auscult_tests::root;

const DOCUMENTS: [&str; 10] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/alerts.md",
    "docs/benchmark.md",
    "docs/catalogue.md",
    "docs/channels.md",
    "docs/console.md",
    "docs/fhir.md",
    "docs/mapping.md",
    "docs/scoring.md",
];

/// Folders of the repository; what starts with one of them and is quoted must exist.
const ROOMS: [&str; 10] = [
    "crates/",
    "components/",
    "host/",
    "cli/",
    "tests/",
    "xtask/",
    "docs/",
    "infra/",
    "wit/",
    ".ci/",
];

#[test]
fn every_path_a_document_quotes_exists() -> Result<()> {
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(document))?;
        for quoted in text.split('`').skip(1).step_by(2) {
            let plain = !quoted.contains([' ', '*', '<', '{', '…', '\n', ':']);
            if plain
                && ROOMS.iter().any(|it| quoted.starts_with(it))
                && !root().join(quoted).exists()
            {
                missing.push(format!("{document}: {quoted}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    Ok(())
}

#[test]
fn every_document_under_docs_is_checked() -> Result<()> {
    for file in std::fs::read_dir(root().join("docs"))? {
        let name = format!("docs/{}", file?.file_name().to_string_lossy());
        let known =
            DOCUMENTS.contains(&name.as_str()) || name == "docs/simulator.md" || name == "docs/adr";
        assert!(known || !name.ends_with(".md"), "{name} is not in the list above");
    }
    Ok(())
}
