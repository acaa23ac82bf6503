//! All rules of one day, for the terminal and as a JSON document.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::{
    BasePrice, BasisPoints, DailyLimit, Dated, ExcessCharge, FeeRange, IndexBreaker,
    LimitException, MarginRule, MarketEvent, OrderToTrade, RuleOnDay, Segments, Settlement,
    ShareHalt, ShareTrigger, ShortSale, Tax, TickTable, Timetable, UptickRule, VolatilityMeasures,
    breakers, costs, events, limit_exception, limits, measures, order_messages, sessions,
    settlement, short_selling, ticks,
};
use crate::calendar::{Calendar, DayKind};
use crate::instrument::Symbol;

/// What the exchange allowed on a day, each rule with its dates, source and certainty.
///
/// Serialises as the document that `bist market rules --json` prints: prices as decimal strings,
/// shares as numbers in 0..=1, times as `HH:MM` of Istanbul, days as `YYYY-MM-DD`; what is not known
/// has the status `unknown` and a reason. Its [`fmt::Display`] is the same for a reader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RulesOfDay {
    /// The day.
    pub day: Date,
    /// Whether it is a session.
    pub calendar: DayKind,
    /// What happened out of the ordinary.
    pub events: Vec<MarketEvent>,
    /// The phases of the session; absent on a day that is not known to be one.
    pub timetable: Option<RuleOnDay<Timetable>>,
    /// The day on which a trade of this day settles; absent when that is not known.
    pub settles_on: Option<Date>,
    /// The settlement rule.
    pub settlement: RuleOnDay<Settlement>,
    /// Price steps of shares, rights coupons and real-estate certificates.
    pub ticks: RuleOnDay<TickTable>,
    /// Price steps of exchange-traded funds.
    pub fund_ticks: RuleOnDay<TickTable>,
    /// The daily limit of shares.
    pub daily_limit: RuleOnDay<DailyLimit>,
    /// The price the limit is reckoned from.
    pub base_price: RuleOnDay<BasePrice>,
    /// Instruments with a limit of their own on this day.
    pub limit_exceptions: Vec<Dated<LimitException>>,
    /// The limit of the symbol that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_limit: Option<SymbolLimit>,
    /// When a single share is halted.
    pub share_breaker_trigger: RuleOnDay<ShareTrigger>,
    /// How long it is halted.
    pub share_breaker_halt: RuleOnDay<ShareHalt>,
    /// The breaker of the whole market.
    pub index_breaker: RuleOnDay<IndexBreaker>,
    /// Which shares may be sold short.
    pub short_sale: RuleOnDay<ShortSale>,
    /// When short sales need an up-tick.
    pub uptick: RuleOnDay<UptickRule>,
    /// What a margin account must hold.
    pub margin: RuleOnDay<MarginRule>,
    /// How many orders a trade pays for.
    pub order_to_trade: RuleOnDay<OrderToTrade>,
    /// What an order beyond that costs.
    pub excess_order_charge: RuleOnDay<ExcessCharge>,
    /// The measures against volatile shares (VBTS).
    pub volatility_measures: RuleOnDay<VolatilityMeasures>,
    /// The segments of the market.
    pub segments: RuleOnDay<Segments>,
    /// The exchange's fee.
    pub exchange_fee: RuleOnDay<FeeRange>,
    /// The broker's commission.
    pub commission: RuleOnDay<FeeRange>,
    /// Banking and insurance transactions tax.
    pub bsmv: RuleOnDay<Tax>,
    /// Withholding on gains from listed shares.
    pub gains_withholding: RuleOnDay<Tax>,
    /// Withholding on dividends.
    pub dividend_withholding: RuleOnDay<Tax>,
    /// Withholding on gains from funds.
    pub fund_gains_withholding: RuleOnDay<Tax>,
}

/// What is known of one symbol's daily limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SymbolLimit {
    /// Whose.
    pub symbol: Symbol,
    /// The limit, a share of the base price; absent when there is none or it is not known.
    pub share: Option<BasisPoints>,
    /// Where it comes from.
    pub basis: &'static str,
}

impl SymbolLimit {
    /// The limit of `symbol` on `day`: its own, or that of shares.
    fn of(day: Date, symbol: Symbol) -> Self {
        match limit_exception(day, symbol) {
            Some(own) => {
                Self { symbol, share: own.value.share, basis: "an exception for this symbol" }
            }
            None => Self {
                symbol,
                share: limits::SHARES.on(day).map(|entry| entry.value.share),
                basis: "the limit of shares; the symbol's segment and its measures on this day are \
                        not known",
            },
        }
    }
}

impl RulesOfDay {
    /// Looks up every table.
    pub(super) fn of(day: Date, symbol: Option<Symbol>) -> Self {
        let calendar = Calendar::bist();
        let timetable = match calendar.day(day) {
            DayKind::Session { session } => Some(sessions::of_kind(session).rule(day)),
            DayKind::Closed { .. } | DayKind::Unknown => None,
        };
        Self {
            day,
            calendar: calendar.day(day),
            events: events::on(day),
            timetable,
            settles_on: calendar.settles_on(day),
            settlement: settlement::LAG.rule(day),
            ticks: ticks::SHARES.rule(day),
            fund_ticks: ticks::FUNDS.rule(day),
            daily_limit: limits::SHARES.rule(day),
            base_price: limits::BASE_PRICE.rule(day),
            limit_exceptions: limits::EXCEPTIONS
                .iter()
                .filter(|entry| entry.holds_on(day))
                .copied()
                .collect(),
            symbol_limit: symbol.map(|symbol| SymbolLimit::of(day, symbol)),
            share_breaker_trigger: breakers::SHARE_TRIGGER.rule(day),
            share_breaker_halt: breakers::SHARE_HALT.rule(day),
            index_breaker: breakers::INDEX_BREAKER.rule(day),
            short_sale: short_selling::PERMISSION.rule(day),
            uptick: short_selling::UPTICK.rule(day),
            margin: short_selling::MARGIN.rule(day),
            order_to_trade: order_messages::RATIO.rule(day),
            excess_order_charge: order_messages::CHARGE.rule(day),
            volatility_measures: measures::VOLATILITY.rule(day),
            segments: measures::SEGMENTS.rule(day),
            exchange_fee: costs::EXCHANGE_FEE.rule(day),
            commission: costs::COMMISSION.rule(day),
            bsmv: costs::BSMV.rule(day),
            gains_withholding: costs::GAINS.rule(day),
            dividend_withholding: costs::DIVIDENDS.rule(day),
            fund_gains_withholding: costs::FUND_GAINS.rule(day),
        }
    }
}

