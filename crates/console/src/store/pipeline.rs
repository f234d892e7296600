//! Whether messages move: what came last, what waits, what was not taken.

use auscult_model::Timestamp;
use auscult_store::{Database, StoreError};

/// The state of the inbox in one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pipeline {
    /// The newest message and when it was received.
    pub newest: Option<(String, Timestamp)>,
    /// Stored and not yet through every stage.
    pub n_waiting: i64,
    /// Refused at the door or given up on.
    pub n_refused: i64,
}

const PIPELINE: &str = "
SELECT
    (SELECT id FROM inbox ORDER BY seq DESC LIMIT 1) AS newest,
    (SELECT received_ms FROM inbox ORDER BY seq DESC LIMIT 1) AS newest_ms,
    (SELECT count(*) FROM inbox WHERE state = 'pending') AS waiting,
    (SELECT count(*) FROM inbox WHERE state IN ('dead', 'rejected')) AS refused";

/// The state of the inbox now.
pub fn pipeline(db: &dyn Database) -> Result<Pipeline, StoreError> {
    let rows = db.query(PIPELINE, &[])?;
    let Some(row) = rows.first() else { return Ok(Pipeline::default()) };
    let newest = row.text_or_null("newest")?.map(str::to_owned);
    let received = row.integer_or_null("newest_ms")?.map(Timestamp::from_unix_ms);
    Ok(Pipeline {
        newest: newest.zip(received),
        n_waiting: row.integer("waiting")?,
        n_refused: row.integer("refused")?,
    })
}
