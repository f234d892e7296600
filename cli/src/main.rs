//! `auscult`: serves the pipeline, plays a ward of devices against one, and asks one questions.

mod client;
mod clock;
mod command;
mod failure;
mod output;
mod player;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use output::Output;

/// Internet of Medical Things: from a device message to FHIR, a score and the right alert.
#[derive(Debug, Parser)]
#[command(name = "auscult", version, propagate_version = true)]
#[command(after_help = "Exit status: 0 done, 1 the thing asked about is bad, 2 wrong use, \
                        3 could not reach or read.")]
struct Arguments {
    /// How to print.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: output::Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(command::up::Up),
    Simulate(command::simulate::Simulate),
    Trace(command::trace::Trace),
    #[command(subcommand)]
    DeadLetters(command::dead_letters::DeadLetters),
    #[command(subcommand)]
    Map(command::map::Map),
    #[command(subcommand)]
    Policy(command::policy::PolicyCommand),
    #[command(subcommand)]
    Score(command::score::Score),
    Replay(command::replay::Replay),
    #[cfg(feature = "bench")]
    Bench(command::bench::Bench),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.format);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return output.failed(&Failure::unread("the machine's threads", &error)),
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Up(up) => up.run(output).await,
            Command::Simulate(simulate) => simulate.run(output).await,
            Command::Trace(trace) => trace.run(output).await,
            Command::DeadLetters(dead_letters) => dead_letters.run(output).await,
            Command::Map(map) => map.run(output),
            Command::Policy(policy) => policy.run(output),
            Command::Score(score) => score.run(output),
            Command::Replay(replay) => replay.run(output).await,
            #[cfg(feature = "bench")]
            Command::Bench(bench) => bench.run(output).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failed(&failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_and_argument_is_well_formed_and_explained() {
        let mut command = Arguments::command();
        command.build();
        command.clone().debug_assert();
        fn check(command: &clap::Command) {
            for it in command.get_arguments() {
                assert!(it.get_help().is_some(), "{} {}", command.get_name(), it.get_id());
            }
            for it in command.get_subcommands() {
                assert!(it.get_about().is_some(), "{}", it.get_name());
                check(it);
            }
        }
        check(&command);
    }

    #[test]
    fn wrong_use_is_told_apart() {
        for line in [
            "auscult",
            "auscult fly",
            "auscult simulate --scenario heroic",
            "auscult simulate --speed 0",
        ] {
            let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
