//! Tables of continuous glucose monitoring.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Results;
use super::case::{Case, CaseError, Found, parse, whole};
use crate::scores::cgm;
use crate::scores::cgm_events::{Event, Kind, events};

const SERIES: &str = "minute:mgdl series";

/// The series of each case lie beside the table: `{ "<id>": [mg/dL, …] }`, five minutes apart.
pub(super) fn cgm_metrics(case: &Case<'_>, companion: &str) -> Result<Results, CaseError> {
    let error = |reason: &str| CaseError { column: "id".to_owned(), reason: reason.to_owned() };
    let all: BTreeMap<String, Vec<serde_json::Number>> = serde_json::from_str(companion)
        .map_err(|_| error("cgm_series.json must lie beside the table"))?;
    let series = all.get(case.text("id")).ok_or_else(|| error("cgm_series.json has no such id"))?;
    let series: Vec<Decimal> =
        series.iter().map(|it| parse("id", &it.to_string())).collect::<Result<_, _>>()?;
    let Some(metrics) = cgm::metrics(&series) else { return Ok(Vec::new()) };
    Ok(vec![
        ("n", Found::Number(metrics.n.into())),
        ("mean_mgdl", metrics.mean.into()),
        ("sd_sample", metrics.standard_deviation.into()),
        ("cv_percent", metrics.cv_percent.into()),
        ("gmi_percent", metrics.gmi_percent.into()),
        ("tbr2", metrics.very_low_percent.into()),
        ("tbr1", metrics.low_percent.into()),
        ("tir", metrics.in_range_percent.into()),
        ("tar1", metrics.high_percent.into()),
        ("tar2", metrics.very_high_percent.into()),
        ("titr_70_140", metrics.tight_range_percent.into()),
        ("mage_mgdl", metrics.mage.into()),
    ])
}

pub(super) fn cgm_alert(case: &Case<'_>, _: &str) -> Result<Results, CaseError> {
    let mut readings: Vec<(i64, Decimal)> = Vec::new();
    for part in case.text(SERIES).split_whitespace() {
        let (minute, value) = part.split_once(':').unwrap_or((part, ""));
        readings.push((whole(SERIES, minute)?, parse(SERIES, value)?));
    }
    let show = |kind| {
        let parts: Vec<String> = events(kind, &readings).iter().map(shown).collect();
        Found::Text(parts.join(";"))
    };
    Ok(vec![
        ("L1 events start-alert-end", show(Kind::LowLevel1)),
        ("L2 events start-alert-end", show(Kind::LowLevel2)),
        ("TAR2 events start-alert-end", show(Kind::VeryHigh)),
    ])
}

fn shown(event: &Event) -> String {
    let end = event.end.map(|it| it.to_string()).unwrap_or_default();
    format!("{}-{}-{end}", event.start, event.alert)
}
