//! The operator's token: made once, kept in a file only its owner may read, never printed.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::failure::Failure;

/// Bytes of randomness: 256 bits cannot be guessed and need no slow hash at rest.
const TOKEN_BYTES: usize = 32;
/// Shorter tokens were cut or typed by hand.
const TOKEN_CHARS_MIN: usize = 32;
/// Read and written by the owner alone.
const OWNER_ONLY: u32 = 0o600;

/// The token in the data folder, made there when there is none, and its file.
pub fn operator_token(data: &Path) -> Result<(String, PathBuf), Failure> {
    let file = data.join("operator.token");
    let unread = |it: std::io::Error| Failure::unread(&file.display().to_string(), &it);
    std::fs::create_dir_all(data).map_err(unread)?;
    match std::fs::read_to_string(&file) {
        Ok(token) => {
            let token = token.trim().to_owned();
            if token.len() < TOKEN_CHARS_MIN {
                let what = format!("{} holds no token; remove it", file.display());
                return Err(Failure::Bad(what));
            }
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(OWNER_ONLY))
                .map_err(unread)?;
            Ok((token, file))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let token = new_token()?;
            let mut open = std::fs::OpenOptions::new();
            let mut handle =
                open.write(true).create_new(true).mode(OWNER_ONLY).open(&file).map_err(unread)?;
            writeln!(handle, "{token}").and_then(|()| handle.sync_all()).map_err(unread)?;
            Ok((token, file))
        }
        Err(error) => Err(unread(error)),
    }
}

fn new_token() -> Result<String, Failure> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|it| Failure::unread("the machine's randomness", &it))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("new");
        let (token, file) = operator_token(&data).unwrap();
        assert_eq!(token.len(), 43);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(operator_token(&data).unwrap(), (token, file.clone()));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_empty_token_file_is_refused_rather_than_trusted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("operator.token"), "\n").unwrap();
        assert_eq!(operator_token(folder.path()).unwrap_err().code(), 1);
    }
}
