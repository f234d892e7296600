//! What nothing could beat: the pipeline's own rows written by plain SQL with the same durability, and
//! the stages' cores called one after the other without wasm, HTTP or events.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use auscult_ingest::{Credential, Form, admit, read, relay, store as inbox};
use auscult_model::Timestamp;
use auscult_normalization::store as normalization;
use auscult_notification::store as notification;
use auscult_store::native::NativeSqlite;
use auscult_store::{Database as _, Param};
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{
    Column as _, ConnectOptions as _, Connection as _, QueryBuilder, Row as _, Sqlite,
    SqliteConnection, TypeInfo as _, ValueRef as _,
};

use super::ward::{Ward, people};
use crate::clock;

/// Messages whose rows are written again; and messages a batch, as in the pipeline's larger requests.
const MESSAGES: i64 = 5_000;
const BATCH: usize = 100;
/// Most batches the cores are given: as many messages as a row of the pipeline.
const BATCHES_MAX: usize = 200;

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was done.
    pub what: &'static str,
    /// Messages a second.
    pub messages: f64,
    /// Observations a second.
    pub observations: f64,
    /// How many messages it was measured with.
    pub count: usize,
}

/// Rows of one message, by statement.
type Message = Vec<(usize, Vec<Cell>)>;

enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

/// Where observations stand below.
const OBSERVATION: usize = 1;
/// Where each table's rows of a message are found; the first column is the message.
const TABLES: [(&str, &str); 5] = [
    ("inbox", "SELECT m.id AS owner, t.* FROM m JOIN inbox t ON t.id = m.id"),
    ("observation", "SELECT m.id AS owner, t.* FROM m JOIN observation t ON t.message = m.id"),
    ("message_outcome", "SELECT m.id AS owner, t.* FROM m JOIN message_outcome t ON t.message = m.id"),
    (
        "score_input",
        "SELECT m.id AS owner, t.* FROM m JOIN observation o ON o.message = m.id
         JOIN score_input t ON t.observation = o.id AND t.patient = o.patient AND t.effective_ms = o.effective_ms",
    ),
    (
        "assessment",
        "SELECT m.id AS owner, t.* FROM m
         JOIN (SELECT DISTINCT message, patient, effective_ms FROM observation) o ON o.message = m.id
         JOIN assessment t ON t.patient = o.patient AND t.effective_ms = o.effective_ms",
    ),
];

/// Writes the rows the pipeline left in `database` into new files in `folder`: a commit per message,
/// and a commit per hundred.
pub async fn plain_sql(database: &Path, folder: &Path, time: Duration) -> Result<Vec<Row>> {
    let (statements, messages) = rows_of(database).await?;
    let mut rows = Vec::new();
    for (batch, what, name) in [
        (1, "plain sqlx, one commit a message", "one.db"),
        (BATCH, "plain sqlx, one commit per 100", "hundred.db"),
    ] {
        eprintln!("floor: {what}");
        let file = folder.join(name);
        let laid = file.clone();
        tokio::task::spawn_blocking(move || NativeSqlite::with_schema(&laid).map(drop)).await??;
        rows.push(write(&file, &statements, &messages, batch, time, what).await?);
    }
    Ok(rows)
}

async fn rows_of(database: &Path) -> Result<(Vec<String>, Vec<Message>)> {
    let mut connection =
        SqliteConnectOptions::new().filename(database).read_only(true).connect().await?;
    let mut messages: HashMap<String, Message> = HashMap::new();
    let mut statements = Vec::new();
    for (place, (table, select)) in TABLES.iter().enumerate() {
        // A monitor's messages, newest first: neither the charted ones nor the patients who fall ill.
        let sql = format!(
            "WITH m AS MATERIALIZED (SELECT id FROM inbox WHERE state = 'done' AND device LIKE 'bench-m%'
             ORDER BY seq DESC LIMIT {MESSAGES}) {select}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await?;
        let columns: Vec<String> = rows
            .first()
            .with_context(|| format!("the pipeline left no rows in {table}"))?
            .columns()
            .iter()
            .skip(1)
            .map(|it| it.name().to_owned())
            .collect();
        statements.push(format!("INSERT INTO {table} ({}) ", columns.join(", ")));
        for row in rows {
            let owner: String = row.try_get(0)?;
            let cells = (1..row.len()).map(|it| cell(&row, it)).collect::<Result<_>>()?;
            messages.entry(owner).or_default().push((place, cells));
        }
    }
    connection.close().await?;
    Ok((statements, messages.into_values().collect()))
}

fn cell(row: &SqliteRow, place: usize) -> Result<Cell> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INTEGER" | "BOOLEAN" => Cell::Integer(row.try_get_unchecked(place)?),
        "REAL" => Cell::Real(row.try_get_unchecked(place)?),
        _ => Cell::Text(row.try_get_unchecked(place)?),
    })
}

async fn write(
    file: &Path,
    statements: &[String],
    messages: &[Message],
    batch: usize,
    time: Duration,
    what: &'static str,
) -> Result<Row> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await?;
    let (mut count, mut observations) = (0, 0_usize);
    let started = Instant::now();
    for some in messages.chunks(batch) {
        let mut transaction = connection.begin().await?;
        for (place, sql) in statements.iter().enumerate() {
            let rows = some.iter().flatten().filter(|it| it.0 == place).map(|it| &it.1);
            observations += if place == OBSERVATION { rows.clone().count() } else { 0 };
            insert(&mut transaction, sql, rows).await?;
        }
        transaction.commit().await?;
        count += some.len();
        if started.elapsed() > time {
            break;
        }
    }
    let took = started.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(Row { what, messages: count as f64 / took, observations: observations as f64 / took, count })
}

