//! `auscult up`: serves an application, and with `--demo` a ward for it to listen to.

mod demo;
mod logging;
mod signals;
mod token;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use auscult_host::{HostOptions, Manifest, Server, StartError};
use auscult_model::digest::sha256_hex;
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;
use logging::LogFormat;
use signals::Signals;

/// In-flight requests may take this long to finish: longer than the slowest retry to a receiver, as
/// long as Kubernetes waits by default.
const FINISH_WITHIN: Duration = Duration::from_secs(25);

/// Serves the application until SIGTERM or an interrupt; a second signal stops at once.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// The application's manifest.
    #[arg(long, default_value = "spin.toml")]
    app: PathBuf,
    /// Folder of databases, compiled code and the operator's token.
    #[arg(long, default_value = ".auscult")]
    data: PathBuf,
    /// Address to listen on; port 0 takes any.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Value of an application variable, as NAME=VALUE; may be given several times.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// How log lines on stderr are written.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// Opens the console to everybody and plays a simulated ward. Never on a network you share.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    ward: demo::DemoWard,
}

impl Up {
    /// Serves until told to stop.
    pub async fn run(self, output: Output) -> Result<(), Failure> {
        logging::start(self.log_format);
        let mut signals = Signals::listen()?;
        let (token, token_file) = token::operator_token(&self.data)?;
        let mut options = HostOptions::new(&self.app, &self.data);
        options.listen = self.listen;
        let manifest =
            Manifest::load(&self.app).map_err(|it| not_started(&StartError::Manifest(it)))?;
        let ours = [
            ("operator_token_sha256", Some(sha256_hex(&token))),
            ("console_access", self.demo.then(|| "open".to_owned())),
        ];
        for (name, value) in ours {
            // Any other Spin application knows nothing of these.
            if let Some(value) = value.filter(|_| manifest.variables.contains_key(name)) {
                options.variables.insert(name.to_owned(), value);
            }
        }
        options.variables.extend(self.variables);
        let server = Server::start(options).await.map_err(|it| not_started(&it))?;
        let url = format!("http://{}", server.local_addr());
        output.print(
            &format!("Listening on {url}\nOperator token: {}", token_file.display()),
            &json!({ "url": url, "token_file": token_file }),
        );
        let demo = if self.demo { Some(demo::Demo::start(&url, &token, self.ward)?) } else { None };
        signals.first().await;
        // From here on a second signal ends the process.
        signals.exit_on_next();
        if let Some(demo) = demo {
            demo.stop().await;
        }
        server.shutdown(FINISH_WITHIN).await.map_err(|it| Failure::Bad(it.to_string()))
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a variable is given as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn not_started(error: &StartError) -> Failure {
    match error {
        StartError::Manifest(_) => Failure::Bad(error.to_string()),
        other => Failure::unread("cannot start", other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_may_hold_an_equals_sign() {
        assert_eq!(variable("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(variable("a").is_err());
    }
}
