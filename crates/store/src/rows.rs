//! What a statement gives back, read by column name.

use crate::StoreError;

/// One value of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A floating point number.
    Real(f64),
    /// Text.
    Text(String),
}

/// The rows of one statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// Rows as a database adapter hands them over.
    #[must_use]
    pub const fn new(columns: Vec<String>, rows: Vec<Vec<Cell>>) -> Self {
        Self { columns, rows }
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Each row in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { columns: &self.columns, cells })
    }

    /// The first row.
    #[must_use]
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Cell],
}

impl<'a> Row<'a> {
    fn cell(&self, column: &str) -> Result<&'a Cell, StoreError> {
        let place = self.columns.iter().position(|it| it == column);
        place.and_then(|it| self.cells.get(it)).ok_or_else(|| shape(column))
    }

    /// Text of a column that is never null.
    ///
    /// # Errors
    /// [`StoreError::Shape`] when the column is missing or holds something else.
    pub fn text(&self, column: &str) -> Result<&'a str, StoreError> {
        self.text_or_null(column)?.ok_or_else(|| shape(column))
    }

    /// Text or null.
    ///
    /// # Errors
    /// [`StoreError::Shape`] when the column is missing or holds something else.
    pub fn text_or_null(&self, column: &str) -> Result<Option<&'a str>, StoreError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            Cell::Integer(_) | Cell::Real(_) => Err(shape(column)),
        }
    }

    /// Integer of a column that is never null.
    ///
    /// # Errors
    /// [`StoreError::Shape`] when the column is missing or holds something else.
    pub fn integer(&self, column: &str) -> Result<i64, StoreError> {
        self.integer_or_null(column)?.ok_or_else(|| shape(column))
    }

    /// Integer or null.
    ///
    /// # Errors
    /// [`StoreError::Shape`] when the column is missing or holds something else.
    pub fn integer_or_null(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            Cell::Integer(number) => Ok(Some(*number)),
            Cell::Real(_) | Cell::Text(_) => Err(shape(column)),
        }
    }

    /// A JSON column, decoded.
    ///
    /// # Errors
    /// [`StoreError::Shape`] when it is not text, [`StoreError::Json`] when it does not decode.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        Ok(serde_json::from_str(self.text(column)?)?)
    }
}

fn shape(column: &str) -> StoreError {
    StoreError::Shape(column.to_owned())
}
