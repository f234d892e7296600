//! Who may speak for which device: bearer tokens of devices and gateways.

use auscult_model::digest::sha256_hex;
use auscult_model::{Problem, Timestamp};
use serde::{Deserialize, Serialize};

/// Most devices or patterns one gateway token may list.
pub const ALLOWED_MAX: usize = 1_000;

/// A token's standing: what it may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its own id, for listing and revoking.
    pub id: String,
    /// The device it was made for.
    pub device: String,
    /// Device ids, or patterns with one trailing `*`.
    pub allowed: Vec<String>,
}

impl Credential {
    /// Whether it may send readings of this device.
    #[must_use]
    pub fn covers(&self, device: &str) -> bool {
        auscult_model::ids::covers(&self.allowed, device)
    }

    /// The only device it speaks for, when it is a device's own.
    #[must_use]
    pub fn sole_device(&self) -> Option<&str> {
        match self.allowed.as_slice() {
            [only] if !only.ends_with('*') => Some(only),
            _ => None,
        }
    }

    /// Whether a pattern, and no plain name, covers this device: then the device must be known.
    #[must_use]
    pub fn covers_by_pattern(&self, device: &str) -> bool {
        self.covers(device) && !self.allowed.iter().any(|it| it == device)
    }
}

/// What `POST /devices/{id}/credentials` takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRequest {
    /// For people.
    pub label: Option<String>,
    /// A gateway's devices; a device's own token when absent.
    pub devices: Option<Vec<String>>,
}

/// A credential as listed: never with its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Id.
    pub id: String,
    /// For people.
    pub label: Option<String>,
    /// What it may send.
    pub devices: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it stopped working.
    pub revoked: Option<Timestamp>,
}

/// A credential to store, and the token to show once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Id.
    pub id: String,
    /// The device it is for.
    pub device: String,
    /// For people.
    pub label: Option<String>,
    /// What it may send.
    pub allowed: Vec<String>,
    /// Shown once.
    pub token: String,
    /// Stored.
    pub token_sha256: String,
}

/// Makes a credential out of 32 random bytes given as text.
///
/// # Errors
/// 400 when the list of devices is empty, too long or holds a pattern that is not one.
pub fn issue(device: &str, request: CredentialRequest, random: &str) -> Result<Issued, Problem> {
    let allowed = request.devices.unwrap_or_else(|| vec![device.to_owned()]);
    if allowed.is_empty() || allowed.len() > ALLOWED_MAX {
        return Err(Problem::new(400, "devices-count", "A gateway lists 1 to 1,000 devices")
            .fault("/devices", "count", format!("{} given", allowed.len())));
    }
    let odd = |it: &String| {
        let name = it.strip_suffix('*').unwrap_or(it);
        name.is_empty() || name.contains('*')
    };
    if let Some(place) = allowed.iter().position(odd) {
        return Err(Problem::new(
            400,
            "device-pattern",
            "A device pattern is a name or a prefix and *",
        )
        .fault(
            &format!("/devices/{place}"),
            "pattern",
            "`*` may only stand at the end of a name",
        ));
    }
    let token = format!("aus_{random}");
    let token_sha256 = sha256_hex(&token);
    Ok(Issued {
        id: auscult_model::digest(&["credential", &token_sha256]),
        device: device.to_owned(),
        label: request.label,
        allowed,
        token,
        token_sha256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_covers_its_device_or_its_patterns() {
        let rows = [
            (vec!["mon-1"], "mon-1", true, false),
            (vec!["mon-1"], "mon-10", false, false),
            (vec!["icu-*"], "icu-7", true, true),
            (vec!["icu-*"], "ward-7", false, false),
            (vec!["icu-*", "icu-7"], "icu-7", true, false),
        ];
        for (allowed, device, covers, by_pattern) in rows {
            let allowed: Vec<String> = allowed.into_iter().map(str::to_owned).collect();
            let it = Credential { id: String::new(), device: String::new(), allowed };
            assert_eq!((it.covers(device), it.covers_by_pattern(device)), (covers, by_pattern));
        }
    }

    #[test]
    fn a_gateway_without_devices_or_with_a_wild_pattern_is_refused() {
        let rows = [
            (vec![], "devices-count"),
            (vec!["*"], "device-pattern"),
            (vec!["a*b"], "device-pattern"),
            (vec![""], "device-pattern"),
        ];
        for (devices, code) in rows {
            let devices = Some(devices.into_iter().map(str::to_owned).collect());
            let request = CredentialRequest { label: None, devices };
            assert_eq!(issue("gw", request, "r").unwrap_err().code(), code);
        }
    }

    #[test]
    fn the_token_itself_is_not_what_is_stored() {
        let issued = issue("mon-1", CredentialRequest::default(), "random").unwrap();
        assert_eq!(issued.token_sha256, sha256_hex(&issued.token));
        assert_eq!(issued.allowed, ["mon-1"]);
    }
}
