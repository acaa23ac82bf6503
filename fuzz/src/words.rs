//! Words of command lines, addresses, columns and documents: what is read is written as a word that is read
//! as the same, and written so again.

use std::fmt::{Debug, Display};
use std::path::Path;
use std::str::FromStr;

use bist_access::api_key::parse_networks;
use bist_access::{
    AccountId, AuditAction, AuditRoot, KeyId, OrderId, Quota, Role, Scope, Secret, SecretName,
    UserName, normal_recovery_code,
};
use bist_lifecycle::{Horizon, ModelState, parse_horizon};
use bist_market::price::UNITS_PER_LIRA;
use bist_market::{FindingId, Interval, Price, SeriesCode, ShareIndex, Source, Symbol};
use bist_trading::Channel;

pub(crate) fn check(bytes: &[u8], _: &Path) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let understood = [
        settles(text, Symbol::parse, Symbol::to_string),
        settles(text, Interval::parse, Interval::to_string),
        settles(text, Source::parse, Source::to_string),
        settles(text, SeriesCode::parse, SeriesCode::to_string),
        settles(text, parse_horizon, Horizon::to_string),
        word::<Horizon>(text),
        word::<ShareIndex>(text),
        word::<FindingId>(text),
        word::<AccountId>(text),
        word::<KeyId>(text),
        word::<OrderId>(text),
        word::<UserName>(text),
        word::<Role>(text),
        word::<Scope>(text),
        word::<Quota>(text),
        word::<AuditAction>(text),
        word::<AuditRoot>(text),
        word::<SecretName>(text),
        word::<ModelState>(text),
        word::<Channel>(text),
        price(text),
        networks(text),
        secret(text),
    ];
    understood.contains(&true)
}

fn word<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) -> bool {
    settles(text, str::parse::<T>, T::to_string)
}

/// Whether `text` is read; then it is a word of its kind for good.
fn settles<T: PartialEq + Debug, E: Debug>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
    write: impl Fn(&T) -> String,
) -> bool {
    let Ok(read) = parse(text) else { return false };
    let written = write(&read);
    let again = parse(&written).expect("what is written is read");
    assert_eq!(again, read, "{text:?} is written {written:?}");
    assert_eq!(write(&again), written);
    true
}

/// A price is positive, and what was read is not rounded.
fn price(text: &str) -> bool {
    let Ok(price) = Price::parse(text) else { return false };
    assert!(price.units() > 0);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().expect("a price begins with a number");
    assert_eq!(price.units() / UNITS_PER_LIRA, whole);
    assert_eq!(format!("{:04}", price.units() % UNITS_PER_LIRA), format!("{part:0<4}"));
    settles(text, Price::parse, Price::to_string)
}

fn networks(text: &str) -> bool {
    let texts: Vec<String> = text.split(',').map(str::to_owned).collect();
    let Ok(networks) = parse_networks(&texts) else { return false };
    assert_eq!(networks.len(), texts.len());
    let written: Vec<String> = networks.iter().map(ToString::to_string).collect();
    assert_eq!(parse_networks(&written), Ok(networks));
    true
}

/// A secret is one line without blanks around it; a recovery code is the same however it was typed.
fn secret(text: &str) -> bool {
    let code = normal_recovery_code(text);
    let capitals = normal_recovery_code(&text.to_ascii_uppercase().replace('-', " - "));
    assert_eq!(capitals.expose(), code.expose());
    let Ok(secret) = Secret::parse(text) else { return false };
    assert!(!secret.expose().is_empty() && !secret.expose().contains(char::is_control));
    assert_eq!(secret.expose(), secret.expose().trim());
    true
}
