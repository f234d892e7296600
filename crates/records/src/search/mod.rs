//! Searches over what is stored, a page at a time.

mod condition;
mod leg;

use auscult_fhir::ResourceType;
use auscult_fhir::search::{Cursor, Search, SortBy};
use auscult_store::{Database, Param, Row, StoreError};

use crate::read::{Stored, kept, measured, scored};
use crate::{RecordsError, search::leg::Leg};

/// Matches are counted up to here: a total beyond it is left out, as counting costs time.
const TOTAL_MAX: i64 = 10_000;

/// One page of matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// In the order asked for.
    pub entries: Vec<Stored>,
    /// How many matches there are, when that is cheap to say.
    pub total: Option<i64>,
    /// Where the next page begins, when there is one.
    pub next: Option<Cursor>,
}

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    Integer(i64),
    Real(f64),
    Text(String),
}

impl Bound {
    fn param(&self) -> Param<'_> {
        match self {
            Self::Integer(number) => Param::Integer(*number),
            Self::Real(number) => Param::Real(*number),
            Self::Text(text) => Param::Text(text),
        }
    }
}

/// Finds one page.
///
/// # Errors
/// [`RecordsError`] when the database fails or holds something else.
pub fn find(db: &dyn Database, search: &Search) -> Result<Found, RecordsError> {
    let legs: &[Leg] = match search.kind {
        ResourceType::Observation => &leg::OBSERVATION,
        _ => &leg::RESOURCE,
    };
    let mut matches = Vec::new();
    let mut total = 0;
    for leg in legs {
        if search.count > 0 {
            matches.extend(page(db, leg, search)?);
        }
        if search.total || search.count == 0 {
            total += count(db, leg, search)?;
        }
    }
    matches.sort_by(|one, other| {
        let order = (one.key, &one.stored.id).cmp(&(other.key, &other.stored.id));
        if search.sort.descending { order.reverse() } else { order }
    });
    let more = matches.len() > search.count;
    matches.truncate(search.count);
    let next = matches
        .last()
        .filter(|_| more)
        .map(|last| Cursor { key: last.key, id: last.stored.id.clone() });
    Ok(Found {
        entries: matches.into_iter().map(|it| it.stored).collect(),
        total: (search.total || search.count == 0).then_some(total).filter(|it| *it <= TOTAL_MAX),
        next,
    })
}

struct Match {
    key: i64,
    stored: Stored,
}

/// One more than a page of one leg, so that the caller sees whether there is a next page.
fn page(db: &dyn Database, leg: &Leg, search: &Search) -> Result<Vec<Match>, RecordsError> {
    let (mut filter, mut bound) = condition::all(leg, search);
    let key = sort_key(leg, search);
    let direction = if search.sort.descending { "DESC" } else { "ASC" };
    if let Some(after) = &search.after {
        let beyond = if search.sort.descending { "<" } else { ">" };
        filter.push_str(&format!(" AND ({key}, {id}) {beyond} (?, ?)", id = leg.id));
        bound.push(Bound::Integer(after.key));
        bound.push(Bound::Text(after.id.clone()));
    }
    bound.push(Bound::Integer(i64::try_from(search.count).unwrap_or(i64::MAX).saturating_add(1)));
    let sql = format!(
        "SELECT {columns}, {key} AS sort_key FROM {table} WHERE {filter}
         ORDER BY {order} LIMIT ?",
        columns = leg.columns,
        table = leg.table,
        order = match search.sort.by {
            SortBy::Id => format!("{} {direction}", leg.id),
            SortBy::Date | SortBy::LastUpdated => {
                format!("{key} {direction}, {id} {direction}", id = leg.id)
            }
        },
    );
    let params: Vec<Param<'_>> = bound.iter().map(Bound::param).collect();
    let rows = db.query(&sql, &params)?;
    rows.iter()
        .map(|row| {
            Ok(Match { key: row.integer("sort_key")?, stored: stored(leg, search.kind, row)? })
        })
        .collect()
}

fn stored(leg: &Leg, kind: ResourceType, row: Row<'_>) -> Result<Stored, RecordsError> {
    match leg.source {
        leg::Source::Kept => kept(kind, row),
        leg::Source::Measured => measured(row),
        leg::Source::Scored => scored(row),
    }
}

fn count(db: &dyn Database, leg: &Leg, search: &Search) -> Result<i64, StoreError> {
    let (filter, mut bound) = condition::all(leg, search);
    bound.push(Bound::Integer(TOTAL_MAX + 1));
    let sql = format!(
        "SELECT count(*) AS n FROM (SELECT 1 FROM {table} WHERE {filter} LIMIT ?)",
        table = leg.table,
    );
    let params: Vec<Param<'_>> = bound.iter().map(Bound::param).collect();
    db.query(&sql, &params)?.first().map_or(Ok(0), |row| row.integer("n"))
}

/// The expression of the integer that decides the order; 0 when the id decides alone.
fn sort_key(leg: &Leg, search: &Search) -> &'static str {
    match search.sort.by {
        SortBy::Id => "0",
        SortBy::LastUpdated => leg.updated,
        SortBy::Date => leg.effective,
    }
}
