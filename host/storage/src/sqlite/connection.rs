//! One guest's connection: where each statement runs, and what SQLite keeps per connection.

use std::{sync::Arc, time::Instant};

use tokio::sync::{mpsc, oneshot};

use super::{
    Error, QueryResult, Value,
    database::Shared,
    job::{Begin, Job, Step, Write},
    parameters::Own,
    physical::Outcome,
    statement::{Class, Statement},
};

/// One guest's connection. Dropping it rolls back the transaction it has open.
pub struct Connection {
    shared: Arc<Shared>,
    transaction: Transaction,
    changes: u64,
    total_changes: u64,
    last_insert_rowid: i64,
    busy_timeout_ms: i64,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// Whether a transaction is open.
enum Transaction {
    None,
    /// Begun by the guest; as with SQLite's `DEFERRED` nothing is held until it does something.
    Begun {
        savepoint: Option<(Arc<str>, String)>,
    },
    /// The writer is ours until it ends.
    Open(mpsc::Sender<Step>),
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            transaction: Transaction::None,
            changes: 0,
            total_changes: 0,
            last_insert_rowid: 0,
            // What Spin's SQLite has.
            busy_timeout_ms: 5000,
        }
    }

    /// Rows changed by this connection's latest `INSERT`, `UPDATE` or `DELETE`.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Row id of this connection's latest `INSERT`, 0 if there was none.
    pub fn last_insert_rowid(&self) -> i64 {
        self.last_insert_rowid
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        !matches!(self.transaction, Transaction::None)
    }

    /// Runs one statement. A write outside a transaction, and a `COMMIT`, is answered only after
    /// its commit is synced.
    pub async fn execute(&mut self, sql: &str, params: Vec<Value>) -> Result<QueryResult, Error> {
        self.shared.core.counters.statement();
        let statement = self.shared.parse(sql)?;
        if params.len() != statement.parameters {
            let (got, needed) = (params.len(), statement.parameters);
            return Err(Error::Parameters { got, needed });
        }
        if let Class::Setting(pragma) = &statement.class {
            return Ok(QueryResult {
                last_insert_rowid: self.last_insert_rowid,
                ..pragma.answer(&mut self.busy_timeout_ms)
            });
        }
        if let Some(result) = self.control(&statement).await? {
            return Ok(result);
        }
        let text = if statement.own.is_empty() {
            Arc::clone(&statement.text)
        } else {
            statement.with_own(|own| self.own(own))
        };
        let mut outcome = match &self.transaction {
            Transaction::Open(steps) => {
                let steps = steps.clone();
                self.step(&steps, Arc::clone(&statement), text, params).await?
            }
            Transaction::None | Transaction::Begun { .. } => {
                self.autocommit(Arc::clone(&statement), text, params).await?
            }
        };
        if !statement.own.is_empty() {
            self.name_own(&mut outcome.columns);
        }
        Ok(self.result(&statement, outcome))
    }

    /// Handles what needs no writer; opens the transaction if this statement must be in it.
    async fn control(&mut self, statement: &Statement) -> Result<Option<QueryResult>, Error> {
        let done = Ok(Some(QueryResult {
            last_insert_rowid: self.last_insert_rowid,
            ..QueryResult::default()
        }));
        let fail = |message: String| Err(Error::state(message));
        match (&mut self.transaction, &statement.class) {
            (Transaction::Open(_), _) => Ok(None),
            (Transaction::None, Class::Begin(at_once)) => {
                self.transaction = Transaction::Begun { savepoint: None };
                if *at_once && let Err(error) = self.open().await {
                    self.transaction = Transaction::None;
                    return Err(error);
                }
                done
            }
            (Transaction::None, Class::Savepoint(name)) => {
                let savepoint = Some((Arc::clone(&statement.text), name.clone()));
                self.transaction = Transaction::Begun { savepoint };
                done
            }
            (Transaction::None, Class::Commit) => {
                fail("cannot commit - no transaction is active".into())
            }
            (Transaction::None, Class::Rollback) => {
                fail("cannot rollback - no transaction is active".into())
            }
            (Transaction::None, Class::Release(name) | Class::RollbackTo(name)) => {
                fail(format!("no such savepoint: {name}"))
            }
            (Transaction::None, _) => Ok(None),
            (Transaction::Begun { .. }, Class::Commit | Class::Rollback) => {
                self.transaction = Transaction::None;
                done
            }
            (Transaction::Begun { .. }, Class::Begin(_)) => {
                fail("cannot start a transaction within a transaction".into())
            }
            (Transaction::Begun { .. }, _) => {
                self.open().await?;
                Ok(None)
            }
        }
    }

    /// Gets the writer for the transaction that was begun.
    async fn open(&mut self) -> Result<(), Error> {
        let begun = std::mem::replace(&mut self.transaction, Transaction::None);
        let Transaction::Begun { savepoint } = begun else { return Ok(()) };
        let (steps, statements) = mpsc::channel(1);
        let (reply, answer) = oneshot::channel();
        let begin =
            Begin { statements, savepoint: savepoint.clone(), reply, queued: Instant::now() };
        let opened = match self.shared.jobs.send(Job::Begin(begin)).await {
            Ok(()) => answer.await.unwrap_or(Err(Error::Closed)),
            Err(_) => Err(Error::Closed),
        };
        match opened {
            Ok(()) => {
                self.transaction = Transaction::Open(steps);
                Ok(())
            }
            Err(error) => {
                // As with SQLite's `DEFERRED`: a transaction that found the file busy stays begun.
                self.transaction = Transaction::Begun { savepoint };
                Err(error)
            }
        }
    }

    async fn step(
        &mut self,
        steps: &mpsc::Sender<Step>,
        statement: Arc<Statement>,
        text: Arc<str>,
        params: Vec<Value>,
    ) -> Result<Outcome, Error> {
        let (reply, answer) = oneshot::channel();
        let cached = statement.own.is_empty();
        let step = Step { statement, text, params, cached, reply };
        let stepped = match steps.send(step).await {
            Ok(()) => answer.await.ok(),
            Err(_) => None,
        };
        let Some(stepped) = stepped else {
            self.transaction = Transaction::None;
            return Err(Error::RolledBack("it was idle or open for too long".into()));
        };
        if !stepped.open {
            self.transaction = Transaction::None;
        }
        stepped.result
    }

    async fn autocommit(
        &self,
        statement: Arc<Statement>,
        text: Arc<str>,
        params: Vec<Value>,
    ) -> Result<Outcome, Error> {
        let cached = statement.own.is_empty();
        if matches!(statement.class, Class::Read | Class::ReadFirst) {
            match self.shared.readers.run(&statement, &text, &params, cached).await {
                Err(error) if error.is_read_only() => {}
                result => return result,
            }
        }
        let (reply, answer) = oneshot::channel();
        let write = Write { statement, text, params, cached, reply, queued: Instant::now() };
        self.shared.jobs.send(Job::Write(write)).await.map_err(|_| Error::Closed)?;
        answer.await.unwrap_or(Err(Error::Closed))
    }

    fn own(&self, own: Own) -> i64 {
        let unsigned = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        match own {
            Own::LastInsertRowid => self.last_insert_rowid,
            Own::Changes => unsigned(self.changes),
            Own::TotalChanges => unsigned(self.total_changes),
        }
    }

    /// Columns named after a call keep the name of the call.
    fn name_own(&self, columns: &mut [String]) {
        for (own, name) in [
            (Own::LastInsertRowid, "last_insert_rowid()"),
            (Own::Changes, "changes()"),
            (Own::TotalChanges, "total_changes()"),
        ] {
            let value = format!("(+{})", self.own(own));
            for column in columns.iter_mut().filter(|column| column.contains(&value)) {
                *column = column.replacen(&value, name, 1);
            }
        }
    }

    fn result(&mut self, statement: &Statement, outcome: Outcome) -> QueryResult {
        let mut changes = 0;
        if statement.changes_rows {
            changes = outcome.changes;
            self.changes = changes;
            self.total_changes = self.total_changes.saturating_add(changes);
            if statement.inserts && changes > 0 {
                self.last_insert_rowid = outcome.rowid;
            }
        }
        let (columns, rows) = (outcome.columns, outcome.rows);
        QueryResult { columns, rows, changes, last_insert_rowid: self.last_insert_rowid }
    }
}
