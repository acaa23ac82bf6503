//! Each finding as one sentence.

use std::fmt;

use super::{FindingKind, MoveOutcome};
use crate::price::Lira;

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowRefused { file, line, reason } => write!(f, "{file} line {line}: {reason}"),
            Self::NonPositivePrice { field, price_units } => {
                write!(f, "the {field} is {}, which is not a price", Lira(*price_units))
            }
            Self::LowAboveHigh { low_units, high_units } => {
                write!(f, "the low {} is above the high {}", Lira(*low_units), Lira(*high_units))
            }
            Self::OpenOutOfRange { open_units: price, low_units, high_units } => {
                write!(f, "the open {} is outside {}", Lira(*price), Range(*low_units, *high_units))
            }
            Self::CloseOutOfRange { close_units: price, low_units, high_units } => {
                write!(
                    f,
                    "the close {} is outside {}",
                    Lira(*price),
                    Range(*low_units, *high_units)
                )
            }
            Self::NegativeVolume { volume_shares } => write!(f, "the volume is {volume_shares}"),
            Self::NonPositiveAdjustedClose { adjusted_close: Some(lira) } => {
                write!(f, "the adjusted close is {lira}, which is not a price")
            }
            Self::NonPositiveAdjustedClose { adjusted_close: None } => {
                f.write_str("the adjusted close is not a number")
            }
            Self::AdjustedCloseAboveClose { adjusted_close, close_units } => write!(
                f,
                "the adjusted close {adjusted_close} is above the close {}, and no reduction of shares explains it",
                Lira(*close_units)
            ),
            Self::WeekendRow => f.write_str("a row dated on a weekend"),
            Self::HolidayRow { name } => write!(f, "a row on a day without a session ({name})"),
            Self::CancelledSessionRow => {
                f.write_str("a row for the session whose trades were all cancelled")
            }
            Self::DuplicateTimestamp => f.write_str("the same row again"),
            Self::ConflictingTimestamp { rows_count } => {
                write!(f, "one of {rows_count} rows with this time stamp and different numbers")
            }
            Self::RepeatedBar => f.write_str("every number is that of the previous session"),
            Self::MoveBeyondLimit {
                field,
                price_units,
                base_units,
                base_day,
                move_share,
                allowed_share,
                outcome,
            } => {
                write!(
                    f,
                    "the {field} {} is {} from the close {} of {base_day}, at most {:.2} % passes, and nothing explains it; {}",
                    Lira(*price_units),
                    Percent(*move_share),
                    Lira(*base_units),
                    allowed_share * 100.0,
                    match outcome {
                        MoveOutcome::CameBack => "a bad row",
                        MoveOutcome::StayedThere =>
                            "the next row stays there, so returns are cut here",
                        MoveOutcome::LastRow => "no row follows",
                    }
                )
            }
            Self::MissingSession => f.write_str("a session without a row"),
            Self::SessionGap { from, to, sessions_count } => write!(
                f,
                "{sessions_count} sessions without a row from {from} to {to}: a suspension, or lost data"
            ),
            Self::OutOfOrder { rows_count } => {
                write!(f, "{rows_count} rows come before an older row; they were sorted")
            }
            Self::ZeroVolume => f.write_str("no share was traded, or the volume was lost"),
            Self::MissingVolume => f.write_str("the volume is not given"),
            Self::StaleCloseRun { rows_count, to, close_units } => {
                write!(f, "{rows_count} equal closes of {} up to {to}", Lira(*close_units))
            }
            Self::VolumeOutlier { volume_shares, median_shares, multiple } => write!(
                f,
                "the volume {volume_shares} is {multiple:.4} times the median {median_shares} of the rows before"
            ),
            Self::OpenRounding { by_units } => {
                write!(
                    f,
                    "the open was outside low and high by {}, taken as rounding",
                    Lira(*by_units)
                )
            }
            Self::CloseRounding { by_units } => {
                write!(
                    f,
                    "the close was outside low and high by {}, taken as rounding",
                    Lira(*by_units)
                )
            }
            Self::FlatBar => f.write_str("all four prices are equal although shares were traded"),
            Self::MoveExplainedByAction { actions, move_share, theoretical_base } => write!(
                f,
                "a move of {} that {} explains (base {theoretical_base:.4} TRY)",
                Percent(*move_share),
                actions.join(" and ")
            ),
            Self::MoveExplainedByAdjustment { move_share, adjusted_move_share } => write!(
                f,
                "a move of {} that the vendor's adjusted close explains (its move is {})",
                Percent(*move_share),
                Percent(*adjusted_move_share)
            ),
            Self::NewestFirst => f.write_str("the rows are newest first; they were sorted"),
            Self::OutsideCalendar { from, to, rows_count } => write!(
                f,
                "{rows_count} rows from {from} to {to} lie outside the years of the calendar and cannot be verified"
            ),
            Self::CoarsePrices { from, to, rows_count, below_units } => write!(
                f,
                "{rows_count} rows from {from} to {to} cannot be verified: prices below {} TRY are too coarse at four decimals",
                Lira(*below_units)
            ),
            Self::EarlyClose {
                close_units,
                other_source,
                other_close_return_share,
                return_share,
            } => write!(
                f,
                "the close {} was taken before the session ended: the return is {}, and {} to the close of {other_source}",
                Lira(*close_units),
                Percent(*return_share),
                Percent(*other_close_return_share)
            ),
            Self::ReturnDisagreement { other_source, return_share, other_return_share } => write!(
                f,
                "the return is {}, and {} by {other_source}",
                Percent(*return_share),
                Percent(*other_return_share)
            ),
            Self::VolumeDisagreement { other_source, volume_shares, other_volume_shares } => {
                write!(
                    f,
                    "the volume is {volume_shares}, and {other_volume_shares} by {other_source}"
                )
            }
            Self::AdjustmentDisagreement { own_factor, vendor_factor, actions } => {
                write!(f, "the vendor adjusts earlier prices by {vendor_factor:.6}, ")?;
                match actions.as_slice() {
                    [] => f.write_str("and no corporate action is known"),
                    _ => write!(f, "and {} demands {own_factor:.6}", actions.join(" and ")),
                }
            }
            Self::DistributionDrift { what, psi, ks } => write!(
                f,
                "the newest values of {what} are distributed otherwise than those before (PSI {psi:.3}, Kolmogorov-Smirnov {ks:.3})"
            ),
            Self::ScaleBreak { price_units, base_units, base_day, factor } => write!(
                f,
                "the close {} is {factor:.4} times the close {} of {base_day} and stays there: another unit or a wrong factor, so returns are cut here",
                Lira(*price_units),
                Lira(*base_units)
            ),
            Self::OffTick { field, price_units, tick_units } => write!(
                f,
                "the {field} {} is not a multiple of the price step {}",
                Lira(*price_units),
                Lira(*tick_units)
            ),
            Self::LimitLocked { close_units, base_units, move_share, all_session } => write!(
                f,
                "{} at the price limit, {} from {} to {}",
                if *all_session { "all trades were" } else { "the session ended" },
                Percent(*move_share),
                Lira(*base_units),
                Lira(*close_units)
            ),
            Self::HaltedSession => {
                f.write_str("nothing was traded and the price stood still: the share was halted")
            }
            Self::DeadVolume { rows_count, to } => write!(
                f,
                "{rows_count} rows up to {to} have no volume although the price moves: the source lost it"
            ),
            Self::EmptySeries => f.write_str("the source gave a header and no rows"),
            Self::VolumeAbsent { rows_count } => {
                write!(f, "none of {rows_count} rows has a volume")
            }
            Self::FxJump { base_units, price_units, move_share } => write!(
                f,
                "the rate moved by {} in a day, from {} to {}",
                Percent(*move_share),
                Lira(*base_units),
                Lira(*price_units)
            ),
            Self::EarlyHistory { from, to, rows_count } => write!(
                f,
                "{rows_count} rows from {from} to {to} are checked but not learned from: the calendar and limits of those years rest on one source"
            ),
            Self::OutsideSession { phase } => write!(f, "a bar {phase}"),
            Self::TimeZoneShift { shift_minutes, from, to } => write!(
                f,
                "the bars from {from} to {to} are {} min {} beside the session: times of another zone",
                shift_minutes.unsigned_abs(),
                if *shift_minutes < 0 { "early" } else { "late" }
            ),
            Self::MissingIntradayBars { expected_count, found_count } => {
                write!(f, "{found_count} of the {expected_count} bars of the session are there")
            }
            Self::MisalignedTime { off_by_s } => {
                write!(f, "the bar begins {off_by_s} s after the time at which bars begin")
            }
            Self::BarCountUnusual { bars_count, usual_count } => {
                write!(f, "{bars_count} bars, where most days have {usual_count}")
            }
            Self::OpeningBarWithoutVolume => f.write_str(
                "the first bar of the day has no volume, as all first bars of this source",
            ),
        }
    }
}

/// The prices between low and high.
struct Range(i64, i64);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", Lira(self.0), Lira(self.1))
    }
}

/// A share written as a signed percentage.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2} %", self.0 * 100.0)
    }
}
