//! Compiles components once and keeps the machine code on disk, sealed so that only code this
//! host wrote is ever run.

use crate::events;
use anyhow::Context;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of the key and of a seal.
const SEAL_BYTES: usize = 32;

/// Compiled components by the digest of their source, in a folder of the host.
pub(crate) struct CompileCache {
    folder: PathBuf,
    key: [u8; SEAL_BYTES],
}

impl CompileCache {
    /// Opens the cache below a data folder, making the folder and the key if they are not there.
    pub(crate) fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let folder = data_dir.join("cache");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        set_mode(&folder, 0o700)?;
        let key = host_key(&data_dir.join("host.key"))?;
        Ok(Self { folder, key })
    }

    /// The component, from the cache if what is there is ours and fits the engine.
    ///
    /// `id` only names the component in events.
    pub(crate) fn load(&self, engine: &Engine, id: &str, wasm: &[u8]) -> anyhow::Result<Component> {
        let name = file_name(engine, wasm);
        let path = self.folder.join(&name);
        match self.read(engine, &name, &path) {
            Ok(Some(component)) => return Ok(component),
            Ok(None) => {}
            Err(reason) => {
                events::CacheRefused { component: id, reason: &format!("{reason:#}") }.emit();
            }
        }
        let code = engine.precompile_component(wasm).map_err(anyhow::Error::from)?;
        if let Err(error) = self.write(&name, &path, &code) {
            // A full or read-only disk costs time at the next start, nothing else.
            events::CacheNotWritten { component: id, reason: &format!("{error:#}") }.emit();
        }
        trusted(engine, &code)
    }

    fn read(&self, engine: &Engine, name: &str, path: &Path) -> anyhow::Result<Option<Component>> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let Some((seal, code)) = bytes.split_at_checked(SEAL_BYTES) else {
            anyhow::bail!("the file is too short");
        };
        if self.mac(name, code)?.verify_slice(seal).is_err() {
            anyhow::bail!("the seal does not fit");
        }
        trusted(engine, code).map(Some)
    }

    fn write(&self, name: &str, path: &Path, code: &[u8]) -> anyhow::Result<()> {
        let seal = self.mac(name, code)?.finalize().into_bytes();
        // Two hosts may start on one folder: each writes its own file and renames it.
        let temporary = self.folder.join(format!("{name}.{}", std::process::id()));
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(&seal)?;
        file.write_all(code)?;
        drop(file);
        set_mode(&temporary, 0o600)?;
        std::fs::rename(&temporary, path)?;
        Ok(())
    }

    /// The name is sealed with the code, so that files cannot take each other's place.
    fn mac(&self, name: &str, code: &[u8]) -> anyhow::Result<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key)?;
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(code);
        Ok(mac)
    }
}

/// Loads machine code that this process has just made or whose seal it has just verified.
#[expect(unsafe_code, reason = "machine code made elsewhere can only be taken on trust")]
fn trusted(engine: &Engine, code: &[u8]) -> anyhow::Result<Component> {
    // SAFETY: `code` came from `Engine::precompile_component`: either in this call of `load`, or
    // earlier, in which case its seal under the host's private key was verified on these very
    // bytes, which are in memory and can no longer change on disk.
    let component = unsafe { Component::deserialize(engine, code) };
    component.map_err(anyhow::Error::from)
}

/// Names the code by its source and by everything that decides whether it fits the engine.
fn file_name(engine: &Engine, wasm: &[u8]) -> String {
    let mut fit = DigestHasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut fit);
    let fit = hex(&fit.0.finalize()[..8]);
    format!("{}-{fit}.cwasm", hex(&Sha256::digest(wasm)))
}

struct DigestHasher(Sha256);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0 // Never asked for: the whole digest is used.
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads the host's private key, or makes one that only its user can read.
fn host_key(path: &Path) -> anyhow::Result<[u8; SEAL_BYTES]> {
    if let Ok(bytes) = std::fs::read(path)
        && let Ok(key) = bytes.try_into()
    {
        return Ok(key);
    }
    let mut key = [0; SEAL_BYTES];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let _ = std::fs::remove_file(path);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(&key)?;
    Ok(key)
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}
