//! Builds the components for WASI 0.2 and the program for this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The target of every component.
const WASM_TARGET: &str = "wasm32-wasip2";

/// The packages under `components/` that become a `.wasm` file each.
const COMPONENTS: [&str; 6] =
    ["ingest", "normalization", "scoring", "notification", "records", "console"];

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_owned(), Path::to_owned)
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The program.
pub fn auscult() -> PathBuf {
    target_dir().join("release").join(format!("auscult{}", std::env::consts::EXE_SUFFIX))
}

/// Components and program.
pub fn all() -> Result<()> {
    components()?;
    program(&[])
}

/// The program. Built without naming a package, so that cargo takes the features of the whole workspace,
/// as it does for the tests, and compiles nothing twice.
pub fn program(features: &[&str]) -> Result<()> {
    let mut build = cargo();
    build.args(["build", "--release", "--bin", "auscult"]);
    for feature in features {
        build.args(["--features", feature]);
    }
    run(&mut build)
}

/// The components, with the wasm target added when it is missing.
pub fn components() -> Result<()> {
    add_wasm_target()?;
    let mut build = cargo();
    build.args(["build", "--release", "--target", WASM_TARGET]);
    for component in COMPONENTS {
        build.arg("--package").arg(format!("auscult-{component}-component"));
    }
    run(&mut build)
}

/// The second Spin application, which the host's tests serve.
pub fn spin_app() -> Result<()> {
    let manifest = root().join("tests/spin-app/Cargo.toml");
    run(cargo()
        .args(["build", "--release", "--target", WASM_TARGET, "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(target_dir()))
}

fn add_wasm_target() -> Result<()> {
    let libraries = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .output()
        .context("rustc does not run: install Rust with rustup")?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&libraries.stdout).trim());
    if libraries.is_dir() {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add", WASM_TARGET]))
}

/// Cargo, at the root.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs to the end; a failure names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
