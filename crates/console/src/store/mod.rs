//! What the pages read, one query per kind.

mod alerts;
mod message;
mod patient;
mod people;
mod pipeline;
mod scores;
mod vitals;
mod ward;

use auscult_model::Timestamp;
use auscult_store::{Row, StoreError};

pub use alerts::{AlertPage, AlertRow, alert_page};
pub use message::{MadeObservation, MessagePage, UsedBy, message_page};
pub use patient::{PatientPage, patient_page};
pub use people::Person;
pub use pipeline::Pipeline;
pub use scores::{Scored, Trend, TrendPoint};
pub use vitals::{Distrusted, Latest, Plot, PlotCell};
pub use ward::{PatientRow, WardPage, ward_page};

/// A time column.
fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    row.integer(column).map(Timestamp::from_unix_ms)
}

/// A JSON array of texts as one parameter.
fn json_array<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<String, StoreError> {
    Ok(serde_json::to_string(&texts.into_iter().collect::<Vec<_>>())?)
}

/// A JSON array of times as one parameter.
fn json_times(times: &[Timestamp]) -> Result<String, StoreError> {
    Ok(serde_json::to_string(&times.iter().map(|it| it.unix_ms()).collect::<Vec<_>>())?)
}
