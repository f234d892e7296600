//! Alerts whose last change was not sent on as an event yet.

use auscult_model::digest;
use auscult_store::{Database, StoreError};
use serde_json::json;

use crate::store::load::{self, ALERT_COLUMNS};
use crate::store::views::{self, AlertView};

/// A batch of changed alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// The same for the same alerts in the same revisions.
    pub id: String,
    /// The alerts.
    pub alerts: Vec<AlertView>,
    revisions: Vec<(String, i64)>,
}

/// At most `most` alerts that changed since they were last sent on, `None` when there are none.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn unpublished(db: &dyn Database, most: u32) -> Result<Option<Unpublished>, StoreError> {
    let rows = db.query(
        &format!(
            "SELECT {ALERT_COLUMNS}, a.revision FROM alert a WHERE a.published < a.revision
             ORDER BY a.seq LIMIT ?1"
        ),
        &[i64::from(most).into()],
    )?;
    let mut alerts = Vec::new();
    let mut revisions = Vec::new();
    for row in rows.iter() {
        let alert = load::alert_row(row)?;
        revisions.push((alert.id.clone(), row.integer("revision")?));
        alerts.push(alert);
    }
    if alerts.is_empty() {
        return Ok(None);
    }
    let id = digest(&["alert-changed", &json!(revisions).to_string()]);
    Ok(Some(Unpublished { id, alerts: views::views(db, alerts)?, revisions }))
}

/// Notes that a batch was taken. What changed meanwhile is sent again.
///
/// # Errors
/// [`StoreError`] when the database cannot be written.
pub fn published(db: &dyn Database, batch: &Unpublished) -> Result<(), StoreError> {
    db.query(
        "UPDATE alert SET published = CAST(w.value ->> 1 AS BIGINT) FROM json_each(?1) w
         WHERE alert.id = w.value ->> 0 AND alert.published < CAST(w.value ->> 1 AS BIGINT)",
        &[(&json!(batch.revisions).to_string()).into()],
    )?;
    Ok(())
}
