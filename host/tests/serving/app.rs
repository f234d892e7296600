//! The application under test: built once, its manifest copied and changed for each test.

use auscult_host::{HostOptions, Server, StartError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

/// Where the guests are, built when first asked for.
static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("AUSCULT_WASM_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from);
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--manifest-path"])
        .arg(root.join("tests/spin-app/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(status.success(), "the guests of tests/spin-app were not built");
    target.join("wasm32-wasip2/release")
});

/// A data folder in which the guests have been compiled once, so that not every test does.
static COMPILED: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let app = App::bare(&[]);
    let options = app.options();
    let compile = async { stop(Server::start(options).await.unwrap()).await };
    let thread = std::thread::spawn(|| {
        tokio::runtime::Runtime::new().unwrap().block_on(compile);
    });
    thread.join().unwrap();
    app.folder
});

/// A copy of the application in a folder of its own, with a data folder.
pub struct App {
    folder: tempfile::TempDir,
}

impl App {
    /// The application as it is.
    pub fn new() -> Self {
        Self::changed(&[])
    }

    /// The application with parts of its manifest replaced.
    pub fn changed(changes: &[(&str, &str)]) -> Self {
        let app = Self::bare(changes);
        let (from, to) = (COMPILED.path().join("data"), app.data());
        std::fs::create_dir_all(to.join("cache")).unwrap();
        std::fs::copy(from.join("host.key"), to.join("host.key")).unwrap();
        for entry in std::fs::read_dir(from.join("cache")).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, to.join("cache").join(path.file_name().unwrap())).unwrap();
        }
        app
    }

    /// The application with nothing compiled.
    pub fn bare(changes: &[(&str, &str)]) -> Self {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/spin-app");
        let mut manifest = std::fs::read_to_string(from.join("spin.toml")).unwrap();
        let guests = GUESTS.to_str().unwrap();
        manifest = manifest.replace("../../target/wasm32-wasip2/release", guests);
        for (old, new) in changes {
            assert!(manifest.contains(old), "the manifest has no {old:?}");
            manifest = manifest.replace(old, new);
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        std::fs::copy(from.join("assets/note.txt"), folder.path().join("assets/note.txt")).unwrap();
        std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
        Self { folder }
    }

    /// The options to serve it on any free port.
    pub fn options(&self) -> HostOptions {
        let mut options = HostOptions::new(self.manifest(), self.data());
        options.variables.insert("token".to_owned(), "t".to_owned());
        options
    }

    /// Serves it.
    pub async fn start(&self) -> Server {
        Server::start(self.options()).await.unwrap()
    }

    /// Why it cannot be served.
    pub async fn refusal(&self) -> StartError {
        match Server::start(self.options()).await {
            Ok(_) => panic!("the application was started"),
            Err(error) => error,
        }
    }

    /// The manifest.
    pub fn manifest(&self) -> PathBuf {
        self.folder.path().join("spin.toml")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// Stops a server and expects that everything was finished.
pub async fn stop(server: Server) {
    server.shutdown(Duration::from_secs(20)).await.unwrap();
}
