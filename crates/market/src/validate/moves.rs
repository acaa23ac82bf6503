//! Moves beyond the daily limit: explained, a bad row, or a new level.

use jiff::civil::Date;

use super::ValidationPolicy;
use super::finding::{FindingKind, MoveOutcome, PriceField};
use super::row::{Row, lira};
use crate::bar::RawBar;
use crate::calendar::Calendar;
use crate::corporate_action::CorporateAction;
use crate::exchange_rules::ExchangeRules;
use crate::instrument::Symbol;

/// How close two ratios of adjusted close to close must be to count as the same. Vendors round
/// prices to four decimals and better; at the coarsest price we verify that is one part in 500.
const SAME_RATIO_SHARE: f64 = 2e-3;

/// For how many rows an adjustment is watched for the return of the old ratio. Not for ever, as a
/// capital decrease can undo the ratio of an earlier bonus issue.
const RATIO_STAYS_ROWS: usize = 20;

/// What one symbol's price may do between two days.
pub(super) struct Limits<'a> {
    symbol: Symbol,
    calendar: &'a Calendar,
    rules: &'a ExchangeRules,
    tolerance_share: f64,
}

/// The largest moves that pass, shares of the base, both positive.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    pub(super) up: f64,
    pub(super) down: f64,
}

impl Allowed {
    /// Where no limit holds, or none is known.
    const ANYTHING: Self = Self { up: f64::INFINITY, down: f64::INFINITY };

    /// Whether a price may follow a base, both lira; one unit more passes, for rounding.
    pub(super) fn admits(self, base: f64, price: f64) -> bool {
        price <= base * (1.0 + self.up) + lira(1) && price >= base * (1.0 - self.down) - lira(1)
    }
}

impl<'a> Limits<'a> {
    pub(super) fn new(
        symbol: Symbol,
        calendar: &'a Calendar,
        rules: &'a ExchangeRules,
        policy: ValidationPolicy,
    ) -> Self {
        Self { symbol, calendar, rules, tolerance_share: policy.move_tolerance_share }
    }

    /// What may happen from the close of `base_day` to that of `day`: the limits of the sessions in
    /// between, compounded.
    pub(super) fn over(&self, base_day: Date, day: Date) -> Allowed {
        let (mut highest, mut lowest) = (1.0, 1.0);
        for (session, _) in self.calendar.sessions(base_day, day).filter(|(s, _)| *s > base_day) {
            let Some(limit) = self.rules.limit_share_of(session, self.symbol) else {
                return Allowed::ANYTHING;
            };
            highest *= 1.0 + limit.share();
            lowest *= 1.0 - limit.share();
        }
        self.with_tolerance(highest, lowest)
    }

    /// What may happen in the session of `day` alone.
    fn of_session(&self, day: Date) -> Allowed {
        match self.rules.limit_share_of(day, self.symbol) {
            Some(limit) => self.with_tolerance(1.0 + limit.share(), 1.0 - limit.share()),
            None => Allowed::ANYTHING,
        }
    }

    fn with_tolerance(&self, highest: f64, lowest: f64) -> Allowed {
        let tolerance = self.tolerance_share;
        Allowed { up: highest - 1.0 + tolerance, down: 1.0 - lowest + tolerance }
    }
}

/// What the price should have been before the move, and why.
enum Base {
    /// The close itself.
    Close,
    /// The close after corporate actions.
    Actions { codes: Vec<String> },
    /// The close by the vendor's adjustment.
    Adjustment,
}

/// Judges every row that is sound so far against the last accepted one.
pub(super) fn check(rows: &mut [Row], limits: &Limits<'_>, actions: &[CorporateAction]) {
    let sound: Vec<usize> = (0..rows.len()).filter(|index| !rows[*index].quarantined()).collect();
    let mut level_began = false;
    let Some((first, rest)) = sound.split_first() else { return };
    let mut base = *first;
    for (position, index) in (1..).zip(rest) {
        let following = &sound[position + 1..];
        match judge(rows, base, *index, following, limits, actions) {
            Judgement::Possible(explanation) => {
                let row = &mut rows[*index];
                row.begins_level = level_began;
                level_began = false;
                base = *index;
                if let Some(kind) = explanation {
                    row.note(kind);
                }
            }
            Judgement::Beyond(kind, outcome) => {
                rows[*index].note(kind);
                if outcome == MoveOutcome::StayedThere {
                    level_began = true;
                    base = *index;
                }
            }
        }
    }
}

/// What is to be said about a row.
enum Judgement {
    /// The move is within the limit, or explained.
    Possible(Option<FindingKind>),
    /// It is neither.
    Beyond(FindingKind, MoveOutcome),
}

