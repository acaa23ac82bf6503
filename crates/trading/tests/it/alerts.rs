//! When rules fire, when they stay silent, and what they say.

use std::collections::BTreeSet;

use bist_market::{Price, Symbol};
use bist_models::Horizon;
use bist_trading::alert::{
    AlertRuleError, BandFacts, ConditionError, Direction, DriftFacts, Facts, QualityFacts,
    RuleState, SignalFacts, Silence, SymbolFacts, Verdict, judge, sentence, step,
};
use bist_trading::{Action, AlertRule, Channel, Condition};
use jiff::Timestamp;
use jiff::civil::date;

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn symbol() -> Symbol {
    Symbol::parse("THYAO").unwrap()
}

fn horizon() -> Horizon {
    Horizon::from_sessions(5).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A share that closed at `close`, a tenth above the day before, on thrice its usual volume.
fn facts(close: &str) -> Facts {
    Facts {
        symbol: Some(SymbolFacts {
            as_of: Some(date(2026, 11, 20)),
            stale_sessions: Some(0),
            last_close: Some(price(close)),
            change_share: Some(0.1),
            volumes_shares: vec![100, 100, 100, 100, 100, 300],
            has_last_volume: true,
        }),
        signal: Some(SignalFacts {
            id: "m-THYAO-2026-11-20".to_owned(),
            as_of: "2026-11-20".to_owned(),
            action: Action::Buy,
            before: Some(Action::Hold),
        }),
        band: Some(BandFacts {
            forecast_as_of: date(2026, 11, 19),
            low: price("95.00"),
            high: price("105.00"),
        }),
        quality: Some(QualityFacts {
            score_share: Some(0.9),
            validated_at: Some(at("2026-11-20T18:00:00Z")),
        }),
        drift: Some(vec![DriftFacts {
            model_version: "m".to_owned(),
            horizon: horizon(),
            found_at: at("2026-11-20T19:00:00Z"),
            is_alarm: true,
        }]),
    }
}

fn above(text: &str) -> Condition {
    Condition::Price { symbol: symbol(), direction: Direction::Up, price: price(text) }
}

/// Each kind of condition, met by [`facts`] of 110.00.
fn conditions() -> Vec<Condition> {
    let symbol = symbol();
    vec![
        above("110.00"),
        Condition::Change { symbol, direction: None, change_share: 0.1 },
        Condition::VolumeSpike { symbol, volume_multiple: 3.0, sessions_count: 5 },
        Condition::SignalChange { symbol, horizon: horizon() },
        Condition::BandBreach { symbol, horizon: horizon() },
        Condition::DataQuality { symbol: None, score_share: 0.95 },
        Condition::Drift { horizon: None },
    ]
}

fn rule(condition: Condition) -> AlertRule {
    AlertRule {
        name: "rule".to_owned(),
        enabled: true,
        condition,
        channels: BTreeSet::from([Channel::Web]),
        cool_down_minutes: 60,
        quiet_hours: None,
    }
}

#[test]
fn each_kind_is_met_by_its_facts_and_says_so_in_both_languages() {
    let said: Vec<(String, String)> = conditions()
        .iter()
        .map(|condition| match judge(condition, &facts("110.00")) {
            Verdict::Met(fact) => {
                let text = sentence(condition, &fact);
                (text.en, text.tr)
            }
            Verdict::NotMet => panic!("{condition:?} is not met"),
            Verdict::Unknown(why) => panic!("{condition:?}: {why:?}"),
        })
        .collect();
    let expected = [
        (
            "THYAO: the close of 2026-11-20 is 110.00 TRY, at or above 110.00 TRY.",
            "THYAO: 2026-11-20 kapanışı 110,00 TL, 110,00 TL seviyesinde veya üstünde.",
        ),
        (
            "THYAO: +10.00 % on 2026-11-20, close 110.00 TRY.",
            "THYAO: 2026-11-20 günü %+10,00, kapanış 110,00 TL.",
        ),
        (
            "THYAO: 300 shares were traded on 2026-11-20, 3.0 times the mean of the 5 sessions before.",
            "THYAO: 2026-11-20 günü 300 pay işlem gördü; önceki 5 seans ortalamasının 3,0 katı.",
        ),
        (
            "THYAO: the signal for 5 sessions is buy as of 2026-11-20; it was hold.",
            "THYAO: 5 seanslık sinyali 2026-11-20 itibarıyla AL; önceki TUT idi.",
        ),
        (
            "THYAO: the close of 2026-11-20, 110.00 TRY, lies outside of the 80 % band from 95.00 to \
             105.00 TRY that was forecast on 2026-11-19.",
            "THYAO: 2026-11-20 kapanışı 110,00 TL, 2026-11-19 tarihinde öngörülen 95,00–105,00 TL %80 \
             bandının dışında.",
        ),
        (
            "Quality of all data: 90.00 % as of 2026-11-20T18:00:00Z.",
            "Tüm veriler: 2026-11-20T18:00:00Z itibarıyla veri kalitesi %90,00.",
        ),
        (
            "Drift was found in the model m for 5 sessions on 2026-11-20T19:00:00Z.",
            "m modelinde (5 seanslık) 2026-11-20T19:00:00Z tarihinde sapma bulundu.",
        ),
    ];
    let said: Vec<_> = said.iter().map(|(en, tr)| (en.as_str(), tr.as_str())).collect();
    assert_eq!(said, expected);
}

#[test]
fn what_is_missing_or_stale_fires_nothing_and_says_why() {
    use Silence::{
        NoBars, NoDriftLook, NoForecast, NoSignalBefore, NotValidated, StaleBars, TooFewVolumes,
    };
    let missing = [NoBars, NoBars, NoBars, NoBars, NoBars, NotValidated, NoDriftLook];
    for (condition, silence) in conditions().iter().zip(missing) {
        let verdict = judge(condition, &Facts::default());
        assert_eq!(verdict, Verdict::Unknown(silence), "{condition:?}");
    }
    for stale_sessions in [None, Some(1)] {
        let mut stale = facts("110.00");
        stale.symbol.as_mut().unwrap().stale_sessions = stale_sessions;
        for condition in &conditions()[..5] {
            assert_eq!(judge(condition, &stale), Verdict::Unknown(StaleBars), "{condition:?}");
        }
    }
    let mut bare = facts("110.00");
    bare.signal.as_mut().unwrap().before = None;
    bare.band = None;
    let of_share = bare.symbol.as_mut().unwrap();
    of_share.change_share = None;
    of_share.volumes_shares.remove(0);
    let silences = [Silence::NoChange, TooFewVolumes, NoSignalBefore, NoForecast];
    for (condition, silence) in conditions()[1..5].iter().zip(silences) {
        assert_eq!(judge(condition, &bare), Verdict::Unknown(silence), "{condition:?}");
    }
    let other = Condition::Drift { horizon: Horizon::from_sessions(20) };
    assert_eq!(judge(&other, &bare), Verdict::Unknown(NoDriftLook));
}

#[test]
fn a_fact_fires_once_and_not_while_the_rule_cools_down() {
    let rule = rule(Condition::Change { symbol: symbol(), direction: None, change_share: 0.1 });
    let look = |state: &RuleState, day: i8, now: &str| {
        let mut facts = facts("110.00");
        facts.symbol.as_mut().unwrap().as_of = Some(date(2026, 11, day));
        let step = step(&rule, state, judge(&rule.condition, &facts), at(now));
        (step.state, step.fires.map(|fact| fact.key))
    };
    let (state, fired) = look(&RuleState::default(), 19, "2026-11-19T18:00:00Z");
    assert_eq!(fired.as_deref(), Some("2026-11-19"));
    let (state, fired) = look(&state, 19, "2026-11-19T20:00:00Z");
    assert_eq!(fired, None, "the same fact");
    let fired_at = state.fired_at;
    let (state, fired) = look(&state, 20, "2026-11-19T18:59:59Z");
    assert_eq!((fired, state.fired_at), (None, fired_at), "it cools down");
    assert_eq!(
        state.cools_until(&rule, at("2026-11-19T18:59:59Z")),
        Some(at("2026-11-19T19:00:00Z"))
    );
    let (_, fired) = look(&state, 20, "2026-11-19T19:00:00Z");
    assert_eq!(fired.as_deref(), Some("2026-11-20"), "it is still the newest");
}

#[test]
fn what_lasts_fires_when_it_begins_and_again_after_it_ended() {
    let rule = rule(above("100.00"));
    let mut state = RuleState::default();
    let mut fired = Vec::new();
    let closes = [(16, "99.99"), (17, "100.00"), (18, "120.00"), (19, "99.00"), (20, "101.00")];
    for (day, close) in closes {
        let mut facts = facts(close);
        facts.symbol.as_mut().unwrap().as_of = Some(date(2026, 11, day));
        let now = at(&format!("2026-11-{day}T18:00:00Z"));
        // In between nobody can tell, which ends nothing.
        let silent = Verdict::Unknown(Silence::StaleBars);
        state = step(&rule, &state, silent, now).state;
        assert_eq!((state.is_met, state.silence), (None, Some(Silence::StaleBars)));
        let step = step(&rule, &state, judge(&rule.condition, &facts), now);
        fired.extend(step.fires.map(|_| day));
        state = step.state;
    }
    assert_eq!(fired, [17, 20]);
}

#[test]
fn a_rule_that_could_never_or_always_fire_is_refused() {
    let symbol = symbol();
    let refused = [
        (
            Condition::Change { symbol, direction: None, change_share: 0.0 },
            ConditionError::Change(0.0),
        ),
        (
            Condition::VolumeSpike { symbol, volume_multiple: 1.0, sessions_count: 20 },
            ConditionError::Multiple(1.0),
        ),
        (
            Condition::VolumeSpike { symbol, volume_multiple: 2.0, sessions_count: 4 },
            ConditionError::Sessions(4),
        ),
        (
            Condition::BandBreach { symbol, horizon: Horizon::NextHour },
            ConditionError::Horizon(Horizon::NextHour),
        ),
        (Condition::DataQuality { symbol: None, score_share: 1.5 }, ConditionError::Score(1.5)),
    ];
    for (condition, error) in refused {
        assert_eq!(rule(condition).checked(), Err(error.into()));
    }
    let long = AlertRule { cool_down_minutes: 44_641, ..rule(above("1.00")) };
    assert_eq!(long.checked(), Err(AlertRuleError::CoolDown(44_641)));
    for condition in conditions() {
        let rule = rule(condition);
        assert_eq!(rule.clone().checked(), Ok(rule));
    }
}
