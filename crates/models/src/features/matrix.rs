//! The matrix of features: columns of numbers with names.

/// Why columns are not a matrix.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// Not as many names as columns.
    #[error("{names_count} names for {columns_count} columns")]
    NamesCount {
        /// Names given.
        names_count: usize,
        /// Columns given.
        columns_count: usize,
    },
    /// A name is given twice.
    #[error("the column name '{0}' is given twice")]
    SameName(String),
    /// Columns of different length.
    #[error("column '{name}' has {rows_count} rows and the first has {rows_count_first}")]
    RowsCount {
        /// The column.
        name: String,
        /// Its rows.
        rows_count: usize,
        /// The rows of the first column.
        rows_count_first: usize,
    },
    /// A value is infinite.
    #[error("column '{name}' is infinite in row {row}: write NaN for an unknown value")]
    Infinite {
        /// The column.
        name: String,
        /// The row.
        row: usize,
    },
}

/// Named columns of numbers, column after column in memory; NaN is an unknown value, and no value
/// is infinite.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMatrix {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    rows_count: usize,
}

impl FeatureMatrix {
    /// Builds a matrix from columns of equal length, one name each.
    ///
    /// # Errors
    ///
    /// [`MatrixError`] when names and columns do not go together or a value is infinite.
    pub fn from_columns(names: Vec<String>, columns: Vec<Vec<f64>>) -> Result<Self, MatrixError> {
        if names.len() != columns.len() {
            return Err(MatrixError::NamesCount {
                names_count: names.len(),
                columns_count: columns.len(),
            });
        }
        let rows_count = columns.first().map_or(0, Vec::len);
        for (j, (name, column)) in names.iter().zip(&columns).enumerate() {
            if names[..j].contains(name) {
                return Err(MatrixError::SameName(name.clone()));
            }
            if column.len() != rows_count {
                return Err(MatrixError::RowsCount {
                    name: name.clone(),
                    rows_count: column.len(),
                    rows_count_first: rows_count,
                });
            }
            if let Some(row) = column.iter().position(|value| value.is_infinite()) {
                return Err(MatrixError::Infinite { name: name.clone(), row });
            }
        }
        Ok(Self { names, columns, rows_count })
    }

    /// The first `rows_count` rows.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[must_use]
    pub fn first_rows(&self, rows_count: usize) -> Self {
        let columns = self.columns.iter().map(|column| column[..rows_count].to_vec()).collect();
        Self { names: self.names.clone(), columns, rows_count }
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many columns there are.
    pub fn columns_count(&self) -> usize {
        self.columns.len()
    }

    /// How many rows there are.
    pub fn rows_count(&self) -> usize {
        self.rows_count
    }

    /// Which column has this name.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// Column `j`, one value a row.
    ///
    /// # Panics
    ///
    /// When there is no column `j`.
    pub fn column(&self, j: usize) -> &[f64] {
        &self.columns[j]
    }

    /// The value of column `j` in row `row`.
    ///
    /// # Panics
    ///
    /// When there is no such row or column.
    pub fn value(&self, row: usize, j: usize) -> f64 {
        self.columns[j][row]
    }

    /// The values of one row, in the order of the columns.
    ///
    /// # Panics
    ///
    /// When there is no such row.
    pub fn row(&self, row: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// Replaces the values of column `j` by others of its own, in another order.
    ///
    /// # Panics
    ///
    /// When there is no column `j`, or there are more or fewer values.
    pub(crate) fn rearrange(&mut self, j: usize, values: Vec<f64>) {
        assert_eq!(values.len(), self.rows_count, "there is a value for each row");
        self.columns[j] = values;
    }

    /// Some rows, as a matrix of the same columns.
    ///
    /// # Panics
    ///
    /// When a row does not exist.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let chosen = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect();
        let columns = self.columns.iter().map(chosen).collect();
        Self { names: self.names.clone(), columns, rows_count: rows.len() }
    }

    /// The values of `rows`, row after row.
    ///
    /// # Panics
    ///
    /// When a row does not exist.
    pub(crate) fn gather(&self, rows: &[usize]) -> Vec<f64> {
        let width = self.columns.len();
        let mut values = vec![0.0; rows.len() * width];
        for (j, column) in self.columns.iter().enumerate() {
            for (slot, &row) in values.iter_mut().skip(j).step_by(width).zip(rows) {
                *slot = column[row];
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], columns: &[&[f64]], expected: Result<usize, &str>) {
        let actual = FeatureMatrix::from_columns(
            names.iter().map(|name| (*name).to_owned()).collect(),
            columns.iter().map(|column| column.to_vec()).collect(),
        )
        .map(|matrix| matrix.rows_count())
        .map_err(|error| error.to_string());
        assert_eq!(actual, expected.map_err(str::to_owned));
    }

    #[test]
    fn columns_that_are_no_matrix_are_refused() {
        check(&["a", "b"], &[&[1.0, f64::NAN], &[3.0, 4.0]], Ok(2));
        check(&["a"], &[&[1.0], &[2.0]], Err("1 names for 2 columns"));
        check(&["a", "a"], &[&[1.0], &[2.0]], Err("the column name 'a' is given twice"));
        check(&["a", "b"], &[&[1.0], &[]], Err("column 'b' has 0 rows and the first has 1"));
        check(
            &["a"],
            &[&[0.0, f64::INFINITY]],
            Err("column 'a' is infinite in row 1: write NaN for an unknown value"),
        );
    }

    #[test]
    fn gathered_rows_follow_each_other() {
        let names = vec!["a".to_owned(), "b".to_owned()];
        let x = FeatureMatrix::from_columns(names, vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]])
            .unwrap();
        assert_eq!(x.gather(&[2, 0]), [3.0, 6.0, 1.0, 4.0]);
        assert_eq!(x.row(1), [2.0, 5.0]);
    }
}