/// One statement for all rows of a table, as one who knows SQLite would write it.
async fn insert<'a>(
    connection: &mut SqliteConnection,
    sql: &str,
    rows: impl Iterator<Item = &'a Vec<Cell>>,
) -> Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(sql);
    insert.push_values(rows, |mut row, cells| {
        for cell in cells {
            match cell {
                Cell::Null => row.push_bind(None::<String>),
                Cell::Integer(number) => row.push_bind(*number),
                Cell::Real(number) => row.push_bind(*number),
                Cell::Text(text) => row.push_bind(text.as_str()),
            };
        }
    });
    insert.build().execute(connection).await?;
    Ok(())
}

/// Time spent in each stage.
#[derive(Default)]
struct Spent {
    ingest: Duration,
    relay: Duration,
    normalization: Duration,
    scoring: Duration,
    notification: Duration,
}

/// Runs the four cores one after the other on batches of a hundred.
pub fn cores(folder: &Path, time: Duration) -> Result<Vec<Row>> {
    eprintln!("floor: the stages' cores, native");
    let db = NativeSqlite::with_schema(&folder.join("cores.db"))?;
    let devices = serde_json::to_string(&people().collect::<Vec<_>>())?;
    for sql in [
        "INSERT INTO resource (type, id, version, updated_ms, body) SELECT 'Device', value, 1, 0, '{}' FROM json_each(?1)",
        "INSERT INTO assignment (id, version, device, patient, start_ms, active)
         SELECT 'use-' || value, 1, value, 'p-' || value, 0, 1 FROM json_each(?1)",
    ] {
        db.query(sql, &[Param::Text(&devices)])?;
    }
    // As far back as in the pipeline's run.
    let ward = Ward::new(clock::now().plus_ms(-2 * 3_600_000));
    one_batch(&db, ward.charted().as_bytes(), &mut Spent::default())?;
    let mut spent = Spent::default();
    let (mut count, mut observations) = (0, 0);
    let started = Instant::now();
    while started.elapsed() < time && count < BATCHES_MAX * BATCH {
        observations += one_batch(&db, ward.body(BATCH as u64).as_bytes(), &mut spent)?;
        count += BATCH;
    }
    let all = spent.ingest + spent.relay + spent.normalization + spent.scoring + spent.notification;
    let row = |what, time: Duration| {
        let took = time.as_secs_f64().max(1e-6);
        Row { what, messages: count as f64 / took, observations: observations as f64 / took, count }
    };
    Ok(vec![
        row("core of ingest, native", spent.ingest),
        row("relay's reads and writes, native", spent.relay),
        row("core of normalization, native", spent.normalization),
        row("core of scoring, native", spent.scoring),
        row("core of notification, native", spent.notification),
        row("all of them, native, batches of 100", all),
    ])
}

/// Takes one request through every core as the shells do; returns its observations.
fn one_batch(db: &NativeSqlite, body: &[u8], spent: &mut Spent) -> Result<usize> {
    let now: Timestamp = clock::now();
    let mut clock = Instant::now();
    let mut lap = |into: &mut Duration| {
        *into += clock.elapsed();
        clock = Instant::now();
    };
    let credential = Credential {
        id: "bench".to_owned(),
        device: "bench-gateway".to_owned(),
        allowed: vec!["bench-*".to_owned()],
    };
    let request =
        admit::Request { credential: &credential, idempotency_key: None, source: None, now };
    let incoming = read(&Form::Json, body).map_err(|it| anyhow::anyhow!("{}", it.title))?;
    let mut messages = admit::admit(incoming, &request);
    let asked = admit::unknown_candidates(&messages, &credential);
    admit::reject_unknown(&mut messages, &inbox::unknown(db, &asked)?);
    let verdicts = inbox::keep(db, messages, now)?;
    if verdicts.iter().any(|it| it.status != "accepted") {
        bail!("the core of ingest rejected a message of the benchmark");
    }
    lap(&mut spent.ingest);

    inbox::take_lease(db, now)?;
    let pending = inbox::pending(db, now)?;
    let (_, event) =
        relay::event(&pending).map_err(|it| anyhow::anyhow!("message {it} is no JSON"))?;
    lap(&mut spent.relay);

    let sets = normalization::mapping_sets(db, &event.messages)?;
    let recorded = normalization::normalize(db, &event.messages, &sets, now)?;
    lap(&mut spent.normalization);

    let progress = auscult_scoring::record(db, &recorded, now)?;
    let mut emissions = progress.emissions;
    for segments in &progress.rest {
        emissions.extend(auscult_scoring::step(db, segments, now)?.emissions);
    }
    lap(&mut spent.scoring);

    let changed: Vec<notification::Changed> =
        emissions.iter().map(|it| serde_json::from_str(it.body.get())).collect::<Result<_, _>>()?;
    notification::on_assessments(db, &changed, now)?;
    lap(&mut spent.notification);

    let fates: Vec<_> = pending.into_iter().map(|it| (it, relay::Fate::Done)).collect();
    inbox::settle(db, &fates, now)?;
    inbox::give_back(db, now)?;
    lap(&mut spent.relay);
    Ok(recorded.len())
}
