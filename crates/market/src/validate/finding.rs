//! What the validator has to say about a row, a day or a whole series.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::price::Lira;
use crate::refused_row::Refusal;

/// One observation of the validator, as data: the report, the page and the audit log show the same.
///
/// Its [`fmt::Display`] is one sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The time stamp of the row it is about; `None` when it is about a day without a row, or about
    /// the whole series.
    pub opened_at: Option<Timestamp>,
    /// The day it is about; `None` when it is about the whole series, or the day is not known.
    pub day: Option<Date>,
    /// What was found, with its numbers.
    #[serde(flatten)]
    pub kind: FindingKind,
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }

    /// Whether the row it is about is kept out of the accepted bars.
    pub fn quarantines(&self) -> bool {
        self.kind.quarantines()
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Info,
    /// The row is kept and deserves a look.
    Warning,
    /// The row is quarantined, or a session is missing: it counts against the score.
    Error,
}

impl Severity {
    /// The word used in the store, the API and on the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which of the prices of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceField {
    /// The first price.
    Open,
    /// The highest price.
    High,
    /// The lowest price.
    Low,
    /// The last price.
    Close,
}

impl PriceField {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
        }
    }
}

impl fmt::Display for PriceField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the rows after an impossible move say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveOutcome {
    /// The close was possible and only the high or the low was not, or the next row is back where
    /// the move began: one bad row, and returns may be computed across it.
    CameBack,
    /// The next row stays at the new level: an event that nobody told us of. No return may be
    /// computed across it.
    StayedThere,
    /// No row follows, so nothing more can be said.
    LastRow,
}

