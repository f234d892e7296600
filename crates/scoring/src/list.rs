//! The stored assessments of one patient, newest first, page by page.

use auscult_store::{Database, StoreError};
use serde_json::value::RawValue;

/// Page size when none is asked for.
pub const LIMIT_DEFAULT: usize = 50;
/// Largest page: what a person can look through, and an answer well under a megabyte.
pub const LIMIT_MAX: usize = 200;
/// Every rule that ever assessed a patient: one seek per rule.
const RULES: &str = "WITH RECURSIVE named (rule) AS (
        SELECT min(rule) FROM assessment WHERE patient = ?1
        UNION ALL
        SELECT (SELECT min(a.rule) FROM assessment AS a WHERE a.patient = ?1 AND a.rule > named.rule)
          FROM named WHERE named.rule IS NOT NULL)
    SELECT rule FROM named WHERE rule IS NOT NULL";

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// One rule, or every rule.
    pub rule: Option<String>,
    /// Earliest effective time, included.
    pub from_ms: Option<i64>,
    /// Latest effective time, included.
    pub to_ms: Option<i64>,
    /// Also what no longer stands.
    pub history: bool,
    /// At most this many.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

/// The last row of a page: effective time and sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    effective_ms: i64,
    seq: i64,
}

impl Cursor {
    /// Reads what [`Cursor::show`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (effective_ms, seq) = text.split_once('.')?;
        Some(Self { effective_ms: effective_ms.parse().ok()?, seq: seq.parse().ok()? })
    }

    /// Opaque text for a URL; names no patient and no value.
    #[must_use]
    pub fn show(self) -> String {
        format!("{}.{}", self.effective_ms, self.seq)
    }
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// As stored.
    pub items: Vec<Box<RawValue>>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

const CURRENT: &str = "SELECT effective_ms, seq, body FROM assessment INDEXED BY assessment_current
    WHERE patient = ?1 AND rule = ?2 AND current = 1 AND effective_ms BETWEEN ?3 AND ?4
      AND (effective_ms, seq) < (?5, ?6)
    ORDER BY effective_ms DESC, seq DESC LIMIT ?7";
const HISTORY: &str = "SELECT effective_ms, seq, body FROM assessment
    WHERE patient = ?1 AND rule = ?2 AND effective_ms BETWEEN ?3 AND ?4
      AND (effective_ms, seq) < (?5, ?6)
    ORDER BY effective_ms DESC, seq DESC LIMIT ?7";

/// A page of assessments, newest effective time first; of one time the newest result first.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub fn assessments(db: &dyn Database, patient: &str, query: &Query) -> Result<Page, StoreError> {
    let limit = query.limit.clamp(1, LIMIT_MAX);
    let ask = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let after = query.after.unwrap_or(Cursor { effective_ms: i64::MAX, seq: i64::MAX });
    let to_ms = query.to_ms.unwrap_or(i64::MAX).min(after.effective_ms);
    let sql = if query.history { HISTORY } else { CURRENT };
    let mut found = Vec::new();
    let rules = match &query.rule {
        Some(rule) => vec![rule.clone()],
        None => {
            let rows = db.query(RULES, &[patient.into()])?;
            rows.iter()
                .map(|it| Ok(it.text("rule")?.to_owned()))
                .collect::<Result<_, StoreError>>()?
        }
    };
    for rule in &rules {
        let rows = db.query(
            sql,
            &[
                patient.into(),
                rule.as_str().into(),
                query.from_ms.unwrap_or(i64::MIN).into(),
                to_ms.into(),
                after.effective_ms.into(),
                after.seq.into(),
                ask.into(),
            ],
        )?;
        for row in rows.iter() {
            let at =
                Cursor { effective_ms: row.integer("effective_ms")?, seq: row.integer("seq")? };
            found.push((at, row.json::<Box<RawValue>>("body")?));
        }
    }
    found.sort_by_key(|(at, _)| std::cmp::Reverse((at.effective_ms, at.seq)));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(at, _)| *at);
    Ok(Page { items: found.into_iter().map(|(_, body)| body).collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let at = Cursor { effective_ms: -5, seq: 17 };
        assert_eq!(Cursor::parse(&at.show()), Some(at));
        assert_eq!(Cursor::parse("17"), None);
        assert_eq!(Cursor::parse("a.b"), None);
    }
}
