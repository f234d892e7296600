//! Who is looking.

use auscult_console::session::{self, Access, Session};
use auscult_model::Timestamp;
use auscult_shell::Call;

/// Whoever sent a request.
pub enum Visitor {
    /// The console is open to everybody.
    Anybody,
    /// Somebody logged in.
    Known(Session),
    /// Nobody who may see anything.
    Nobody,
}

impl Visitor {
    /// The visitor behind a call.
    pub fn of(call: &Call, now: Timestamp) -> Self {
        let cookies = call.headers.iter().filter(|(name, _)| name == "cookie");
        let cookie = cookies.filter_map(|(_, value)| session::cookie(value)).next();
        let session = cookie.and_then(|it| Session::unseal(it, &token_sha256(), now));
        match (session, access()) {
            (Some(session), _) => Self::Known(session),
            (None, Access::Open) => Self::Anybody,
            (None, Access::Login) => Self::Nobody,
        }
    }

    /// Whether pages with patients may be shown.
    pub const fn may_see(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// The name given at the login.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Known(session) => Some(&session.name),
            Self::Anybody | Self::Nobody => None,
        }
    }
}

/// Digest of the operator's token; empty where none is set up, and then nobody logs in.
pub fn token_sha256() -> String {
    spin_sdk::variables::get("operator_token_sha256").unwrap_or_default()
}

fn access() -> Access {
    Access::parse(&spin_sdk::variables::get("console_access").unwrap_or_default())
}