/// Compares the row at `index` with the row at `base`; `following` are the sound rows after it.
fn judge(
    rows: &[Row],
    base: usize,
    index: usize,
    following: &[usize],
    limits: &Limits<'_>,
    actions: &[CorporateAction],
) -> Judgement {
    let (base_row, row) = (&rows[base], &rows[index]);
    let allowed = limits.over(base_row.day, row.day);
    let candidates = bases(rows, base, index, following, actions);
    let close = lira(row.raw.close_units);
    let base_close = lira(base_row.raw.close_units);
    let move_share = close / base_close - 1.0;

    let possible = candidates.iter().find(|(_, lira)| breach(&row.raw, *lira, allowed).is_none());
    if let Some((kind, theoretical_base)) = possible {
        return Judgement::Possible(match kind {
            Base::Close => None,
            Base::Actions { codes } => Some(FindingKind::MoveExplainedByAction {
                actions: codes.clone(),
                move_share,
                theoretical_base: *theoretical_base,
            }),
            Base::Adjustment => Some(FindingKind::MoveExplainedByAdjustment {
                move_share,
                adjusted_move_share: close / theoretical_base - 1.0,
            }),
        });
    }

    // Nothing explains the whole bar. If something explains the close, the high or low is the bad
    // number; otherwise the next row tells whether the close was.
    let close_possible = candidates.iter().find(|(_, base)| allowed.admits(*base, close));
    let judged_base = close_possible.map_or(base_close, |(_, lira)| *lira);
    let (field, price_units) =
        breach(&row.raw, judged_base, allowed).unwrap_or((PriceField::Close, row.raw.close_units));
    let outcome = match (close_possible, following.first()) {
        (Some(_), _) => MoveOutcome::CameBack,
        (None, None) => MoveOutcome::LastRow,
        (None, Some(next)) => {
            let next_close = lira(rows[*next].raw.close_units);
            let reaches = |from: usize| {
                let allowed = limits.over(rows[from].day, rows[*next].day);
                bases(rows, from, *next, &following[1..], actions)
                    .iter()
                    .any(|(_, base)| allowed.admits(*base, next_close))
            };
            let near_base = limits.of_session(rows[*next].day).admits(base_close, next_close);
            if near_base || (reaches(base) && !reaches(index)) {
                MoveOutcome::CameBack
            } else {
                MoveOutcome::StayedThere
            }
        }
    };
    let share = lira(price_units) / judged_base - 1.0;
    let kind = FindingKind::MoveBeyondLimit {
        field,
        price_units,
        base_units: base_row.raw.close_units,
        base_day: base_row.day,
        move_share: share,
        allowed_share: if share > 0.0 { allowed.up } else { allowed.down },
        outcome,
    };
    Judgement::Beyond(kind, outcome)
}

/// The first of close, high and low that may not follow `base`.
pub(super) fn breach(raw: &RawBar, base: f64, allowed: Allowed) -> Option<(PriceField, i64)> {
    [
        (PriceField::Close, raw.close_units),
        (PriceField::High, raw.high_units),
        (PriceField::Low, raw.low_units),
    ]
    .into_iter()
    .find(|(_, units)| !allowed.admits(base, lira(*units)))
}

/// The bases against which a row may be judged, lira, in order of preference.
fn bases(
    rows: &[Row],
    base: usize,
    index: usize,
    following: &[usize],
    actions: &[CorporateAction],
) -> Vec<(Base, f64)> {
    let (base_row, row) = (&rows[base], &rows[index]);
    let close = lira(base_row.raw.close_units);
    let mut bases = vec![(Base::Close, close)];

    let mut between: Vec<_> = actions
        .iter()
        .filter(|action| action.effective_on > base_row.day && action.effective_on <= row.day)
        .collect();
    if !between.is_empty() {
        between.sort_by_key(|action| action.effective_on);
        let price = between.iter().fold(close, |price, action| action.kind.ex_price(price));
        let codes = between.iter().map(|action| action.kind.code().to_owned()).collect();
        bases.push((Base::Actions { codes }, price));
    }

    if let (Some(before), Some(after)) = (ratio(base_row), ratio(row)) {
        // An adjustment stays, a wrong close does not: the old ratio must not come back. The newest
        // row of a source has the ratio one by convention, and nothing after it to compare with.
        let stays = match following {
            [] => same_ratio(after, 1.0),
            later => {
                let mut ratios =
                    later.iter().take(RATIO_STAYS_ROWS).filter_map(|index| ratio(&rows[*index]));
                ratios.all(|later| !same_ratio(before, later))
            }
        };
        if stays && !same_ratio(before, after) {
            bases.push((Base::Adjustment, close * before / after));
        }
    }
    bases
}

/// Adjusted close over close.
fn ratio(row: &Row) -> Option<f64> {
    row.raw.adjusted_close.map(|adjusted| adjusted / lira(row.raw.close_units))
}

/// Whether two ratios are the same but for rounding.
fn same_ratio(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() <= SAME_RATIO_SHARE
}
