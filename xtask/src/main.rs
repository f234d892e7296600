//! `cargo xtask`: builds, starts, tests and measures the whole of Auscult.

mod build;
mod test;
mod up;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, starts, tests and measures Auscult.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the components and the program.
    Build,
    /// Build the components alone; what `spin build` calls.
    Components,
    /// Build, start, and play the demo ward at http://127.0.0.1:3000.
    Up {
        /// Further words for `auscult up`, such as `--listen 127.0.0.1:4000`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Build everything and run every test.
    Test {
        /// Further words for `cargo test`, such as `-p auscult-scoring`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Measure the pipeline and the host against their floors; prints a table and writes JSON.
    Bench {
        /// Further words for `auscult bench`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Build => build::all(),
        Task::Components => build::components(),
        Task::Up { rest } => up::up(&rest),
        Task::Test { rest } => test::test(&rest),
        Task::Bench { rest } => up::bench(&rest),
    }
}
