//! A mail relay and an HL7 listener: real TCP servers that keep what they get and answer as told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

type Shared<T> = Arc<Mutex<T>>;

/// Listens on a port of its own until dropped.
pub struct Sink {
    /// Where.
    pub address: SocketAddr,
    kept: Shared<Vec<String>>,
    faults: Shared<VecDeque<String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Sink {
    /// A mail relay. Each of `faults` answers one mail's DATA instead of taking it.
    pub async fn smtp(faults: &[&str]) -> Result<Self> {
        Self::start(faults, false).await
    }

    /// An HL7 listener. Each of `faults` is the code of one acknowledgement instead of `AA`.
    pub async fn mllp(faults: &[&str]) -> Result<Self> {
        Self::start(faults, true).await
    }

    async fn start(faults: &[&str], mllp: bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let kept: Shared<Vec<String>> = Arc::default();
        let faults: Shared<VecDeque<String>> =
            Arc::new(Mutex::new(faults.iter().map(|it| (*it).to_owned()).collect()));
        let (mine, wrong) = (kept.clone(), faults.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, faults) = (mine.clone(), wrong.clone());
                tokio::spawn(async move {
                    let _ = if mllp {
                        hl7(stream, kept, faults).await
                    } else {
                        mail(stream, kept, faults).await
                    };
                });
            }
        });
        Ok(Self { address, kept, faults, task })
    }

    /// Everything that was taken.
    #[must_use]
    pub fn kept(&self) -> Vec<String> {
        self.kept.lock().map(|it| it.clone()).unwrap_or_default()
    }

    /// How many faults were not asked for yet.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.faults.lock().map(|it| it.len()).unwrap_or_default()
    }

    /// Waits until `enough` were taken.
    pub async fn wait(&self, enough: usize, within: Duration) -> Result<Vec<String>> {
        let started = Instant::now();
        loop {
            let kept = self.kept();
            if kept.len() >= enough {
                return Ok(kept);
            }
            if started.elapsed() > within {
                bail!("{} of {enough} within {within:?}", kept.len());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn keep(kept: &Shared<Vec<String>>, text: String) {
    if let Ok(mut kept) = kept.lock() {
        kept.push(text);
    }
}

fn fault(faults: &Shared<VecDeque<String>>) -> Option<String> {
    faults.lock().ok()?.pop_front()
}

async fn mail(
    stream: TcpStream,
    kept: Shared<Vec<String>>,
    faults: Shared<VecDeque<String>>,
) -> Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let mut line = String::new();
    while {
        line.clear();
        stream.read_line(&mut line).await? > 0
    } {
        let verb = line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-sink\r\n250 8BITMIME\r\n".to_owned(),
            "MAIL" | "RCPT" => "250 ok\r\n".to_owned(),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while {
                    line.clear();
                    stream.read_line(&mut line).await? > 0
                } && line != ".\r\n"
                {
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                }
                match fault(&faults) {
                    // A relay that says nothing at all.
                    Some(it) if it == "hang up" => return Ok(()),
                    Some(it) => format!("{it}\r\n"),
                    None => {
                        keep(&kept, text);
                        "250 queued as 4711\r\n".to_owned()
                    }
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 no\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

async fn hl7(
    mut stream: TcpStream,
    kept: Shared<Vec<String>>,
    faults: Shared<VecDeque<String>>,
) -> Result<()> {
    let mut read = Vec::new();
    while !read.ends_with(b"\x1c\r") {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&read).trim_matches(['\x0b', '\x1c', '\r']).to_owned();
    let control = text.split('|').nth(9).unwrap_or_default().to_owned();
    let code = fault(&faults).unwrap_or_else(|| "AA".to_owned());
    if code == "AA" {
        keep(&kept, text);
    }
    let ack = format!(
        "\x0bMSH|^~\\&|SINK|H|AUSCULT|H|20261120100002+0000||ACK^R40^ACK|A1|P|2.6\rMSA|{code}|{control}\r\x1c\r"
    );
    stream.write_all(ack.as_bytes()).await?;
    Ok(())
}
