//! A text whose header is understood, and its lines.

use std::borrow::Cow;

use super::line;
use crate::error::{Broken, Fault};
use crate::header::{self, Layout};
use crate::moment::{DateOrder, Moment};

/// A line that is not blank, with its number from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) text: &'a str,
}

/// A text whose header is understood.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) delimiter: char,
    pub(super) layout: Layout,
    /// Columns of the header, without an empty one that a delimiter at the end makes.
    pub(super) width: usize,
    /// What stands below the header.
    rows: Lines<'a>,
}

impl<'a> Table<'a> {
    /// Reads the header.
    pub(super) fn of(text: &'a str) -> Result<Self, Broken> {
        let mut lines = Lines { text, at: 0, number: 1, delimiter: None };
        let mut first = lines.next();
        // Spreadsheets may name the delimiter above the header.
        if first.is_some_and(|line| line.text.starts_with("sep=")) {
            first = lines.next();
        }
        let Some(first) = first else { return Err(Fault::ZeroBytes.into()) };
        let delimiter = line::delimiter_of(first.text);
        let mut names = fields_of(first, delimiter)?;
        while names.len() > 1 && names.last().is_some_and(|name| name.is_empty()) {
            names.pop();
        }

        let mut rows = lines.clone();
        let second = lines.next();
        let pairs = match second {
            Some(second) => {
                let second = fields_of(second, delimiter)?;
                Layout::recognise_pairs(&as_strs(&names), &as_strs(&second))
            }
            None => None,
        };
        let layout = match pairs {
            Some(layout) => {
                rows = lines.clone();
                if let Some(third) = lines.next()
                    && header::only_names_the_date(&as_strs(&fields_of(third, delimiter)?))
                {
                    rows = lines;
                }
                layout
            }
            None => Layout::recognise(&as_strs(&names)),
        };
        let layout = layout.map_err(|fault| Broken::on_line(first.number, fault))?;
        let width = layout.names.len();
        rows.delimiter = Some(delimiter);
        Ok(Self { delimiter, layout, width, rows })
    }

    /// The rows of data.
    pub(super) fn lines(&self) -> Lines<'a> {
        self.rows.clone()
    }

    /// The lines of a later text of the same file, whose first has this number.
    pub(super) fn lines_of<'t>(&self, text: &'t str, number: u64) -> Lines<'t> {
        Lines { text, at: 0, number, delimiter: self.rows.delimiter }
    }

    /// The fields of a row, as many as the header has.
    pub(super) fn split<'t>(
        &self,
        line: Line<'t>,
        fields: &mut Vec<Cow<'t, str>>,
    ) -> Result<(), Broken> {
        line::split(line.text, self.delimiter, fields)
            .map_err(|_| Broken::on_line(line.number, Fault::OpenQuote))?;
        while fields.len() > self.width && fields.last().is_some_and(|field| field.is_empty()) {
            fields.pop();
        }
        if fields.len() != self.width && !is_footer(&self.layout, fields) {
            let fault = Fault::FieldCount { expected: self.width, found: fields.len() };
            return Err(Broken::on_line(line.number, fault));
        }
        Ok(())
    }
}

/// Whether a row sums the others up instead of being one of them: it has no date and begins with a
/// word such as `Toplam`.
pub(super) fn is_footer(layout: &Layout, fields: &[Cow<'_, str>]) -> bool {
    let dated = fields
        .get(layout.date)
        .is_some_and(|date| Moment::parse(date, DateOrder::DayFirst).is_some());
    !dated && fields.first().is_some_and(|first| header::is_footer(first))
}

/// The lines of a text that are not blank; a carriage return at the end is dropped with the blanks.
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    pub(super) text: &'a str,
    /// Where the next line begins.
    pub(super) at: usize,
    /// The number of the next line, from 1.
    pub(super) number: u64,
    /// Lines of this and blanks are blank too: spreadsheets write their empty rows so.
    delimiter: Option<char>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let (text, length) = match rest.find('\n') {
                Some(end) => (&rest[..end], end + 1),
                None => (rest, rest.len()),
            };
            let line = Line { number: self.number, text: text.strip_suffix('\r').unwrap_or(text) };
            self.at += length;
            self.number += 1;
            let filled = |c: char| !c.is_whitespace() && Some(c) != self.delimiter;
            if line.text.contains(filled) {
                return Some(line);
            }
        }
        None
    }
}

fn fields_of(line: Line<'_>, delimiter: char) -> Result<Vec<Cow<'_, str>>, Broken> {
    let mut fields = Vec::new();
    line::split(line.text, delimiter, &mut fields)
        .map_err(|_| Broken::on_line(line.number, Fault::OpenQuote))?;
    Ok(fields)
}

fn as_strs<'a>(fields: &'a [Cow<'_, str>]) -> Vec<&'a str> {
    fields.iter().map(AsRef::as_ref).collect()
}
