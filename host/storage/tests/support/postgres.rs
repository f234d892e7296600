//! A private PostgreSQL server for one test.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A running server; it ends, and its files go, when dropped.
pub struct Server {
    process: Child,
    /// Where it listens.
    pub address: String,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// The newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|path| path.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

/// The server refuses to run as root: there it runs as `postgres`.
fn command(program: &Path, as_root: bool) -> Command {
    if !as_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn id(flag: &str) -> u32 {
    let output = Command::new("id").args([flag, "postgres"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().expect("no user `postgres`")
}

impl Server {
    /// Starts one. `None`, said aloud, only if `AUSCULT_WITHOUT_POSTGRES` is set.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            if std::env::var_os("AUSCULT_WITHOUT_POSTGRES").is_some() {
                eprintln!("SKIPPED: no PostgreSQL, and AUSCULT_WITHOUT_POSTGRES is set");
                return None;
            }
            panic!("no /usr/lib/postgresql/*/bin: apt-get install postgresql");
        };
        let folder = tempfile::tempdir().unwrap();
        let as_root = folder.path().metadata().unwrap().uid() == 0;
        if as_root {
            chown(folder.path(), Some(id("-u")), Some(id("-g"))).unwrap();
        }
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"), as_root)
            .args(["--auth=trust", "--username=guest", "--no-sync", "--encoding=UTF8", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Free a moment ago; the server cannot choose one by itself.
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let process = command(&programs.join("postgres"), as_root)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "fsync=off", "-p", &port.to_string(), "-D"])
            .arg(&data)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = format!("postgres://guest@127.0.0.1:{port}/postgres?sslmode=disable");
        let server = Self { process, address, _folder: folder };
        let started = Instant::now();
        while !ready(&data, port) {
            assert!(started.elapsed() < Duration::from_secs(60), "PostgreSQL did not start");
            thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }
}

/// The last line of its lock file says when it takes connections.
fn ready(data: &Path, port: u16) -> bool {
    let state = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    state.contains("ready") && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
