//! `auscult score`: the rules this build knows, and a rule against a table of cases.

use std::path::{Path, PathBuf};

use auscult_scoring::verify::{Report, Rule, rules, verify};
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// Largest table or companion read: the largest published one is under 200 KB.
const TABLE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Cells that do not agree are printed up to here; `--format json` has all of them.
const FAILURES_SHOWN_MAX: usize = 20;

/// Scores and rules: what there is, and whether it agrees with a table of cases.
#[derive(Debug, clap::Subcommand)]
pub enum Score {
    /// Names every rule with its title and published source.
    List,
    /// Checks a rule against a CSV table of cases, N of N; exit 1 when a cell does not agree.
    Verify {
        /// The rule, as `auscult score list` names it.
        rule: String,
        /// The table: a column `id`, the rule's inputs, and any of its results.
        vectors: PathBuf,
    },
}

impl Score {
    /// Does what was asked.
    pub fn run(self, output: Output) -> Result<(), Failure> {
        match self {
            Self::List => {
                output.print(&list(), &json!({ "items": rules() }));
                Ok(())
            }
            Self::Verify { rule, vectors } => check(&rule, &vectors, output),
        }
    }
}

fn list() -> String {
    let width = rules().iter().map(|it| it.name.len()).max().unwrap_or_default();
    let line = |it: &Rule| format!("{:width$}  {} ({})", it.name, it.title, it.source);
    rules().iter().map(line).collect::<Vec<_>>().join("\n")
}

fn check(name: &str, vectors: &Path, output: Output) -> Result<(), Failure> {
    let Some(rule) = rules().iter().find(|it| it.name == name) else {
        let known: Vec<&str> = rules().iter().map(|it| it.name).collect();
        let detail = format!("there is no rule {name}; known are {}", known.join(", "));
        return Err(Failure::Bad(detail));
    };
    let table = read(vectors)?;
    let companion = rule.companion.map(|it| read(&vectors.with_file_name(it))).transpose()?;
    let report = verify(name, &table, companion.as_deref())
        .map_err(|it| Failure::Bad(format!("{}: {it}", vectors.display())))?;
    output.print(&lines(&report), &json!(report));
    if report.passed() {
        Ok(())
    } else {
        Err(Failure::Bad(format!("{name} does not agree with {}", vectors.display())))
    }
}

fn lines(report: &Report) -> String {
    let shown = report.failures.iter().take(FAILURES_SHOWN_MAX);
    let mut lines: Vec<String> = shown
        .map(|it| {
            format!("{} {}: expected {:?}, found {:?}", it.case, it.column, it.expected, it.found)
        })
        .collect();
    let more = report.failures.len().saturating_sub(FAILURES_SHOWN_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.push(format!("{}: {} of {}", report.rule, report.n_passed, report.n_cases));
    lines.join("\n")
}

fn read(file: &Path) -> Result<String, Failure> {
    let unread = |it: std::io::Error| Failure::unread(&file.display().to_string(), &it);
    if std::fs::metadata(file).map_err(unread)?.len() > TABLE_BYTES_MAX {
        return Err(Failure::Bad(format!("{} is too large for a table", file.display())));
    }
    std::fs::read_to_string(file).map_err(unread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Format;

    fn code(rule: &str, file: &Path) -> u8 {
        check(rule, file, Output::new(Format::Text)).map_or_else(|it| it.code(), |()| 0)
    }

    #[test]
    fn agreement_is_0_a_wrong_cell_or_rule_1_and_a_missing_table_or_companion_3() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let right = file("right.csv", "id,hr,sbp,shock_index\none,95,100,0.95\n");
        let wrong = file("wrong.csv", "id,hr,sbp,shock_index\none,95,100,0.96\n");
        let empty = file("empty.csv", "id,hr,sbp,shock_index\n");
        assert_eq!(code("shock_index", &right), 0);
        assert_eq!(code("shock_index", &wrong), 1);
        assert_eq!(code("shock_index", &empty), 1, "no case is no agreement");
        assert_eq!(code("astrology", &right), 1);
        assert_eq!(code("shock_index", Path::new("/nowhere/table.csv")), 3);
        assert_eq!(code("cgm_metrics", &right), 3, "the series lie beside the table");
    }

    #[test]
    fn every_reference_table_agrees_by_the_command_where_it_is_present() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/domain/scores");
        if !folder.exists() {
            println!("reference tables are not present");
            return;
        }
        for rule in rules() {
            let file = folder.join(format!("{}_vectors.csv", rule.name));
            assert_eq!(code(rule.name, &file), 0, "{}", rule.name);
        }
    }
}
