//! A manifest that cannot be served is refused, with the line of every fault.

use crate::app::App;

/// Changes the manifest and expects these faults: a part of the changed line, and the message.
async fn check(changes: &[(&str, &str)], expected: &[(&str, &str)]) {
    let app = App::changed(changes);
    let text = std::fs::read_to_string(app.manifest()).unwrap();
    let refusal = app.refusal().await.to_string();
    for (part, message) in expected {
        let line = text.lines().position(|line| line.contains(part)).unwrap() + 1;
        let wanted = format!("spin.toml:{line}: {message}");
        assert!(refusal.contains(&wanted), "wanted {wanted:?} in:\n{refusal}");
    }
    let n_faults = refusal.lines().filter(|line| line.starts_with("spin.toml:")).count();
    assert_eq!(n_faults, expected.len(), "{refusal}");
}

#[tokio::test]
async fn unknown_keys_are_refused_all_at_once() {
    let changes = [
        ("[variables]", "[variables]\nloud = { default = \"x\", volume = 11 }"),
        ("[component.back]", "[component.back]\nfoo = 1"),
        ("deadline_ms = 500", "deadline = 500"),
        ("route = \"/exact\"", "route = \"/exact\"\npriority = 2"),
        ("description =", "describtion ="),
        ("{ path = \"/tick\"", "{ at = 1, path = \"/tick\""),
    ];
    let expected = [
        ("volume = 11", "unknown key 'variables.loud.volume'"),
        ("foo = 1", "unknown key 'component.back.foo'"),
        ("deadline = 500", "unknown key 'component.front.tool.auscult.deadline'"),
        ("priority = 2", "unknown key 'trigger.http[1].priority'"),
        ("describtion", "unknown key 'application.describtion'"),
        ("at = 1", "unknown key 'component.back.tool.auscult.timer[0].at'"),
    ];
    check(&changes, &expected).await;
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused() {
    let changes = [
        ("route = \"/exact\"", "route = \"/named/:other\""),
        ("token = \"{{ token }}\"", "token = \"{{ tokem }}\""),
        ("[\"http://front.spin.internal\"]", "[\"front.spin.internal\"]"),
        ("spin_app_back.wasm", "missing.wasm"),
        ("[variables]", "[variables]\nmust = { required = true }"),
    ];
    let expected = [
        ("route = \"/named/:id\"", "route '/named/:id' takes the same paths as the one in line"),
        ("tokem", "template \"{{ tokem }}\" uses variable 'tokem', which is not declared"),
        ("[\"front.spin.internal\"]", "'front.spin.internal' is not an outbound host"),
        ("missing.wasm", "component 'back': there is no file"),
        ("must =", "variable 'must' is required: set SPIN_VARIABLE_MUST"),
    ];
    check(&changes, &expected).await;
}

#[tokio::test]
async fn what_this_host_does_not_do_is_refused() {
    let front = "[component.front.dependencies]\n";
    let changes = [
        (front, "[component.front.dependencies]\n\"test:other\" = \">=1.0\"\n"),
        ("spin_manifest_version = 2", "spin_manifest_version = 1"),
        (
            "[component.back.tool.auscult]",
            "[component.back.tool.other]\nfree = \"form\"\n[component.back.tool.auscult]",
        ),
    ];
    let expected = [
        ("test:other", "key 'component.front.dependencies.test:other' names a registry version"),
        ("spin_manifest_version", "key 'spin_manifest_version' must be a whole number from 2 to 2"),
    ];
    check(&changes, &expected).await;
    let change = (
        "[component.back.tool.auscult]\ntimer",
        "[component.extra]\nsource = { url = \"https://x\", digest = \"y\" }\n[component.back.tool.auscult]\ntimer",
    );
    let expected = [("digest", "key 'component.extra.source' must be the path of a file")];
    check(&[change], &expected).await;
}

#[tokio::test]
async fn a_dependency_that_fits_nothing_is_refused() {
    let change = ("\"test:calc/ops@0.1.0\"", "\"test:calc/other@0.1.0\"");
    let expected = [(
        "spin_app_front.wasm",
        "component 'front': dependency 'test:calc/other@0.1.0' fits no import",
    )];
    check(&[change], &expected).await;
}

#[tokio::test]
async fn a_manifest_that_is_no_toml_is_refused_with_its_line() {
    let app = App::changed(&[("name = \"spin-app\"", "name = = \"spin-app\"")]);
    let refusal = app.refusal().await.to_string();
    assert!(refusal.contains("spin.toml:4: "), "{refusal}");
}

#[tokio::test]
async fn a_value_for_no_variable_is_refused() {
    let app = App::new();
    let mut options = app.options();
    options.variables.insert("tokem".to_owned(), "x".to_owned());
    let refusal = auscult_host::Server::start(options).await.err().unwrap().to_string();
    assert!(refusal.contains("variable 'tokem', which is not declared"), "{refusal}");
}
