//! What the components may ask of a host: only what Spin 3.6 and Spin 4 offer.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use auscult_tests::{program, root};
use wasmparser::{Parser, Payload};

/// Interfaces of Spin 3.6 (`spin:up@3.6.0`), which Spin 4 still links. Matched up to the version's
/// last number: WASI 0.2 is one track.
const OFFERED: [&str; 33] = [
    "wasi:cli/environment@0.2",
    "wasi:cli/exit@0.2",
    "wasi:cli/stderr@0.2",
    "wasi:cli/stdin@0.2",
    "wasi:cli/stdout@0.2",
    "wasi:cli/terminal-input@0.2",
    "wasi:cli/terminal-output@0.2",
    "wasi:cli/terminal-stderr@0.2",
    "wasi:cli/terminal-stdin@0.2",
    "wasi:cli/terminal-stdout@0.2",
    "wasi:clocks/monotonic-clock@0.2",
    "wasi:clocks/wall-clock@0.2",
    "wasi:filesystem/preopens@0.2",
    "wasi:filesystem/types@0.2",
    "wasi:http/outgoing-handler@0.2",
    "wasi:http/types@0.2",
    "wasi:io/error@0.2",
    "wasi:io/poll@0.2",
    "wasi:io/streams@0.2",
    "wasi:random/insecure-seed@0.2",
    "wasi:random/insecure@0.2",
    "wasi:random/random@0.2",
    "wasi:sockets/instance-network@0.2",
    "wasi:sockets/ip-name-lookup@0.2",
    "wasi:sockets/network@0.2",
    "wasi:sockets/tcp@0.2",
    "wasi:sockets/tcp-create-socket@0.2",
    "fermyon:spin/key-value@2.0.0",
    "fermyon:spin/sqlite@2.0.0",
    "fermyon:spin/variables@2.0.0",
    "spin:sqlite/sqlite@3.0.0",
    "spin:postgres/postgres@3.0.0",
    "spin:postgres/postgres@4.0.0",
];

const COMPONENTS: [&str; 6] =
    ["ingest", "normalization", "scoring", "notification", "records", "console"];

fn imports(component: &str) -> Result<BTreeSet<String>> {
    let release = program();
    let target = release.parent().and_then(|it| it.parent()).context("the program's folder")?;
    let path = target.join("wasm32-wasip2/release").join(format!("{component}.wasm"));
    let bytes = std::fs::read(&path).with_context(|| format!("{}", path.display()))?;
    let mut found = BTreeSet::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found.insert(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

#[test]
fn every_component_imports_only_what_spin_offers() -> Result<()> {
    for component in COMPONENTS {
        let imports = imports(component)?;
        assert!(!imports.is_empty(), "{component} imports nothing: is it a component?");
        for import in &imports {
            let offered = OFFERED.iter().any(|it| {
                import == it || import.strip_prefix(it).is_some_and(|rest| rest.starts_with('.'))
            });
            assert!(offered, "{component} imports {import}");
        }
    }
    Ok(())
}

/// Only stages that talk to others may open connections; only the database's owners may open it.
#[test]
fn the_import_lists_are_the_ones_written_down() -> Result<()> {
    for component in COMPONENTS {
        let mut list: Vec<String> = imports(component)?.into_iter().collect();
        list.push(String::new());
        let golden = root().join("tests/capabilities").join(format!("{component}.golden"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::create_dir_all(root().join("tests/capabilities"))?;
            std::fs::write(&golden, list.join("\n"))?;
        }
        let written =
            std::fs::read_to_string(&golden).with_context(|| format!("{}", golden.display()))?;
        assert_eq!(list.join("\n"), written, "{component}: UPDATE_EXPECT=1 rewrites the list");
    }
    Ok(())
}
