//! What the columns of a bulletin mean, by their Turkish and English names.
//!
//! The order and the number of columns change over the years, and either of the two header lines
//! may be missing. The names were read in public notes and programs on bulletins of 2020 to 2026.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::error::{Broken, Fault, Place};
use crate::header::fold;
use crate::rows::shortened;

/// A column that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Day,
    Code,
    Name,
    Segment,
    Market,
    Group,
    TradingMethod,
    InBist100,
    InBist30,
    GrossSettlement,
    CorporateAction,
    Suspended,
    PreviousClose,
    Open,
    Low,
    High,
    Close,
    Vwap,
    Turnover,
    Volume,
    Trades,
}

impl Column {
    /// Without these no row is a bar.
    const NEEDED: [Self; 5] = [Self::Day, Self::Code, Self::Low, Self::High, Self::Close];

    /// Every column with its names as the exchange writes them, Turkish first. Mind that `PAZAR` is
    /// `MARKET SEGMENT` and not `MARKET`.
    const NAMES: [(Self, [&'static str; 2]); 21] = [
        (Self::Day, ["TARIH", "TRADE DATE"]),
        (Self::Code, ["ISLEM KODU", "INSTRUMENT SERIES CODE"]),
        (Self::Name, ["BULTEN ADI", "INSTRUMENT NAME"]),
        (Self::Segment, ["PAZAR", "MARKET SEGMENT"]),
        (Self::Market, ["YAPISAL BAZDA PIYASA ALT BOLUMU", "MARKET"]),
        (Self::Group, ["ENSTRUMAN GRUBU", "INSTRUMENT GROUP"]),
        (Self::TradingMethod, ["ISLEM YONTEMI", "TRADING METHOD"]),
        (Self::InBist100, ["BIST 100 ENDEKS", "BIST 100 INDEX"]),
        (Self::InBist30, ["BIST 30 ENDEKS", "BIST 30 INDEX"]),
        (Self::GrossSettlement, ["BRUT TAKAS", "GROSS SETTLEMENT"]),
        (Self::CorporateAction, ["OZSERMAYE HALI", "CORPORATE ACTION"]),
        (Self::Suspended, ["GECICI DURDURMA", "SUSPENDED"]),
        (Self::PreviousClose, ["ONCEKI KAPANIS FIYATI", "PREVIOUS LAST PRICE"]),
        (Self::Open, ["ACILIS FIYATI", "OPENING PRICE"]),
        (Self::Low, ["EN DUSUK FIYAT", "LOWEST PRICE"]),
        (Self::High, ["EN YUKSEK FIYAT", "HIGHEST PRICE"]),
        (Self::Close, ["KAPANIS FIYATI", "CLOSING PRICE"]),
        (Self::Vwap, ["A.O.F", "VWAP"]),
        (Self::Turnover, ["TOPLAM ISLEM HACMI", "TOTAL TRADED VALUE"]),
        (Self::Volume, ["TOPLAM ISLEM ADEDI", "TOTAL TRADED VOLUME"]),
        (Self::Trades, ["TOPLAM SOZLESME SAYISI", "TOTAL NUMBER OF CONTRACTS"]),
    ];

    /// The English name.
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(column, _)| *column == self).map_or("", |(_, [_, name])| name)
    }

    /// The column of this name, whatever its case, accents and blanks.
    fn of(name: &str) -> Option<Self> {
        static FOLDED: LazyLock<BTreeMap<String, Column>> = LazyLock::new(|| {
            let names = Column::NAMES.iter();
            names.flat_map(|(column, names)| names.map(|name| (fold(name), *column))).collect()
        });
        FOLDED.get(&fold(name)).copied()
    }
}

/// Where each column stands.
#[derive(Debug)]
pub(super) struct Columns {
    at: BTreeMap<Column, usize>,
    /// The names in the first line, for messages.
    names: Vec<String>,
}

impl Columns {
    /// Recognises a header line; `None` when the line is none.
    pub(super) fn recognise(line: u64, names: &[&str]) -> Result<Option<Self>, Broken> {
        let mut at = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            let Some(column) = Column::of(name) else { continue };
            if let Some(first) = at.insert(column, index) {
                return Err(two_columns(line, column, names[first], name));
            }
        }
        let is_header = at.contains_key(&Column::Code) && at.contains_key(&Column::Close);
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Ok(is_header.then_some(Self { at, names }))
    }

    /// Adds what the second line names and the first does not.
    pub(super) fn merge(&mut self, line: u64, second: Self) -> Result<(), Broken> {
        for (column, index) in second.at {
            let first = *self.at.entry(column).or_insert(index);
            let other = self.at.iter().find(|(c, i)| **i == index && **c != column);
            if first != index || other.is_some() {
                let name = self.names.get(first).map_or("", String::as_str);
                return Err(two_columns(line, column, name, &second.names[index]));
            }
        }
        Ok(())
    }

    /// Refuses a header without which no row is a bar.
    pub(super) fn complete(self, line: u64) -> Result<Self, Broken> {
        let missing = self.missing(&Column::NEEDED);
        if missing.is_empty() {
            Ok(self)
        } else {
            Err(missing_columns(line, &missing, &self.names))
        }
    }

    /// The names of those of `columns` that the header lacks.
    pub(super) fn missing(&self, columns: &[Column]) -> Vec<&'static str> {
        columns.iter().filter(|c| !self.at.contains_key(c)).map(|c| c.name()).collect()
    }

    /// The names of all the columns that the header lacks.
    pub(super) fn all_missing(&self) -> Vec<&'static str> {
        self.missing(&Column::NAMES.map(|(column, _)| column))
    }

    /// The number of columns.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// The cell of a column in a row as wide as the header; `None` when the file has no such column.
    pub(super) fn cell<'f>(
        &self,
        column: Column,
        fields: &'f [impl AsRef<str>],
    ) -> Option<&'f str> {
        self.at.get(&column).and_then(|index| fields.get(*index)).map(AsRef::as_ref)
    }

    /// The name of a column as the file writes it.
    pub(super) fn name(&self, column: Column) -> &str {
        let index = self.at.get(&column);
        index.and_then(|index| self.names.get(*index)).map_or(column.name(), String::as_str)
    }
}

/// The fault of a file whose first line is no header.
pub(super) fn no_header(line: u64, names: &[&str]) -> Broken {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    missing_columns(line, &Column::NEEDED.map(Column::name), &names)
}

fn missing_columns(line: u64, missing: &[&str], names: &[String]) -> Broken {
    let seen = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let fault = Fault::MissingColumns { missing: missing.join(", "), seen: shortened(&seen) };
    Broken::on_line(line, fault)
}

fn two_columns(line: u64, column: Column, first: &str, second: &str) -> Broken {
    let (first, second) = (shortened(first), shortened(second));
    Broken::in_cell(
        Place::Line(line),
        column.name(),
        Fault::TwoColumns { field: column.name(), first, second },
    )
}