/// What was found, with the numbers that led to it. Prices are in units of 0.0001 TRY.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// A row that the reader refused.
    RowRefused {
        /// The file it stood in.
        file: String,
        /// Its line there.
        line: u64,
        /// Why.
        reason: Refusal,
    },
    /// A price of zero or less.
    NonPositivePrice {
        /// Which price.
        field: PriceField,
        /// What it is.
        price_units: i64,
    },
    /// The low is above the high.
    LowAboveHigh {
        /// The low.
        low_units: i64,
        /// The high.
        high_units: i64,
    },
    /// The open lies outside low and high by more than rounding explains.
    OpenOutOfRange {
        /// The open.
        open_units: i64,
        /// The low.
        low_units: i64,
        /// The high.
        high_units: i64,
    },
    /// The close lies outside low and high by more than rounding explains.
    CloseOutOfRange {
        /// The close.
        close_units: i64,
        /// The low.
        low_units: i64,
        /// The high.
        high_units: i64,
    },
    /// Fewer than no shares were traded.
    NegativeVolume {
        /// What the source says.
        volume_shares: i64,
    },
    /// The vendor's adjusted close is zero, negative or not a number.
    NonPositiveAdjustedClose {
        /// What the source says, lira; `None` when it is not a finite number.
        adjusted_close: Option<f64>,
    },
    /// The vendor's adjusted close is above the close, and no action that reduces the number of
    /// shares explains it.
    AdjustedCloseAboveClose {
        /// The adjusted close, lira.
        adjusted_close: f64,
        /// The close.
        close_units: i64,
    },
    /// A row dated on a Saturday or Sunday.
    WeekendRow,
    /// A row dated on a day when the exchange was closed.
    HolidayRow {
        /// Which day it was.
        name: String,
    },
    /// A row for the session whose trades were all cancelled.
    CancelledSessionRow,
    /// A later row with the same time stamp and the same numbers as an earlier one.
    DuplicateTimestamp,
    /// One of several rows with the same time stamp and different numbers; none can be believed.
    ConflictingTimestamp {
        /// How many rows have this time stamp.
        rows_count: u64,
    },
    /// All numbers, the volume too, are those of the previous session.
    RepeatedBar,
    /// A price that the exchange's daily limit does not allow, and nothing explains.
    MoveBeyondLimit {
        /// Which price.
        field: PriceField,
        /// What it is.
        price_units: i64,
        /// The close it is compared with.
        base_units: i64,
        /// The day of that close.
        base_day: Date,
        /// The move, a share of the base.
        move_share: f64,
        /// The largest move that would have passed in this direction, a share of the base, positive.
        allowed_share: f64,
        /// What the next row says.
        outcome: MoveOutcome,
    },
    /// A session between the first and the last row for which there is no row.
    MissingSession,
    /// More sessions in a row without a row than a data fault explains: a suspension, or lost data.
    /// Limits say little across it, so no return may be computed across it.
    SessionGap {
        /// The first missing session.
        from: Date,
        /// The last missing session.
        to: Date,
        /// How many sessions are missing.
        sessions_count: u32,
    },
    /// Rows are in no order; they were sorted for checking.
    OutOfOrder {
        /// How many rows come before a row that is older.
        rows_count: u64,
    },
    /// No share was traded on a session, or the source lost the volume.
    ZeroVolume,
    /// The source does not say how many shares were traded.
    MissingVolume,
    /// The close does not move for several rows; the finding stands at the first of them.
    StaleCloseRun {
        /// How many rows have the same close.
        rows_count: u64,
        /// The day of the last of them.
        to: Date,
        /// The close.
        close_units: i64,
    },
    /// The volume is far from that of the rows before.
    VolumeOutlier {
        /// The volume.
        volume_shares: u64,
        /// The median of the rows before.
        median_shares: f64,
        /// The volume as a multiple of the median.
        multiple: f64,
    },
    /// The open was outside low and high by no more than rounding; the low or high was moved to it.
    OpenRounding {
        /// By how much.
        by_units: i64,
    },
    /// The close was outside low and high by no more than rounding; the low or high was moved to it.
    CloseRounding {
        /// By how much.
        by_units: i64,
    },
    /// All four prices are equal although shares were traded: a locked limit, or a bar made up.
    FlatBar,
    /// A move beyond the limit that corporate actions explain.
    MoveExplainedByAction {
        /// The codes of the actions, in order.
        actions: Vec<String>,
        /// The move against the previous close, a share.
        move_share: f64,
        /// The previous close after the actions, lira.
        theoretical_base: f64,
    },
    /// A move beyond the limit that the vendor's adjusted close explains.
    MoveExplainedByAdjustment {
        /// The move against the previous close, a share.
        move_share: f64,
        /// The move of the adjusted close, a share.
        adjusted_move_share: f64,
    },
    /// The rows are newest first; they were sorted for checking.
    NewestFirst,
    /// Rows outside the years of the calendar; nothing can be said about them.
    OutsideCalendar {
        /// The day of the first of them.
        from: Date,
        /// The day of the last of them.
        to: Date,
        /// How many they are, refused rows included.
        rows_count: u64,
    },
    /// Rows up to the last whose prices are so small that four decimals no longer carry them.
    CoarsePrices {
        /// The day of the first of them.
        from: Date,
        /// The day of the last of them.
        to: Date,
        /// How many they are, refused rows included.
        rows_count: u64,
        /// The bound below which a price counts as coarse.
        below_units: i64,
    },
    /// An intraday bar that no phase of its day's session touches.
    OutsideSession {
        /// Where it lies.
        phase: OffHours,
    },
    /// The bars of some days lie as a whole beside the session: times of another zone, or of another
    /// summer time, taken for those of Istanbul.
    TimeZoneShift {
        /// By how much they are late; negative when they are early.
        shift_minutes: i16,
        /// The first of these days in a row.
        from: Date,
        /// The last of them.
        to: Date,
    },
    /// A day has fewer intraday bars than the session and the other days let expect.
    MissingIntradayBars {
        /// How many bars there should be.
        expected_count: u32,
        /// How many of these there are.
        found_count: u32,
    },
    /// An intraday bar begins at a time at which no bar of this source begins.
    MisalignedTime {
        /// How long after the last regular beginning, seconds.
        off_by_s: u32,
    },
    /// A day has another number of intraday bars than most; on a half day that is as it should be.
    BarCountUnusual {
        /// How many it has.
        bars_count: u32,
        /// How many most full days have.
        usual_count: u32,
    },
    /// The first bar of a day has no volume, as all first bars of this source.
    OpeningBarWithoutVolume,
}

