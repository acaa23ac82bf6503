//! Moves beyond the daily limit: explained, a bad row, or a new level.

use super::days::Days;
use super::finding::{FindingKind, MoveOutcome, PriceField};
use super::limits::{Allowed, Limits};
use super::notes::Notes;
use super::row::{PlainRuns, Reach, Row, as_float};
use crate::corporate_action::CorporateAction;
use crate::price::UNITS_PER_LIRA;

/// How close two ratios of adjusted close to close must be to count as the same. Vendors round
/// prices to four decimals and better; at the coarsest price we verify that is one part in 500.
const SAME_RATIO_SHARE: f64 = 2e-3;

/// For how many rows an adjustment is watched for the return of the old ratio. Not for ever, as a
/// capital decrease can undo the ratio of an earlier bonus issue.
const RATIO_STAYS_ROWS: usize = 20;

/// How far from a power of ten a change of level may be to be called a change of scale.
const SCALE_BREAK_SHARE: f64 = 0.25;

/// How much further a close of the early years may be: two limits of a tenth compound to 21 %, one
/// point more than the limit that the rules have for those years.
const EARLY_MARGIN_SHARE: f64 = 0.01;

/// Judges every row that is sound so far against the last accepted one.
#[inline(never)]
pub(super) fn check(
    rows: &mut [Row<'_>],
    mut runs: PlainRuns<'_>,
    days: &Days,
    limits: &Limits<'_>,
    actions: &[CorporateAction],
    notes: &mut Notes,
) {
    let Some(first) = rows.iter().position(Row::is_sound) else { return };
    let mut level_began = false;
    let mut base = first;
    let mut next = first + 1;
    while next < rows.len() {
        let index = next;
        if base + 1 == index && !level_began {
            let plain_count = runs.count(rows, index, notes.all_quiet_plain);
            if plain_count > 0 {
                base += plain_count;
                next += plain_count;
                continue;
            }
        }
        next += 1;
        let row = &rows[index];
        if !row.is_sound() {
            continue;
        }
        if row.is_quiet && base + 1 == index && !level_began {
            base = index;
            continue;
        }
        let begins_level = level_began;
        let history = History { rows, days, limits, actions };
        let explanation = if history.within_limit(base, index) {
            None
        } else {
            match history.judge(base, index) {
                Judgement::Explained(kind) => Some(kind),
                Judgement::Beyond(kind, outcome) => {
                    notes.row(&mut rows[index], kind);
                    if !rows[index].is_sound() {
                        if outcome == MoveOutcome::StayedThere {
                            level_began = true;
                            base = index;
                        }
                        continue;
                    }
                    // A person accepted the move.
                    None
                }
            }
        };
        if let Some(kind) = explanation {
            notes.row(&mut rows[index], kind);
            if !rows[index].is_sound() {
                continue;
            }
        }
        rows[index].begins_level = begins_level;
        if begins_level {
            rows[index].is_plain = false;
            notes.all_quiet_plain = false;
        }
        level_began = false;
        base = index;
    }
}

/// Remarks on rates of exchange, which have no limit, where they move further than is usual.
pub(super) fn check_rates(rows: &mut [Row<'_>], jump_share_min: f64, notes: &mut Notes) {
    let mut base: Option<i64> = None;
    for row in rows.iter_mut().filter(|row| row.is_sound()) {
        let price_units = row.raw.close_units;
        let Some(base_units) = base.replace(price_units) else { continue };
        let move_share = as_float(price_units) / as_float(base_units) - 1.0;
        if move_share.abs() > jump_share_min {
            notes.row(row, FindingKind::FxJump { base_units, price_units, move_share });
        }
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

/// What is to be said about a move beyond the limit.
enum Judgement {
    /// Something explains it.
    Explained(FindingKind),
    /// Nothing does.
    Beyond(FindingKind, MoveOutcome),
}

/// The rows with what is needed to judge them.
#[derive(Clone, Copy)]
struct History<'a> {
    rows: &'a [Row<'a>],
    days: &'a Days,
    limits: &'a Limits<'a>,
    actions: &'a [CorporateAction],
}

impl History<'_> {
    /// Whether the whole row at `index` may follow the close at `base`: what holds of nearly every
    /// row, and is decided without looking any further.
    fn within_limit(self, base: usize, index: usize) -> bool {
        let (base, row) = (&self.rows[base], &self.rows[index]);
        let next = self.days.sessions_between(base.day(), row.day()) == 1
            && self.days.is_session(row.day());
        let allowed = match next {
            true => self.limits.of_session(row.day()),
            false => self.limits.over(base.day(), row.day()),
        };
        breach(row, as_float(base.raw.close_units), allowed).is_none()
    }

    /// The sound rows after `index`.
    fn following(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        (index + 1..self.rows.len()).filter(|index| self.rows[*index].is_sound())
    }

    /// Compares the row at `index`, which is beyond the limit, with the row at `base`.
    fn judge(self, base: usize, index: usize) -> Judgement {
        let (base_row, row) = (&self.rows[base], &self.rows[index]);
        let allowed = self.limits.over(base_row.day(), row.day());
        let candidates = self.bases(base, index);
        let close = as_float(row.raw.close_units);
        let base_close = as_float(base_row.raw.close_units);
        let move_share = close / base_close - 1.0;

        let possible = candidates.iter().find(|(_, base)| breach(row, *base, allowed).is_none());
        let explained = possible.and_then(|(base, base_units)| match base {
            Base::Close => None,
            Base::Actions { codes } => Some(FindingKind::MoveExplainedByAction {
                actions: codes.clone(),
                move_share,
                theoretical_base: base_units / as_float(UNITS_PER_LIRA),
            }),
            Base::Adjustment => Some(FindingKind::MoveExplainedByAdjustment {
                move_share,
                adjusted_move_share: close / base_units - 1.0,
            }),
        });
        if let Some(kind) = explained {
            return Judgement::Explained(kind);
        }

        // Nothing explains the whole bar. If something explains the close, the high or low is the
        // bad number; otherwise the next row tells whether the close was.
        let close_possible = candidates.iter().find(|(_, base)| allowed.admits(*base, close));
        let judged_base = close_possible.map_or(base_close, |(_, units)| *units);
        let (field, price_units) =
            breach(row, judged_base, allowed).unwrap_or((PriceField::Close, row.raw.close_units));
        let outcome = match close_possible {
            Some(_) => MoveOutcome::CameBack,
            None => self.outcome(base, index),
        };
        let (base_units, base_day) = (base_row.raw.close_units, self.days.date(base_row.day()));
        let factor = close / base_close;
        let kind = if outcome == MoveOutcome::StayedThere && is_scale(factor) {
            FindingKind::ScaleBreak {
                price_units: row.raw.close_units,
                base_units,
                base_day,
                factor,
            }
        } else {
            let move_share = as_float(price_units) / judged_base - 1.0;
            let allowed_share = if move_share > 0.0 { allowed.up } else { allowed.down };
            FindingKind::MoveBeyondLimit {
                field,
                price_units,
                base_units,
                base_day,
                move_share,
                allowed_share,
                outcome,
            }
        };
        Judgement::Beyond(kind, outcome)
    }

    /// What the next row says about an impossible close.
    fn outcome(self, base: usize, index: usize) -> MoveOutcome {
        let Some(next) = self.following(index).next() else { return MoveOutcome::LastRow };
        let next_close = as_float(self.rows[next].raw.close_units);
        let reaches = |from: usize| {
            let allowed = self.limits.over(self.rows[from].day(), self.rows[next].day());
            self.bases(from, next).iter().any(|(_, base)| allowed.admits(*base, next_close))
        };
        let base_close = as_float(self.rows[base].raw.close_units);
        let near_base =
            self.limits.of_session(self.rows[next].day()).admits(base_close, next_close);
        if near_base || (reaches(base) && !reaches(index)) {
            MoveOutcome::CameBack
        } else {
            MoveOutcome::StayedThere
        }
    }

    /// The bases against which a row may be judged, units, in order of preference.
    fn bases(&self, base: usize, index: usize) -> Vec<(Base, f64)> {
        let (base_row, row) = (&self.rows[base], &self.rows[index]);
        let close = as_float(base_row.raw.close_units);
        let mut bases = vec![(Base::Close, close)];

        let (after, until) = (self.days.date(base_row.day()), self.days.date(row.day()));
        let mut between: Vec<_> = self
            .actions
            .iter()
            .filter(|action| action.effective_on > after && action.effective_on <= until)
            .collect();
        if !between.is_empty() {
            between.sort_by_key(|action| action.effective_on);
            let lira = close / as_float(UNITS_PER_LIRA);
            let price = between.iter().fold(lira, |price, action| action.kind.ex_price(price));
            let codes = between.iter().map(|action| action.kind.code().to_owned()).collect();
            bases.push((Base::Actions { codes }, price * as_float(UNITS_PER_LIRA)));
        }

        if let (Some(before), Some(after)) = (ratio(base_row), ratio(row)) {
            // An adjustment stays, a wrong close does not: the old ratio must not come back. The
            // newest row of a source has the ratio one by convention, and nothing after it to
            // compare with.
            let mut later = self.following(index).take(RATIO_STAYS_ROWS).peekable();
            let stays = match later.peek() {
                None => same_ratio(after, 1.0),
                Some(_) => later
                    .filter_map(|index| ratio(&self.rows[index]))
                    .all(|later| !same_ratio(before, later)),
            };
            if stays && !same_ratio(before, after) {
                bases.push((Base::Adjustment, close * before / after));
            }
        }
        bases
    }
}

/// The first of close, high and low that may not follow `base`, units.
fn breach(row: &Row<'_>, base: f64, allowed: Allowed) -> Option<(PriceField, i64)> {
    let (highest, lowest) = (allowed.highest(base), allowed.lowest(base));
    let (high_units, low_units) = (row.high_units(), row.low_units());
    let passes = |units| as_float(units) <= highest && as_float(units) >= lowest;
    if passes(high_units) && passes(low_units) {
        return None;
    }
    // In the early years the base was a weighted average that is not known, and two sessions had a
    // limit each: a high or low can be further from the close before than any one limit. Coarse
    // prices are as old, or adjusted over as many years.
    if row.reach != Reach::Whole {
        let close_units = row.raw.close_units;
        let (close, margin) = (as_float(close_units), EARLY_MARGIN_SHARE * base);
        let possible = (lowest - margin..=highest + margin).contains(&close);
        return (!possible).then_some((PriceField::Close, close_units));
    }
    let prices = [
        (PriceField::Close, row.raw.close_units),
        (PriceField::High, high_units),
        (PriceField::Low, low_units),
    ];
    prices.into_iter().find(|(_, units)| !passes(*units))
}

/// Whether a change of level by `factor` is about a power of ten.
fn is_scale(factor: f64) -> bool {
    let power = factor.log10().round();
    let nearest = 10_f64.powf(power);
    power != 0.0 && (factor / nearest - 1.0).abs() <= SCALE_BREAK_SHARE
}

/// Adjusted close over close.
fn ratio(row: &Row<'_>) -> Option<f64> {
    let lira = as_float(row.raw.close_units) / as_float(UNITS_PER_LIRA);
    row.raw.adjusted_close.filter(|adjusted| *adjusted > 0.0).map(|adjusted| adjusted / lira)
}

/// Whether two ratios are the same but for rounding.
fn same_ratio(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() <= SAME_RATIO_SHARE
}
