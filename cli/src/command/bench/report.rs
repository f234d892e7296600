//! The figures as tables for people and as JSON for programs.

use serde_json::{Value, json};

use super::machine::Machine;
use super::pipeline::{Measured, WARD};
use super::table::{millis, table, times, whole};
use super::{alerts, floor, host, scoring};
use auscult_rehearsal::ward::Figures;

/// Everything measured in one run.
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// How long each row took.
    pub seconds: u64,
    /// The pipeline, unless left out.
    pub pipeline: Option<Measured>,
    /// The floor beside it.
    pub floor: Vec<floor::Row>,
    /// The host alone, unless left out.
    pub host: Vec<host::Row>,
    /// Noisy wards and who was paged there, one a seed.
    pub alerts: Vec<(u64, Figures)>,
    /// Scoring alone, unless left out.
    pub scoring: Vec<scoring::Row>,
}

impl Report {
    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "machine": self.machine.json(),
            "seconds_a_row": self.seconds,
            "client": "in this program, on the same cores",
            "start": self.pipeline.as_ref().map(|it| &it.start),
            "pipeline": self.pipeline.as_ref().map(|it| &it.rows),
            "floor": self.floor,
            "host": self.host,
            "alerts": self.alerts,
            "scoring": self.scoring,
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}\nEach row {} s. The load comes from this program, on the same cores as the server.\n",
            self.machine.line(),
            self.seconds
        );
        if let Some(measured) = &self.pipeline {
            text.push_str(&pipeline_text(measured));
            text.push_str(&floor_text(&self.floor, measured));
        }
        if !self.host.is_empty() {
            text.push_str(&host_text(&self.host));
        }
        if !self.alerts.is_empty() {
            text.push_str(&alerts::text(&self.alerts));
        }
        if !self.scoring.is_empty() {
            text.push_str(&scoring::text(&self.scoring));
        }
        text
    }
}

fn pipeline_text(measured: &Measured) -> String {
    let rows: Vec<Vec<String>> = measured
        .rows
        .iter()
        .map(|it| {
            vec![
                format!("{} × {}", it.connections, it.messages),
                whole(it.acknowledged),
                format!("{} / {}", millis(it.answer_p50_ms), millis(it.answer_p99_ms)),
                whole(it.scored),
                whole(it.observations),
                whole(it.observations_a_core),
                whole(it.half_load),
                format!("{} / {}", millis(it.alert_p50_ms), millis(it.alert_p99_ms)),
                format!("{}/{}", it.paged, it.ill),
                whole(it.errors as f64),
                whole(it.resident_mb),
            ]
        })
        .collect();
    let head = [
        "connections × messages",
        "acknowledged/s",
        "answer p50/p99 ms",
        "scored/s",
        "observations/s",
        "per core-second",
        "half load/s",
        "alert p50/p99 ms",
        "paged",
        "errors",
        "MB",
    ];
    let (monitors, sick) = WARD;
    let start = &measured.start;
    let mut text = format!(
        "\nThe pipeline: {monitors} monitors, five Observations a message, every message to a stored NEWS2; \
         at half load {sick} patients fall ill.\n\n{}",
        table(&head, &rows)
    );
    let different: Vec<String> = measured
        .rows
        .iter()
        .filter(|it| i64::try_from(it.sent).ok() != Some(it.assessments))
        .map(|it| {
            format!(
                "{} × {}: {} sent, {} scores",
                it.connections, it.messages, it.sent, it.assessments
            )
        })
        .collect();
    if !different.is_empty() {
        text.push_str(&format!("\nScores differ from messages: {}\n", different.join("; ")));
    }
    for row in measured.rows.iter().filter(|it| it.errors > 0) {
        text.push_str(&format!(
            "\nErrors at {} × {}: {:?}\n",
            row.connections, row.messages, row.error_kinds
        ));
    }
    text.push_str(&format!(
        "\nStart to first accepted message: {} ms with compiled code cached (median of five, slowest {} ms); \
         to ready on an empty folder, compiling everything: {} ms. Resident after the start: {} MB.\n",
        millis(start.cached_ms),
        millis(start.cached_max_ms),
        whole(start.compiling_ms),
        whole(start.resident_mb)
    ));
    text
}

fn floor_text(rows: &[floor::Row], measured: &Measured) -> String {
    // Requests of one message are compared with a commit a message, all else with batches.
    let best = |messages: u64| {
        let rows = measured.rows.iter().filter(|it| it.messages == messages);
        rows.map(|it| it.scored).fold(0.0, f64::max)
    };
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|it| {
            let one = it.what.ends_with("a message");
            let ours = if one { best(1) } else { best(100) };
            vec![
                it.what.to_owned(),
                whole(it.messages),
                whole(it.observations),
                times(ours / it.messages.max(1e-9)),
            ]
        })
        .collect();
    let head = ["floor", "messages/s", "observations/s", "pipeline's best over it"];
    format!(
        "\nThe floor, in the same run: the rows the pipeline wrote, by plain `sqlx` (WAL, synchronous=FULL, one \
         connection), and the stages' cores native, one thread.\n\n{}",
        table(&head, &cells)
    )
}

fn host_text(rows: &[host::Row]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|it| {
            vec![
                it.route.to_owned(),
                it.connections.to_string(),
                whole(it.rate),
                millis(it.p99_ms),
                whole(it.errors as f64),
                whole(it.spin_rate),
                millis(it.spin_p99_ms),
                times(it.ratio),
                times(it.aim),
                format!("{:.1}", it.instance_us),
                whole(it.resident_mb),
            ]
        })
        .collect();
    let head = [
        "route",
        "connections",
        "requests/s",
        "p99 ms",
        "errors",
        "Spin 4.0.2 requests/s",
        "Spin p99 ms",
        "ratio",
        "aim",
        "instance µs",
        "MB",
    ];
    format!(
        "\nThe host alone, with the Spin application in tests/spin-app. Spin's figures were measured elsewhere, on a \
         2-core machine with wrk on the same cores; its write at 64 connections had errors.\n\n{}",
        table(&head, &cells)
    )
}
