//! A rule against a table of cases, N of N: what a hospital validates with.
//!
//! A table is a CSV file with an `id` column, the columns of the rule's inputs, and any of the
//! columns of its results. Numbers are compared to the decimals that are printed.

mod case;
mod glucose;
mod rules;
mod vitals;

use case::{Case, CaseError, Found};
use serde::Serialize;

/// One rule this build knows.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rule {
    /// The name that `score verify` takes.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// Where its definition was published.
    pub source: &'static str,
    /// A file that lies beside its tables of cases, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub companion: Option<&'static str>,
    #[serde(skip)]
    evaluate: Evaluate,
}

type Results = Vec<(&'static str, Found)>;
type Evaluate = fn(&Case<'_>, &str) -> Result<Results, CaseError>;

/// The outcome over one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The rule's name.
    pub rule: &'static str,
    /// Rows of the table.
    pub n_cases: usize,
    /// Rows in which every expected cell agrees.
    pub n_passed: usize,
    /// Every cell that does not.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Whether there were cases and all of them passed.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.n_cases > 0 && self.n_passed == self.n_cases
    }
}

/// One cell that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Id of the row, or its number.
    pub case: String,
    /// The column.
    pub column: String,
    /// What the table says.
    pub expected: String,
    /// What the rule says, or why it says nothing.
    pub found: String,
}

/// Why a table could not be checked at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// No rule of that name.
    #[error("there is no rule {0}")]
    UnknownRule(String),
    /// The text is not CSV.
    #[error("the table is not CSV: {0}")]
    NotCsv(String),
}

/// Every rule, by name.
#[must_use]
pub fn rules() -> &'static [Rule] {
    &rules::RULES
}

/// Checks a rule against the text of a table. `companion` is the text of the file that
/// [`Rule::companion`] names, where the rule has one.
///
/// # Errors
/// [`VerifyError`] when there is no such rule or the text is no table.
pub fn verify(name: &str, table: &str, companion: Option<&str>) -> Result<Report, VerifyError> {
    let rule = rules().iter().find(|it| it.name == name);
    let rule = rule.ok_or_else(|| VerifyError::UnknownRule(name.to_owned()))?;
    let not_csv = |it: csv::Error| VerifyError::NotCsv(it.to_string());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
    let headers = reader.headers().map_err(not_csv)?.clone();
    let mut report = Report { rule: rule.name, n_cases: 0, n_passed: 0, failures: Vec::new() };
    for row in reader.records() {
        let row = row.map_err(not_csv)?;
        report.n_cases += 1;
        let case = Case::new(&headers, &row);
        let id = case.text("id");
        let id = if id.is_empty() { format!("row {}", report.n_cases) } else { id.to_owned() };
        let failures = check(rule, &case, &id, companion.unwrap_or_default());
        report.n_passed += usize::from(failures.is_empty());
        report.failures.extend(failures);
    }
    Ok(report)
}

fn check(rule: &Rule, case: &Case<'_>, id: &str, companion: &str) -> Vec<Failure> {
    let failure = |column: &str, expected: &str, found: String| Failure {
        case: id.to_owned(),
        column: column.to_owned(),
        expected: expected.to_owned(),
        found,
    };
    let results = match (rule.evaluate)(case, companion) {
        Ok(results) => results,
        Err(error) => return vec![failure(&error.column, "", error.reason)],
    };
    let expected = case.expected();
    if expected.is_empty() {
        return vec![failure("", "", "the table expects nothing".to_owned())];
    }
    let mut failures = Vec::new();
    for (column, cell) in expected {
        match results.iter().find(|(name, _)| *name == column) {
            Some((_, found)) if found.agrees(cell) => {}
            Some((_, found)) => failures.push(failure(column, cell, found.show())),
            None => failures.push(failure(column, cell, "not a column of this rule".to_owned())),
        }
    }
    failures
}

#[cfg(test)]
mod tests;
