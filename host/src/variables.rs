//! Values of the application's variables, and the `{{ name }}` templates that use them.

use crate::manifest::{Faults, Manifest};
use std::collections::BTreeMap;

/// The application's variables and their values.
pub(crate) type Values = BTreeMap<String, String>;

/// Finds a value for every declared variable: the embedder's, else the environment's
/// (`SPIN_VARIABLE_<NAME>`), else the default.
pub(crate) fn resolve(
    manifest: &Manifest,
    given: &Values,
    environment: impl Fn(&str) -> Option<String>,
    faults: &mut Faults,
) -> Values {
    for name in given.keys().filter(|name| !manifest.variables.contains_key(*name)) {
        let message = format!("a value is given for variable '{name}', which is not declared");
        faults.at_line(1, message);
    }
    let mut values = Values::new();
    for (name, variable) in &manifest.variables {
        let value = given
            .get(name)
            .cloned()
            .or_else(|| environment(&format!("SPIN_VARIABLE_{}", name.to_uppercase())))
            .or_else(|| variable.default.clone());
        match value {
            Some(value) => {
                values.insert(name.clone(), value);
            }
            None => faults.at_line(
                variable.line,
                format!("variable '{name}' is required: set SPIN_VARIABLE_{}", name.to_uppercase()),
            ),
        }
    }
    values
}

/// Puts values in the place of `{{ name }}`.
///
/// A declared variable without a value (already a fault of its own) expands to nothing.
pub(crate) fn expand(
    template: &str,
    manifest: &Manifest,
    values: &Values,
) -> Result<String, String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            return Err(format!("template {template:?} has '{{{{' without '}}}}'"));
        };
        let name = name.trim();
        if !manifest.variables.contains_key(name) {
            return Err(format!(
                "template {template:?} uses variable '{name}', which is not declared"
            ));
        }
        text.push_str(before);
        text.push_str(values.get(name).map_or("", String::as_str));
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "a"
[variables]
host = { default = "here" }
token = { required = true, secret = true }
[[trigger.http]]
route = "/"
component = "a"
[component.a]
source = "a.wasm"
"#;

    fn values(given: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Values, String> {
        let manifest = Manifest::parse(Path::new("spin.toml"), MANIFEST).unwrap();
        let given = given.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let mut faults = Faults::new(Path::new("spin.toml"), MANIFEST);
        let find = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        };
        let values = resolve(&manifest, &given, find, &mut faults);
        faults.finish(values).map_err(|error| error.to_string())
    }

    #[test]
    fn the_embedder_wins_over_the_environment_and_that_over_the_default() {
        let both = values(&[("token", "given")], &[("SPIN_VARIABLE_TOKEN", "env")]).unwrap();
        assert_eq!(both["token"], "given");
        let found = values(&[], &[("SPIN_VARIABLE_TOKEN", "t"), ("SPIN_VARIABLE_HOST", "there")]);
        assert_eq!(found.unwrap()["host"], "there");
    }

    #[test]
    fn a_required_variable_without_a_value_is_refused_with_its_line() {
        let expected = "spin.toml:7: variable 'token' is required: set SPIN_VARIABLE_TOKEN";
        assert_eq!(values(&[], &[]).unwrap_err(), expected);
    }

    #[test]
    fn templates_expand_and_refuse_unknown_names() {
        let manifest = Manifest::parse(Path::new("spin.toml"), MANIFEST).unwrap();
        let values = values(&[("token", "t")], &[]).unwrap();
        let expand = |template| expand(template, &manifest, &values);
        assert_eq!(expand("http://{{ host }}:{{host}}/x").unwrap(), "http://here:here/x");
        assert!(expand("{{ port }}").unwrap_err().contains("'port', which is not declared"));
        assert!(expand("{{ host").unwrap_err().contains("without"));
    }
}
