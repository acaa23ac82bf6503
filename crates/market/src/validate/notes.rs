//! Where findings are written down: each gets its name, what was decided about it, and its effect
//! on its row.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Received;
use super::days::Days;
use super::decision::{FindingId, Verdict};
use super::finding::{Finding, FindingKind, Names, Severity};
use super::row::{Reach, Row, Standing};
use crate::bar::Interval;
use crate::refused_row::RefusedRow;

/// The findings of one series so far.
pub(super) struct Notes {
    names: Names,
    /// The newest decision about each finding.
    verdicts: BTreeMap<FindingId, Verdict>,
    days: &'static Days,
    interval: Interval,
    /// Whether every quiet row is plain: all checks can be made, and nothing was said of it.
    pub(super) all_quiet_plain: bool,
    pub(super) findings: Vec<Finding>,
}

impl Notes {
    /// No findings, and the decisions about those to come.
    pub(super) fn of(received: &Received, days: &'static Days) -> Self {
        let series = &received.series;
        let names = Names::of(series.symbol, series.interval, received.source);
        let verdicts = received.decisions.iter().map(|d| (d.finding, d.verdict)).collect();
        Self {
            names,
            verdicts,
            days,
            interval: series.interval,
            all_quiet_plain: true,
            findings: Vec::new(),
        }
    }

    /// Notes a finding about a row, and what becomes of the row.
    #[cold]
    pub(super) fn row(&mut self, row: &mut Row<'_>, kind: FindingKind) {
        let opened_at = row.opened_at(self.interval, self.days);
        let finding = Finding {
            id: self.names.of_row(&kind, opened_at, row.raw, row.copy),
            opened_at: Some(opened_at),
            day: Some(self.days.date(row.day())),
            decision: None,
            unverifiable: row.reach != Reach::Whole,
            kind,
        };
        self.all_quiet_plain &= !row.is_quiet;
        let finding = self.push(finding);
        let accepted = finding.decision == Some(Verdict::Accept);
        let rejected = finding.decision == Some(Verdict::Reject);
        if rejected || (finding.kind.quarantines() && !accepted) {
            row.standing = Standing::Quarantined;
        }
        row.is_plain = false;
        row.warned |= finding.severity() == Severity::Warning && !accepted;
    }

    /// Notes a finding about a day without a row, or about the series. Whether it counts.
    pub(super) fn day(&mut self, day: Option<Date>, unverifiable: bool, kind: FindingKind) -> bool {
        let id = self.names.of_day(&kind, day);
        let finding = Finding { id, opened_at: None, day, decision: None, unverifiable, kind };
        self.push(finding).counts()
    }

    /// Notes a row that the reader refused; `copy` such rows came before. Whether it counts.
    pub(super) fn refused(&mut self, row: &RefusedRow, copy: u32, unverifiable: bool) -> bool {
        let (file, line, reason) = (row.file.clone(), row.line, row.reason.clone());
        let kind = FindingKind::RowRefused { file, line, reason };
        let finding = Finding {
            id: self.names.of_refused(&kind, row, copy),
            opened_at: None,
            day: row.day,
            decision: None,
            unverifiable,
            kind,
        };
        self.push(finding).counts()
    }

    /// Adds what was decided.
    fn push(&mut self, finding: Finding) -> &Finding {
        let decision = self.verdicts.get(&finding.id).copied();
        self.findings.push(Finding { decision, ..finding });
        &self.findings[self.findings.len() - 1]
    }
}
