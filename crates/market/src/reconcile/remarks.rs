//! What a comparison of two sources means for each of them, as findings.

use super::{DayComparison, DayVerdict, Reconciliation, SideName};
use crate::quantity::Shares;
use crate::source::Source;
use crate::validate::{FindingKind, Remark};

/// One day as one side sees it.
struct Seen {
    close_units: i64,
    return_share: f64,
    other_return_share: f64,
    volumes: Option<(Shares, Shares)>,
    other_source: Source,
}

impl Reconciliation {
    /// The findings about one side, oldest first: its early closes (errors), and the days on which
    /// the other side says something else.
    pub fn remarks(&self, side: SideName) -> Vec<Remark> {
        self.days.iter().flat_map(|day| self.remarks_of_day(day, side)).collect()
    }

    fn remarks_of_day(&self, day: &DayComparison, side: SideName) -> Vec<Remark> {
        let seen = self.seen(day, side);
        let (other_source, return_share) = (seen.other_source, seen.return_share);
        let of_close = match day.verdict {
            DayVerdict::EarlyClose { side: early } => {
                (early == side).then_some(FindingKind::EarlyClose {
                    close_units: seen.close_units,
                    other_source,
                    other_close_return_share: seen.other_return_share,
                    return_share,
                })
            }
            DayVerdict::WrongClose | DayVerdict::Differs => Some(FindingKind::ReturnDisagreement {
                other_source,
                return_share,
                other_return_share: seen.other_return_share,
            }),
            DayVerdict::Agrees
            | DayVerdict::ExplainedByActions
            | DayVerdict::ExplainedByAdjustment
            | DayVerdict::AfterWrongClose => None,
        };
        let of_volume = seen.volumes.filter(|_| day.volume_agrees == Some(false)).map(
            |(volume, other_volume)| FindingKind::VolumeDisagreement {
                other_source,
                volume_shares: volume.0,
                other_volume_shares: other_volume.0,
            },
        );
        of_close
            .into_iter()
            .chain(of_volume)
            .map(|kind| Remark { opened_at: None, day: Some(day.day), kind })
            .collect()
    }

    fn seen(&self, day: &DayComparison, side: SideName) -> Seen {
        let from = |close: crate::price::Price, returns: (f64, f64), volumes, other_source| Seen {
            close_units: close.units(),
            return_share: returns.0,
            other_return_share: returns.1,
            volumes,
            other_source,
        };
        let (a, b) = (day.return_share_a, day.return_share_b);
        match side {
            SideName::A => from(day.close_a, (a, b), day.volume_a.zip(day.volume_b), self.source_b),
            SideName::B => from(day.close_b, (b, a), day.volume_b.zip(day.volume_a), self.source_a),
        }
    }
}
