//! Keeps authority from dependencies: what one may not use is given to it as a stub that traps.

use crate::manifest::Inherit;
use anyhow::Context;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{ManglingAndAbi, Resolve, WorldItem, WorldKey};

/// Interfaces that give no authority worth denying: passing bytes, time, randomness, the log.
const HARMLESS: [&str; 9] = [
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/exit",
    "wasi:cli/terminal",
    "wasi:http/types",
];

/// Interfaces a set of capabilities opens.
const SETS: [(&str, &[&str]); 6] = [
    ("allowed_outbound_hosts", &["wasi:http/outgoing-handler", "wasi:sockets/", "spin:postgres/"]),
    ("environment", &["wasi:cli/environment"]),
    ("files", &["wasi:filesystem/"]),
    ("key_value_stores", &["fermyon:spin/key-value"]),
    ("sqlite_databases", &["fermyon:spin/sqlite", "spin:sqlite/"]),
    ("variables", &["fermyon:spin/variables"]),
];

/// A component that exports every host interface `wasm` imports but may not use, each function
/// a trap; none if there is nothing to deny.
pub(crate) fn stub(wasm: &[u8], inherit: &Inherit) -> anyhow::Result<Option<Vec<u8>>> {
    if *inherit == Inherit::Everything {
        return Ok(None);
    }
    let DecodedWasm::Component(mut resolve, world) = decode(wasm)? else {
        anyhow::bail!("it is not a component");
    };
    let denied: Vec<(WorldKey, WorldItem)> = resolve.worlds[world]
        .imports
        .iter()
        .filter(|(key, item)| {
            matches!(item, WorldItem::Interface { .. })
                && is_denied(&resolve.name_world_key(key), inherit)
        })
        .map(|(key, item)| (key.clone(), item.clone()))
        .collect();
    if denied.is_empty() {
        return Ok(None);
    }
    let world = stub_world(&mut resolve, denied)?;
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    let stub = ComponentEncoder::default().validate(true).module(&module)?.encode()?;
    Ok(Some(stub))
}

/// Adds a world that exports the denied interfaces and imports what their types come from.
fn stub_world(
    resolve: &mut Resolve,
    denied: Vec<(WorldKey, WorldItem)>,
) -> anyhow::Result<wit_parser::WorldId> {
    let list: Vec<String> = denied
        .iter()
        .map(|(key, _)| format!("  export {};\n", resolve.name_world_key(key)))
        .collect();
    let text = format!("package host:deny;\nworld stub {{\n{}}}\n", list.concat());
    let package = resolve.push_str("deny.wit", &text).context("cannot describe the stub")?;
    resolve.select_world(&[package], Some("stub"))
}

fn is_denied(name: &str, inherit: &Inherit) -> bool {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    // What is not of the host gives no authority: it stays an import, to be satisfied or refused.
    if begins(&HARMLESS) || !begins(&["wasi:", "fermyon:spin/", "spin:"]) {
        return false;
    }
    match inherit {
        Inherit::Nothing => true,
        Inherit::Everything => false,
        Inherit::Some(sets) => !SETS
            .iter()
            .any(|(set, interfaces)| sets.iter().any(|name| name == set) && begins(interfaces)),
    }
}
