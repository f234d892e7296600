//! Joins a component with the components that satisfy its imports, before it is compiled.

use crate::deny;
use crate::manifest::Inherit;
use wac_graph::types::{Package, are_semver_compatible};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

/// A dependency whose bytes are at hand.
pub(crate) struct Part<'a> {
    /// The import it satisfies: a package, an interface or a plain name.
    pub(crate) name: &'a str,
    /// The component.
    pub(crate) wasm: Vec<u8>,
    /// The export to use, if it is not called like the import.
    pub(crate) export: Option<&'a str>,
    /// What of the depending component's authority it gets.
    pub(crate) inherit: &'a Inherit,
}

/// The component with its dependencies joined to it; their other imports become its own, except
/// those a dependency does not inherit, which trap.
pub(crate) fn compose(wasm: Vec<u8>, parts: Vec<Part<'_>>) -> Result<Vec<u8>, String> {
    let mut graph = CompositionGraph::new();
    let socket = register(&mut graph, "host:socket", wasm)?;
    let imports = names(&graph, socket, Side::Imports);
    let exports = names(&graph, socket, Side::Exports);
    let socket = graph.instantiate(socket);
    let mut satisfied: Vec<(String, &str)> = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let wanted: Vec<&String> =
            imports.iter().filter(|import| covers(part.name, import)).collect();
        if wanted.is_empty() {
            return Err(format!("dependency '{}' fits no import of the component", part.name));
        }
        if part.export.is_some() && wanted.len() > 1 {
            return Err(format!(
                "dependency '{}' is a whole package and can have no 'export'",
                part.name
            ));
        }
        let denied = deny::stub(&part.wasm, part.inherit).map_err(|error| {
            format!("dependency '{}' cannot be contained: {error:#}", part.name)
        })?;
        let package = register(&mut graph, &format!("host:part{index}"), part.wasm)?;
        let offered = names(&graph, package, Side::Exports);
        let needed = names(&graph, package, Side::Imports);
        let instance = graph.instantiate(package);
        if let Some(stub) = denied {
            let stub = register(&mut graph, &format!("host:deny{index}"), stub)?;
            let closed = names(&graph, stub, Side::Exports);
            let stub = graph.instantiate(stub);
            for name in closed.iter().filter(|name| needed.contains(name)) {
                join(&mut graph, (stub, name), (instance, name))?;
            }
        }
        for import in wanted {
            if let Some((_, other)) = satisfied.iter().find(|(name, _)| name == import) {
                return Err(format!(
                    "import '{import}' is satisfied by both '{other}' and '{}'",
                    part.name
                ));
            }
            let export = part.export.map_or_else(|| import.clone(), str::to_owned);
            let Some(export) = offered
                .iter()
                .find(|name| **name == export || are_semver_compatible(name, &export))
            else {
                return Err(format!("dependency '{}' does not export '{export}'", part.name));
            };
            join(&mut graph, (instance, export), (socket, import))?;
            satisfied.push((import.clone(), part.name));
        }
    }
    for name in exports {
        let export =
            graph.alias_instance_export(socket, &name).map_err(|error| error.to_string())?;
        graph.export(export, &name).map_err(|error| error.to_string())?;
    }
    graph.encode(EncodeOptions::default()).map_err(|error| error.to_string())
}

#[derive(Clone, Copy)]
enum Side {
    Imports,
    Exports,
}

fn register(graph: &mut CompositionGraph, name: &str, wasm: Vec<u8>) -> Result<PackageId, String> {
    let package = Package::from_bytes(name, None, wasm, graph.types_mut())
        .map_err(|error| format!("{error:#}"))?;
    graph.register_package(package).map_err(|error| error.to_string())
}

fn names(graph: &CompositionGraph, package: PackageId, side: Side) -> Vec<String> {
    let world = &graph.types()[graph[package].ty()];
    match side {
        Side::Imports => world.imports.keys().cloned().collect(),
        Side::Exports => world.exports.keys().cloned().collect(),
    }
}

fn join(
    graph: &mut CompositionGraph,
    (from, export): (NodeId, &str),
    (to, import): (NodeId, &str),
) -> Result<(), String> {
    let alias = graph.alias_instance_export(from, export).map_err(|error| error.to_string())?;
    graph
        .set_instantiation_argument(to, import, alias)
        .map_err(|error| format!("'{export}' does not fit the import: {error}"))
}

/// Whether a dependency's name means this import: the same name, or the package it is in.
fn covers(name: &str, import: &str) -> bool {
    if name == import || are_semver_compatible(name, import) {
        return true;
    }
    let (package, version) = split_version(name);
    let (interface, import_version) = split_version(import);
    !package.contains('/')
        && package.contains(':')
        && interface.split_once('/').is_some_and(|(of, _)| of == package)
        && (version.is_none() || version == import_version)
}

fn split_version(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_name_means_an_interface_or_all_of_a_package() {
        assert!(covers("a:b/c@1.0.0", "a:b/c@1.0.0"));
        assert!(covers("a:b", "a:b/c@1.0.0"));
        assert!(covers("a:b@1.0.0", "a:b/c@1.0.0"));
        assert!(!covers("a:b@2.0.0", "a:b/c@1.0.0"));
        assert!(!covers("a:b/d@1.0.0", "a:b/c@1.0.0"));
        assert!(covers("plain", "plain"));
        assert!(!covers("plain", "a:plain/c"));
    }
}
