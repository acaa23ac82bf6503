//! The rule behind each kind of finding, as one sentence.

use super::FindingKind;

impl FindingKind {
    /// Which rule is checked, as one sentence.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::RowRefused { .. } => "Every row has a date and numbers that can be read.",
            Self::NonPositivePrice { .. } => "A price is above zero.",
            Self::LowAboveHigh { .. } => "The low is not above the high.",
            Self::OpenOutOfRange { .. } | Self::OpenRounding { .. } => {
                "The open lies between low and high, but for one unit and a ten-thousandth."
            }
            Self::CloseOutOfRange { .. } | Self::CloseRounding { .. } => {
                "The close lies between low and high, but for one unit and a ten-thousandth."
            }
            Self::NegativeVolume { .. } => "The volume is not negative.",
            Self::NonPositiveAdjustedClose { .. } => "An adjusted close is above zero.",
            Self::AdjustedCloseAboveClose { .. } => {
                "An adjusted close is not above the close, unless shares were cancelled later."
            }
            Self::WeekendRow => "Nothing is traded on Saturdays and Sundays.",
            Self::HolidayRow { .. } => "Shares are traded on the sessions of the calendar only.",
            Self::CancelledSessionRow => "The trades of a cancelled session did not happen.",
            Self::DuplicateTimestamp => "A time stamp has one row.",
            Self::ConflictingTimestamp { .. } => "Rows with one time stamp do not contradict.",
            Self::RepeatedBar => "A traded session differs from the one before in some number.",
            Self::MoveBeyondLimit { .. }
            | Self::MoveExplainedByAction { .. }
            | Self::MoveExplainedByAdjustment { .. } => {
                "A price moves within the daily limits of its sessions, or an event explains it."
            }
            Self::MissingSession => "Every session between the first and the last row has a row.",
            Self::SessionGap { .. } => "A series has no long gap.",
            Self::OutOfOrder { .. } | Self::NewestFirst => "Rows come oldest first.",
            Self::ZeroVolume => "Shares are traded on a session.",
            Self::MissingVolume | Self::VolumeAbsent { .. } => "The volume is given.",
            Self::StaleCloseRun { .. } => "The close changes within a few sessions.",
            Self::VolumeOutlier { .. } => "The volume is within a multiple of its recent median.",
            Self::FlatBar => "The prices of a traded session differ, unless it is at its limit.",
            Self::OutsideCalendar { .. } => "Only days of the calendar can be checked.",
            Self::CoarsePrices { .. } => "Prices are large enough to be exact at four decimals.",
            Self::EarlyClose { .. } => "The close is that of the end of the session.",
            Self::ReturnDisagreement { .. } => "Two sources give the same return.",
            Self::VolumeDisagreement { .. } => "Two sources give the same volume.",
            Self::AdjustmentDisagreement { .. } => {
                "The vendor's adjustment is the theoretical price of the corporate actions."
            }
            Self::DistributionDrift { .. } => {
                "The newest values are distributed like those before them."
            }
            Self::ScaleBreak { .. } => "Prices keep their unit of money.",
            Self::OffTick { .. } => "A price as traded is a multiple of the price step of its day.",
            Self::LimitLocked { .. } => "A session that ends at its price limit is told apart.",
            Self::HaltedSession => "A halted session is told apart from a lost volume.",
            Self::DeadVolume { .. } => "A price that moves has a volume.",
            Self::EmptySeries => "A source that knows a symbol has rows of it.",
            Self::FxJump { .. } => "A large day of an exchange rate is worth a look.",
            Self::EarlyHistory { .. } => {
                "Models learn from the years whose calendar and limits are known from two sources."
            }
            Self::OutsideSession { .. } => "A bar lies in a phase of its day's session.",
            Self::TimeZoneShift { .. } => "Time stamps are those of Istanbul.",
            Self::MissingIntradayBars { .. } => "A day has the bars that other days have.",
            Self::MisalignedTime { .. } => "Bars begin at whole intervals or with a phase.",
            Self::BarCountUnusual { .. } => "Full days have the same number of bars.",
            Self::OpeningBarWithoutVolume => "The first bar of a day has a volume.",
        }
    }
}
