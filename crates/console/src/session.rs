//! Who may see the pages, and proof that a form was sent from one of them.
//!
//! A session is a cookie that says who and until when, under an HMAC keyed by the digest of the
//! operator's token: nothing is stored, and a new token ends every session.

use auscult_model::Timestamp;
use auscult_model::digest::sha256_hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Name of the session cookie.
pub const COOKIE: &str = "auscult_session";
/// One shift: long enough not to be asked during work, short enough for a shared screen.
pub const SESSION_MS: i64 = 12 * 3_600_000;
/// Longest name taken at the login, in bytes: it is shown beside every acknowledgement.
pub const NAME_BYTES_MAX: usize = 60;
/// Separates this use of the key from any other.
const PURPOSE: &str = "auscult console session v1";

/// The variable `console_access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody sees everything: the demo.
    Open,
    /// Only with a session.
    Login,
}

impl Access {
    /// Anything but exactly `open` asks for a login.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "open" { Self::Open } else { Self::Login }
    }
}

/// Somebody at a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// As they gave it at the login; the author of what they do.
    pub name: String,
    /// Not valid from then on.
    pub expires: Timestamp,
}

/// Why a login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Not the operator's token, or none is set up.
    #[error("this token may not see the ward")]
    Token,
    /// No name, or one that is too long or holds control characters.
    #[error("a name of 1 to 60 characters is needed")]
    Name,
}

/// The session of whoever shows the operator's token.
///
/// # Errors
/// [`LoginError`] when token or name cannot be taken.
pub fn login(
    name: &str,
    token: &str,
    token_sha256: &str,
    now: Timestamp,
) -> Result<Session, LoginError> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(LoginError::Name);
    }
    // Both sides are digests of high-entropy tokens: comparing them leaks nothing worth knowing.
    if token_sha256.is_empty() || sha256_hex(token.trim()) != token_sha256 {
        return Err(LoginError::Token);
    }
    Ok(Session { name: name.to_owned(), expires: now.plus_ms(SESSION_MS) })
}

