//! Who is asking: operators by a bearer token whose digest is the variable `operator_token_sha256`.

use auscult_model::Problem;
use auscult_model::digest::sha256_hex;

use crate::Call;

/// Whoever acts through an operator's token; stored as the author of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// `operator`, until operators have names of their own.
    pub name: String,
}

/// The bearer token of a call.
#[must_use]
pub fn bearer(call: &Call) -> Option<&str> {
    let (scheme, token) = call.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The operator behind a call.
///
/// # Errors
/// 401 without a bearer token, 403 with one that is not the operator's.
pub fn operator(call: &Call) -> Result<Operator, Problem> {
    let Some(token) = bearer(call) else {
        return Err(Problem::new(401, "token-missing", "A bearer token is needed"));
    };
    let want = spin_sdk::variables::get("operator_token_sha256").unwrap_or_default();
    // Both sides are digests of high-entropy tokens: comparing them leaks nothing worth knowing.
    if want.is_empty() || sha256_hex(token) != want {
        return Err(Problem::new(403, "token-refused", "This token may not do that"));
    }
    Ok(Operator { name: "operator".to_owned() })
}
