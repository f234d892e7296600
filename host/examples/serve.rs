//! Serves one application until Ctrl-C: `serve <spin.toml> <data folder> <address> [name=value…]`.

use anyhow::Context;
use auscult_host::{HostOptions, Server};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).init();
    let mut words = std::env::args().skip(1);
    let usage = "serve <spin.toml> <data folder> <address> [name=value…]";
    let manifest = words.next().context(usage)?;
    let data = words.next().context(usage)?;
    let mut options = HostOptions::new(manifest, data);
    options.listen = words.next().context(usage)?.parse()?;
    for word in words {
        let (name, value) = word.split_once('=').context(usage)?;
        options.variables.insert(name.to_owned(), value.to_owned());
    }
    let server = Server::start(options).await?;
    tokio::signal::ctrl_c().await?;
    server.shutdown(Duration::from_secs(20)).await?;
    Ok(())
}
