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
    build::program(&[])?;
    let mut tests = build::cargo();
    tests
        .args(["test", "--release"])
        .args(rest)
        .env("AUSCULT_PROGRAM", build::auscult())
        .env("AUSCULT_PYTHON", python()?)
        .env("AUSCULT_WASM_TARGET_DIR", build::target_dir());
    if !postgres_is_here() && std::env::var_os("CI").is_none() {
        println!("no PostgreSQL is installed here: the tests that start one are left out");
        tests.env("AUSCULT_WITHOUT_POSTGRES", "1");
    }
    build::run(&mut tests)
}

/// Debian keeps the server's programs outside the search path, one folder a version.
fn postgres_is_here() -> bool {
    std::fs::read_dir("/usr/lib/postgresql")
        .is_ok_and(|versions| versions.flatten().any(|it| it.path().join("bin/initdb").exists()))
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
