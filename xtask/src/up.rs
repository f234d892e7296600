//! Starts the program that was just built.

use std::process::Command;

use anyhow::Result;

use crate::build;

/// Builds, then serves the demo ward until stopped.
pub fn up(rest: &[String]) -> Result<()> {
    build::all()?;
    let mut auscult = Command::new(build::auscult());
    auscult.current_dir(build::root()).args(["up", "--demo"]).args(rest);
    replace(auscult)
}

/// Builds, then measures.
pub fn bench(rest: &[String]) -> Result<()> {
    build::components()?;
    build::spin_app()?;
    build::program(&["auscult-cli/bench"])?;
    let mut auscult = Command::new(build::auscult());
    auscult.current_dir(build::root()).arg("bench").args(rest);
    replace(auscult)
}

/// Signals go to the program itself, not to us.
#[cfg(unix)]
fn replace(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> Result<()> {
    build::run(&mut command)
}