impl Session {
    /// The cookie's value: `<name>.<expires>.<mac>`. `None` without a key: then nobody may log in.
    #[must_use]
    pub fn seal(&self, token_sha256: &str) -> Option<String> {
        let name = URL_SAFE_NO_PAD.encode(&self.name);
        let expires = self.expires.unix_ms();
        let mac = mac(token_sha256, &name, &expires.to_string())?.finalize().into_bytes();
        Some(format!("{name}.{expires}.{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// The session of a cookie's value, `None` unless we sealed it and it still runs.
    #[must_use]
    pub fn unseal(cookie: &str, token_sha256: &str, now: Timestamp) -> Option<Self> {
        let [name, expires, tag] =
            <[&str; 3]>::try_from(cookie.split('.').collect::<Vec<_>>()).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        // Compares in constant time.
        mac(token_sha256, name, expires)?.verify_slice(&tag).ok()?;
        let expires = Timestamp::from_unix_ms(expires.parse().ok()?);
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        (now < expires).then_some(Self { name, expires })
    }
}

fn mac(token_sha256: &str, name: &str, expires: &str) -> Option<Hmac<Sha256>> {
    if token_sha256.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(token_sha256.as_bytes()).ok()?;
    // Neither part can hold a line feed, so no two pairs give the same text.
    mac.update(format!("{PURPOSE}\n{name}\n{expires}").as_bytes());
    Some(mac)
}

/// The value of our cookie in a `Cookie` header.
#[must_use]
pub fn cookie(header: &str) -> Option<&str> {
    header.split(';').find_map(|it| it.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The `Set-Cookie` header of a session, or of its end when `value` is empty.
#[must_use]
pub fn set_cookie(value: &str, secure: bool) -> String {
    let age_s = if value.is_empty() { 0 } else { SESSION_MS / 1_000 };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age_s}{secure}")
}

/// Whether a form came from one of our own pages.
///
/// `Origin` decides where the browser sends it, which all do for POST; its host must be the one asked.
/// Without it only `Sec-Fetch-Site: same-origin` counts.
#[must_use]
pub fn is_own_form(origin: Option<&str>, fetch_site: Option<&str>, host: Option<&str>) -> bool {
    match (origin, host) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, of_origin)| of_origin.eq_ignore_ascii_case(host)),
        (None, _) => fetch_site == Some("same-origin"),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_158_000_000);

    fn key() -> String {
        sha256_hex("the operator's token")
    }

    #[test]
    fn a_sealed_session_opens_until_it_expires() {
        let session = login(" Sr. Ní Dhomhnaill ", "the operator's token", &key(), NOW).unwrap();
        assert_eq!(session.name, "Sr. Ní Dhomhnaill");
        let cookie = session.seal(&key()).unwrap();
        assert_eq!(Session::unseal(&cookie, &key(), NOW), Some(session.clone()));
        assert_eq!(
            Session::unseal(&cookie, &key(), session.expires.plus_ms(-1)),
            Some(session.clone())
        );
        assert_eq!(Session::unseal(&cookie, &key(), session.expires), None);
    }

    #[test]
    fn a_changed_cookie_or_another_key_opens_nothing() {
        let session = login("N", "the operator's token", &key(), NOW).unwrap();
        let cookie = session.seal(&key()).unwrap();
        let longer = cookie.replacen("1795", "1895", 1);
        assert_ne!(longer, cookie);
        for cookie in [longer.as_str(), "", "a.b", "a.b.c", "a.b.c.d", &cookie[1..]] {
            assert_eq!(Session::unseal(cookie, &key(), NOW), None, "{cookie}");
        }
        assert_eq!(Session::unseal(&cookie, &sha256_hex("a new token"), NOW), None);
        assert_eq!(Session::unseal(&cookie, "", NOW), None);
        assert_eq!(session.seal(""), None);
    }

    #[test]
    fn a_login_needs_the_token_and_a_name() {
        let key = key();
        let rows = [
            ("N", "another token", LoginError::Token),
            ("", "the operator's token", LoginError::Name),
            ("  ", "the operator's token", LoginError::Name),
            ("a\nb", "the operator's token", LoginError::Name),
        ];
        for (name, token, want) in rows {
            assert_eq!(login(name, token, &key, NOW), Err(want), "{name:?}");
        }
        assert_eq!(login("N", "", "", NOW), Err(LoginError::Token));
    }

    #[test]
    fn only_our_own_pages_may_send_forms() {
        let rows = [
            (Some("http://127.0.0.1:3000"), None, Some("127.0.0.1:3000"), true),
            (Some("https://Ward.example"), None, Some("ward.example"), true),
            (Some("http://evil.example"), Some("same-origin"), Some("127.0.0.1:3000"), false),
            (Some("http://127.0.0.1:3000.evil.example"), None, Some("127.0.0.1:3000"), false),
            (Some("null"), None, Some("127.0.0.1:3000"), false),
            (Some("http://127.0.0.1:3000"), None, None, false),
            (None, Some("same-origin"), Some("127.0.0.1:3000"), true),
            (None, Some("cross-site"), Some("127.0.0.1:3000"), false),
            (None, None, Some("127.0.0.1:3000"), false),
        ];
        for (origin, site, host, want) in rows {
            assert_eq!(is_own_form(origin, site, host), want, "{origin:?} {site:?} {host:?}");
        }
    }

    #[test]
    fn our_cookie_is_found_among_others() {
        assert_eq!(cookie("a=1; auscult_session=x.y.z; b=2"), Some("x.y.z"));
        assert_eq!(cookie("auscult_sessions=no"), None);
        assert_eq!(cookie(""), None);
        assert!(set_cookie("v", true).contains("HttpOnly; SameSite=Strict; Max-Age=43200; Secure"));
        assert!(set_cookie("", false).ends_with("Max-Age=0"));
    }

    #[test]
    fn only_the_word_open_opens_the_console() {
        for (text, want) in [
            ("open", Access::Open),
            ("login", Access::Login),
            ("Open", Access::Login),
            ("", Access::Login),
        ] {
            assert_eq!(Access::parse(text), want, "{text}");
        }
    }
}