/// Where an intraday bar outside the session lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffHours {
    /// Before the first phase of the day.
    BeforeSession,
    /// In the break between two sessions.
    Break,
    /// After the last phase of the day.
    AfterSession,
}

impl fmt::Display for OffHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::BeforeSession => "before the session",
            Self::Break => "in the break between the sessions",
            Self::AfterSession => "after the session",
        })
    }
}

impl FindingKind {
    /// The name used in the store, the API and the reports; it does not change.
    pub const fn code(&self) -> &'static str {
        self.code_and_severity().0
    }

    /// How bad it is.
    pub const fn severity(&self) -> Severity {
        self.code_and_severity().1
    }

    /// Whether the row it is about is kept out of the accepted bars.
    pub const fn quarantines(&self) -> bool {
        let about_no_row = matches!(self, Self::MissingSession | Self::SessionGap { .. });
        matches!(self.severity(), Severity::Error) && !about_no_row
    }

    /// One line a kind: its code and its severity.
    const fn code_and_severity(&self) -> (&'static str, Severity) {
        use Severity::{Error, Info, Warning};
        match self {
            Self::RowRefused { .. } => ("row_refused", Error),
            Self::NonPositivePrice { .. } => ("non_positive_price", Error),
            Self::LowAboveHigh { .. } => ("low_above_high", Error),
            Self::OpenOutOfRange { .. } => ("open_out_of_range", Error),
            Self::CloseOutOfRange { .. } => ("close_out_of_range", Error),
            Self::NegativeVolume { .. } => ("negative_volume", Error),
            Self::NonPositiveAdjustedClose { .. } => ("non_positive_adjusted_close", Error),
            Self::AdjustedCloseAboveClose { .. } => ("adjusted_close_above_close", Error),
            Self::WeekendRow => ("weekend_row", Error),
            Self::HolidayRow { .. } => ("holiday_row", Error),
            Self::CancelledSessionRow => ("cancelled_session_row", Error),
            Self::DuplicateTimestamp => ("duplicate_timestamp", Error),
            Self::ConflictingTimestamp { .. } => ("conflicting_timestamp", Error),
            Self::RepeatedBar => ("repeated_bar", Error),
            Self::MoveBeyondLimit { .. } => ("move_beyond_limit", Error),
            Self::MissingSession => ("missing_session", Error),
            Self::SessionGap { .. } => ("session_gap", Error),
            Self::OutOfOrder { .. } => ("out_of_order", Warning),
            Self::ZeroVolume => ("zero_volume", Warning),
            Self::MissingVolume => ("missing_volume", Warning),
            Self::StaleCloseRun { .. } => ("stale_close_run", Warning),
            Self::VolumeOutlier { .. } => ("volume_outlier", Warning),
            Self::OpenRounding { .. } => ("open_rounding", Info),
            Self::CloseRounding { .. } => ("close_rounding", Info),
            Self::FlatBar => ("flat_bar", Info),
            Self::MoveExplainedByAction { .. } => ("move_explained_by_action", Info),
            Self::MoveExplainedByAdjustment { .. } => ("move_explained_by_adjustment", Info),
            Self::NewestFirst => ("newest_first", Info),
            Self::OutsideCalendar { .. } => ("outside_calendar", Info),
            Self::CoarsePrices { .. } => ("coarse_prices", Info),
            Self::OutsideSession { .. } => ("outside_session", Error),
            Self::TimeZoneShift { .. } => ("time_zone_shift", Error),
            Self::MissingIntradayBars { .. } => ("missing_intraday_bars", Warning),
            Self::MisalignedTime { .. } => ("misaligned_time", Warning),
            Self::BarCountUnusual { .. } => ("bar_count_unusual", Info),
            Self::OpeningBarWithoutVolume => ("opening_bar_without_volume", Info),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.day {
            Some(day) => write!(f, "{day}: {}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

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
