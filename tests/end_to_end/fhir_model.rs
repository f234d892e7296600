//! What the FHIR interface serves passes a model of FHIR R4 that is not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use auscult_tests::{Program, root};
use serde_json::json;

use crate::pipeline::entries;
use crate::vitals::{ill, now};

#[tokio::test]
async fn every_resource_passes_an_independent_model() -> Result<()> {
    let data = tempfile::tempdir()?;
    let program = Program::start(data.path()).await?;
    let token = program.provision("ann", &["mon-1"]).await?;
    let mut odd = ill("mon-1", now().plus_ms(-1_000));
    odd["hr"] = json!(900);
    odd["dia"] = serde_json::Value::Null;
    for message in [ill("mon-1", now()), odd] {
        program.ingest(&token, "application/json", message.to_string()).await?;
    }
    let unassigned = program.token("mon-2", &["mon-2"]).await?;
    program.ingest(&unassigned, "application/json", ill("mon-2", now()).to_string()).await?;
    program.drained().await?;
    let mut lines = vec![program.get("/fhir/metadata").await?.body];
    for path in [
        "/fhir/Observation?patient=ann&_count=200",
        "/fhir/Observation?device=mon-2&_count=200",
        "/fhir/Patient",
        "/fhir/Device",
        "/fhir/DeviceUseStatement",
    ] {
        let bundle = program.get(path).await?.body;
        lines.extend(entries(&bundle).into_iter().cloned());
        lines.push(bundle);
    }
    lines.push(program.get("/fhir/Observation/none").await?.body);
    ensure!(lines.len() > 25, "only {} resources", lines.len());
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let python = std::env::var("AUSCULT_PYTHON")
        .unwrap_or_else(|_| root().join("target/venv/bin/python").to_string_lossy().into_owned());
    let mut model = Command::new(&python)
        .arg(root().join("tests/fhir_model.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{python}: run `cargo xtask test`"))?;
    model.stdin.take().context("stdin")?.write_all(text.join("\n").as_bytes())?;
    let output = model.wait_with_output()?;
    ensure!(output.status.success(), "the model refused a resource (see above)");
    let checked: usize = String::from_utf8(output.stdout)?.trim().parse()?;
    assert_eq!(checked, lines.len());
    println!("{checked} resources pass fhir.resources");
    Ok(())
}