impl fmt::Display for RulesOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        entry(f, "day", &format_args!("{}, {}", self.day, DayInWords(self.calendar)))?;
        for event in &self.events {
            entry(f, "event", &event.text)?;
        }
        match &self.timetable {
            Some(timetable) => rule(f, "hours", timetable)?,
            None => entry(f, "hours", &"none")?,
        }
        match self.settles_on {
            Some(day) => entry(f, "settles on", &day)?,
            None => entry(f, "settles on", &"not known, or not a session")?,
        }
        rule(f, "settlement", &self.settlement)?;
        rule(f, "ticks", &self.ticks)?;
        rule(f, "ticks of funds", &self.fund_ticks)?;
        rule(f, "daily limit", &self.daily_limit)?;
        rule(f, "base price", &self.base_price)?;
        if let Some(SymbolLimit { symbol, share, basis }) = &self.symbol_limit {
            let label = format!("limit of {symbol}");
            match share {
                Some(share) => entry(f, &label, &format_args!("±{share} ({basis})"))?,
                None => entry(f, &label, &format_args!("none or not known ({basis})"))?,
            }
        }
        for exception in &self.limit_exceptions {
            dated(f, "limit exception", exception)?;
        }
        rule(f, "share breaker", &self.share_breaker_trigger)?;
        rule(f, "share halt", &self.share_breaker_halt)?;
        rule(f, "index breaker", &self.index_breaker)?;
        rule(f, "short sale", &self.short_sale)?;
        rule(f, "up-tick rule", &self.uptick)?;
        rule(f, "margin", &self.margin)?;
        rule(f, "orders to trades", &self.order_to_trade)?;
        rule(f, "excess orders", &self.excess_order_charge)?;
        rule(f, "volatility measures", &self.volatility_measures)?;
        rule(f, "segments", &self.segments)?;
        rule(f, "exchange fee", &self.exchange_fee)?;
        rule(f, "commission", &self.commission)?;
        rule(f, "BSMV", &self.bsmv)?;
        rule(f, "tax on gains", &self.gains_withholding)?;
        rule(f, "tax on dividends", &self.dividend_withholding)?;
        rule(f, "tax on fund gains", &self.fund_gains_withholding)
    }
}

/// A day of the calendar in words.
struct DayInWords(DayKind);

impl fmt::Display for DayInWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            DayKind::Session { session } => write!(f, "a {session} session"),
            DayKind::Closed { name } => write!(f, "closed: {name}"),
            DayKind::Unknown => f.write_str("outside the years of the calendar"),
        }
    }
}

/// The column in which values begin, and the width they may take.
const VALUE_COLUMN: usize = 20;
const VALUE_WIDTH: usize = 80;

/// One label with its text, the further lines of the text below the first.
fn entry(f: &mut fmt::Formatter<'_>, label: &str, text: &dyn fmt::Display) -> fmt::Result {
    let text = text.to_string();
    for (index, line) in text.lines().flat_map(wrapped).enumerate() {
        let label = if index == 0 { label } else { "" };
        writeln!(f, "{label:VALUE_COLUMN$}{line}")?;
    }
    Ok(())
}

/// A line broken between words, the further parts indented like the first.
fn wrapped(line: &str) -> Vec<String> {
    let indent = &line[..line.len() - line.trim_start().len()];
    let mut parts: Vec<String> = Vec::new();
    let mut part = indent.to_owned();
    for word in line.split_whitespace() {
        if part.len() > indent.len() {
            if part.chars().count() + 1 + word.chars().count() > VALUE_WIDTH {
                parts.push(std::mem::replace(&mut part, indent.to_owned()));
            } else {
                part.push(' ');
            }
        }
        part.push_str(word);
    }
    parts.push(part);
    parts
}

/// One rule with its provenance, or why it is not known.
fn rule<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    rule: &RuleOnDay<T>,
) -> fmt::Result {
    match rule {
        RuleOnDay::InForce(value) => dated(f, label, value),
        RuleOnDay::Unknown { reason } => entry(f, label, &format_args!("unknown: {reason}")),
    }
}

/// One dated value with its provenance below it.
fn dated<T: fmt::Display>(f: &mut fmt::Formatter<'_>, label: &str, rule: &Dated<T>) -> fmt::Result {
    entry(f, label, &rule.value)?;
    let period = match (rule.valid_from, rule.valid_to) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("since {from}"),
        (None, Some(to)) => format!("to {to}"),
        (None, None) => "undated".to_owned(),
    };
    let Dated { certainty, source, read_on, .. } = rule;
    entry(f, "", &format_args!("  [{certainty}, {period}; {source}; read {read_on}]"))?;
    match rule.note {
        Some(note) => entry(f, "", &format_args!("  {note}")),
        None => Ok(()),
    }
}
