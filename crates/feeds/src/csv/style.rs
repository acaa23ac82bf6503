//! What a file leaves open and its cells tell: the decimal mark, and the order of day and month.

use super::table::{self, Table};
use crate::decimal::{self, DecimalMark, Evidence};
use crate::error::{Broken, Fault, Place};
use crate::header::Cells;
use crate::moment::{self, DateOrder};

/// What is decided once for a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) mark: DecimalMark,
    pub(super) order: DateOrder,
}

impl Table<'_> {
    /// Decides the decimal mark and the order of dates from as many rows as it takes; `None` when
    /// these rows leave it open and are not the whole file.
    pub(super) fn style(&self, is_whole: bool) -> Result<Option<Style>, Broken> {
        let mut marks = MarkSearch::default();
        let mut order = None;
        let mut slashed = false;
        let mut unclear_date: Option<(u64, String)> = None;
        let mut fields = Vec::new();
        let mut is_decided = is_whole;
        let columns: Vec<usize> = self.layout.cells.iter().flat_map(Cells::numbers).collect();
        for line in self.lines() {
            self.split(line, &mut fields)?;
            if table::is_footer(&self.layout, &fields) {
                continue;
            }
            let date: &str = &fields[self.layout.date];
            slashed |= moment::is_slashed(date);
            if order.is_none() && moment::depends_on_order(date) {
                order = moment::order_shown(date);
                unclear_date.get_or_insert_with(|| (line.number, date.to_owned()));
            }
            for column in &columns {
                marks.look_at(line.number, *column, &fields[*column]);
            }
            if marks.found.is_some() && (order.is_some() || !slashed) {
                // Dates of one file look alike: when the first has no slash, none is waited for.
                is_decided = true;
                break;
            }
        }
        if !is_decided {
            return Ok(None);
        }
        let order = match (order, unclear_date) {
            (Some(order), _) => order,
            (None, None) => DateOrder::DayFirst,
            (None, Some((number, date))) => {
                let column = &self.layout.names[self.layout.date];
                return Err(Broken::in_cell(
                    Place::Line(number),
                    column,
                    Fault::AmbiguousDate(date),
                ));
            }
        };
        Ok(Some(Style { mark: marks.decide(&self.layout.names)?, order }))
    }
}

/// Looks for a number that can only be read one way.
#[derive(Debug, Default)]
struct MarkSearch {
    found: Option<DecimalMark>,
    ungrouped: bool,
    /// The first number with three digits behind a point, and behind a comma.
    unclear: [Option<(u64, usize, String)>; 2],
}

impl MarkSearch {
    fn look_at(&mut self, line: u64, column: usize, cell: &str) {
        if self.found.is_some() || decimal::is_null(cell) {
            return;
        }
        match decimal::evidence(cell) {
            Evidence::None => {}
            Evidence::Ungrouped => self.ungrouped = true,
            Evidence::Decimal(mark) => self.found = Some(mark),
            Evidence::Unclear(mark) => {
                let slot = match mark {
                    DecimalMark::Point => 0,
                    DecimalMark::Comma => 1,
                };
                self.unclear[slot].get_or_insert_with(|| (line, column, cell.to_owned()));
            }
        }
    }

    fn decide(self, names: &[String]) -> Result<DecimalMark, Broken> {
        if let Some(mark) = self.found {
            return Ok(mark);
        }
        match (self.unclear, self.ungrouped) {
            ([None, None], _) => Ok(DecimalMark::Point),
            // The file writes long numbers without groups, so the mark cannot group either.
            ([Some(_), None], true) => Ok(DecimalMark::Point),
            ([None, Some(_)], true) => Ok(DecimalMark::Comma),
            ([Some((line, column, cell)), _] | [None, Some((line, column, cell))], _) => Err(
                Broken::in_cell(Place::Line(line), &names[column], Fault::AmbiguousNumber(cell)),
            ),
        }
    }
}
