//! The kinds of findings, each with its numbers, its code and its severity.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{MoveOutcome, OffHours, PriceField, Severity};
use crate::refused_row::Refusal;
use crate::source::Source;

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
        name: Cow<'static, str>,
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
    /// The close was taken before the session ended: another source has a later one.
    EarlyClose {
        /// The close.
        close_units: i64,
        /// The source that has the later close.
        other_source: Source,
        /// The return to the other source's close of this day, a share.
        other_close_return_share: f64,
        /// The return to the close of this day, a share.
        return_share: f64,
    },
    /// Two sources give different returns for this day, and it is not known which is right.
    ReturnDisagreement {
        /// The other source.
        other_source: Source,
        /// The return here, a share.
        return_share: f64,
        /// The return there, a share.
        other_return_share: f64,
    },
    /// Two sources give different volumes for this day.
    VolumeDisagreement {
        /// The other source.
        other_source: Source,
        /// The volume here.
        volume_shares: u64,
        /// The volume there.
        other_volume_shares: u64,
    },
    /// The vendor adjusted the prices before this day by another factor than the corporate actions
    /// demand.
    AdjustmentDisagreement {
        /// What the actions demand; earlier prices are multiplied by it.
        own_factor: f64,
        /// What the vendor's adjusted closes say.
        vendor_factor: f64,
        /// The codes of the actions of this day; empty when only the vendor knows of one.
        actions: Vec<String>,
    },
    /// The newest rows are distributed otherwise than those before.
    DistributionDrift {
        /// Of what, such as `return`.
        what: String,
        /// The population stability index.
        psi: f64,
        /// The Kolmogorov-Smirnov distance, 0..=1.
        ks: f64,
    },
    /// The level of prices changes by about a power of ten and stays there: another unit of money,
    /// an index that dropped zeros, or a wrong factor of adjustment. No return is computed across.
    ScaleBreak {
        /// The close.
        price_units: i64,
        /// The close it is compared with.
        base_units: i64,
        /// The day of that close.
        base_day: Date,
        /// The close over the one it is compared with.
        factor: f64,
    },
    /// A price as traded that is not a multiple of the price step of its day.
    OffTick {
        /// Which price.
        field: PriceField,
        /// What it is.
        price_units: i64,
        /// The price step.
        tick_units: i64,
    },
    /// The session ended at its upper or lower price limit, with no trade beyond it.
    LimitLocked {
        /// The close.
        close_units: i64,
        /// The close of the session before.
        base_units: i64,
        /// The move, a share of the base.
        move_share: f64,
        /// Whether all trades were made at the limit.
        all_session: bool,
    },
    /// Nothing was traded on a session, although the sessions around it traded: the share was
    /// halted, and the row repeats the last price.
    HaltedSession,
    /// The price moves for many sessions and the volume is always zero: the source lost it. The
    /// finding stands at the first of the rows.
    DeadVolume {
        /// How many rows.
        rows_count: u64,
        /// The day of the last of them.
        to: Date,
    },
    /// The source gave a header and no rows.
    EmptySeries,
    /// No row has a volume: the source does not give any.
    VolumeAbsent {
        /// How many rows.
        rows_count: u64,
    },
    /// An exchange rate that moved further in a day than it usually does; such days are real.
    FxJump {
        /// The close before.
        base_units: i64,
        /// The close.
        price_units: i64,
        /// The move, a share of the close before.
        move_share: f64,
    },
    /// Rows before the first day that is learned from: they are checked, and count for nothing,
    /// because the calendar and the limits of those years rest on one source.
    EarlyHistory {
        /// The day of the first of them.
        from: Date,
        /// The day of the last of them.
        to: Date,
        /// How many they are, refused rows included.
        rows_count: u64,
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
        let about_no_row =
            matches!(self, Self::MissingSession | Self::SessionGap { .. } | Self::EmptySeries);
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
            Self::EarlyClose { .. } => ("early_close", Error),
            Self::ReturnDisagreement { .. } => ("return_disagreement", Warning),
            Self::VolumeDisagreement { .. } => ("volume_disagreement", Info),
            Self::AdjustmentDisagreement { .. } => ("adjustment_disagreement", Warning),
            Self::DistributionDrift { .. } => ("distribution_drift", Warning),
            Self::ScaleBreak { .. } => ("scale_break", Error),
            Self::OffTick { .. } => ("off_tick", Warning),
            Self::LimitLocked { .. } => ("limit_locked", Info),
            Self::HaltedSession => ("halted_session", Info),
            Self::DeadVolume { .. } => ("dead_volume", Warning),
            Self::EmptySeries => ("empty_series", Error),
            Self::VolumeAbsent { .. } => ("volume_absent", Warning),
            Self::FxJump { .. } => ("fx_jump", Info),
            Self::EarlyHistory { .. } => ("early_history", Info),
            Self::OutsideSession { .. } => ("outside_session", Error),
            Self::TimeZoneShift { .. } => ("time_zone_shift", Error),
            Self::MissingIntradayBars { .. } => ("missing_intraday_bars", Warning),
            Self::MisalignedTime { .. } => ("misaligned_time", Warning),
            Self::BarCountUnusual { .. } => ("bar_count_unusual", Info),
            Self::OpeningBarWithoutVolume => ("opening_bar_without_volume", Info),
        }
    }
}
