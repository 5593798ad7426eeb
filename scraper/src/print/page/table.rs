//! Columns that are as wide as what stands in them.

use std::fmt::{self, Write as _};

/// Where a cell's text stands in its column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table with a head.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(super) fn column(&mut self, head: &'static str, align: Align) {
        self.columns.push((head, align));
    }

    /// A row, of which the last cells may be missing.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn cell(row: &[String], column: usize) -> &str {
        row.get(column).map_or("", String::as_str)
    }

    fn line<'a>(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        cell: impl Fn(usize) -> &'a str,
    ) -> fmt::Result {
        let mut line = String::new();
        for (column, (head, align)) in self.columns.iter().enumerate() {
            let cells = self.rows.iter().map(|row| Self::cell(row, column));
            let width = cells.chain([*head]).map(str::len).max().unwrap_or_default();
            if column > 0 {
                line += "  ";
            }
            // Writing to a string does not fail.
            let _ = match align {
                Align::Left => write!(line, "{:width$}", cell(column)),
                Align::Right => write!(line, "{:>width$}", cell(column)),
            };
        }
        writeln!(formatter, "{}", line.trim_end())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line(formatter, |column| self.columns[column].0)?;
        for row in &self.rows {
            self.line(formatter, |column| Self::cell(row, column))?;
        }
        Ok(())
    }
}
