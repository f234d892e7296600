//! Runs every test there is.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::build;

/// What the tests take from PyPI: an R4 model of FHIR that is not ours.
const PYTHON_PACKAGES: [&str; 1] = ["fhir.resources==7.1.0"];

/// Builds the components, makes the Python environment, then lets cargo run the tests.
pub fn test(rest: &[String]) -> Result<()> {
    build::components()?;
    build::spin_app()?;
    build::run(build::cargo().args(["build", "--release", "--package", "auscult-cli"]))?;
    let python = python()?;
    build::run(
        build::cargo()
            .args(["test", "--release"])
            .args(rest)
            .env("AUSCULT_PROGRAM", build::auscult())
            .env("AUSCULT_PYTHON", python),
    )
}

fn python() -> Result<PathBuf> {
    let venv = build::target_dir().join("venv");
    let python = venv.join("bin/python");
    let done = venv.join(PYTHON_PACKAGES.join("+").replace(['=', '.'], "-"));
    if !done.exists() {
        build::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        build::run(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(PYTHON_PACKAGES),
        )?;
        std::fs::write(done, "")?;
    }
    Ok(python)
}
