//! API keys: what a program may do in the name of an account, from where, and until when.

// The types of addresses, without sockets.
use core::net::IpAddr;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use crate::id::{AccountId, KeyId};
use crate::role::Role;

/// Days that a key is good for unless its owner says otherwise, and at most.
pub const KEY_DAYS_DEFAULT: u16 = 90;
/// See [`KEY_DAYS_DEFAULT`].
pub const KEY_DAYS_MAX: u16 = 365;

/// How long the old one of a rotated key is still good.
pub const KEY_GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long before its end a key is looked after: its owner is reminded, or it gets a successor.
pub const KEY_ENDS_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How often it is written down that a key is used.
pub const KEY_SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

const DAY_S: i64 = 24 * 60 * 60;

/// Most characters of what a key is called.
const NAME_CHARS_MAX: usize = 80;

/// Most networks that a key may be used from.
const NETWORKS_MAX: usize = 32;

/// What a key may do; never more than the account that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// What a viewer may.
    Read,
    /// What a trader may and a viewer may not.
    Trade,
    /// What an analyst may and a trader may not.
    Analyse,
    /// What an administrator alone may, where no fresh code is asked for.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Trade, Self::Analyse, Self::Admin];

    /// The scope as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Trade => "trade",
            Self::Analyse => "analyse",
            Self::Admin => "admin",
        }
    }

    /// The scope that opens what `role` is needed for.
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Read,
            Role::Trader => Self::Trade,
            Role::Analyst => Self::Analyse,
            Role::Admin => Self::Admin,
        }
    }

    /// The role that may give it away.
    pub const fn role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Trade => Role::Trader,
            Self::Analyse => Role::Analyst,
            Self::Admin => Role::Admin,
        }
    }
}

/// A text that is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no scope; give read, trade, analyse or admin")]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(ScopeError)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What somebody wants of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// From where it may be used; empty for everywhere.
    pub networks: Vec<IpNet>,
    /// How many days it is good for.
    pub days: u16,
    /// Whether it gets a successor before its end.
    pub auto_rotate: bool,
}

/// Why a key is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRequestError {
    /// It is called nothing, or too much.
    #[error("name: give 1 to {NAME_CHARS_MAX} characters on one line")]
    Name,
    /// It could do nothing.
    #[error("scopes: none is given; give read, trade, analyse or admin")]
    NoScope,
    /// It could do more than its owner.
    #[error("scopes: '{scope}' is for the role {} and above, and yours is {role}", .scope.role())]
    ScopeAboveRole {
        /// The scope.
        scope: Scope,
        /// The role.
        role: Role,
    },
    /// It would be good for too long, or not at all.
    #[error("expires_in_days: give a whole number from 1 to {KEY_DAYS_MAX}")]
    Days,
    /// There are too many networks.
    #[error("addresses: give at most {NETWORKS_MAX} networks such as 203.0.113.0/24")]
    TooManyNetworks,
    /// One is none.
    #[error("addresses: '{0}' is no network; give one such as 203.0.113.7 or 203.0.113.0/24")]
    Network(String),
}

/// The networks in `texts`; a bare address is a network of its own.
///
/// # Errors
///
/// [`KeyRequestError`] with the first text that is none.
pub fn parse_networks(texts: &[String]) -> Result<Vec<IpNet>, KeyRequestError> {
    if texts.len() > NETWORKS_MAX {
        return Err(KeyRequestError::TooManyNetworks);
    }
    let parse = |text: &String| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse::<IpNet>().map(|network| network.trunc());
        network.or_else(|_| address()).map_err(|_| KeyRequestError::Network(text.clone()))
    };
    texts.iter().map(parse).collect()
}

impl KeyRequest {
    /// Whether somebody with `role` may have such a key.
    ///
    /// # Errors
    ///
    /// [`KeyRequestError`] when not.
    pub fn check(&self, role: Role) -> Result<(), KeyRequestError> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(KeyRequestError::Name);
        }
        if name.contains(char::is_control) {
            return Err(KeyRequestError::Name);
        }
        if self.scopes.is_empty() {
            return Err(KeyRequestError::NoScope);
        }
        if let Some(scope) = self.scopes.iter().find(|scope| scope.role() > role) {
            return Err(KeyRequestError::ScopeAboveRole { scope: *scope, role });
        }
        if !(1..=KEY_DAYS_MAX).contains(&self.days) {
            return Err(KeyRequestError::Days);
        }
        if self.networks.len() > NETWORKS_MAX {
            return Err(KeyRequestError::TooManyNetworks);
        }
        Ok(())
    }
}

/// Whether a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is.
    Active,
    /// It is, for a while after another took its place.
    Grace,
    /// It was, and its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl KeyState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Active, Self::Grace, Self::Expired, Self::Revoked];

    /// The state as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Grace => "grace",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key without what proves that one has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name for programs; it stands in the key too.
    pub id: KeyId,
    /// In whose name it acts.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// From where it may be used; empty for everywhere.
    pub networks: Vec<IpNet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its time is over.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// What took its place.
    pub replaced_by: Option<KeyId>,
    /// Whether it gets a successor before its end.
    pub auto_rotate: bool,
    /// When it went on record that its end is near.
    pub reminded_at: Option<Timestamp>,
    /// Whether it is a successor that waits to be collected: nobody has seen what opens it.
    pub is_uncollected: bool,
}

/// What a key that ends soon needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCare {
    /// Its owner is to be reminded of it.
    Reminder,
    /// It is to get a successor.
    Successor,
}

impl ApiKey {
    /// Whether it is good at `now`.
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if now >= self.expires_at {
            KeyState::Expired
        } else if self.replaced_by.is_some() {
            KeyState::Grace
        } else {
            KeyState::Active
        }
    }

    /// Whether it is good at `now` and ends within seven days.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        let is_good = matches!(self.state(now), KeyState::Active | KeyState::Grace);
        is_good && self.expires_at.duration_since(now) <= KEY_ENDS_SOON
    }

    /// Days from `now` to its end, of which the last one has begun; 1 on the last day.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        let left_s = self.expires_at.duration_since(now).as_secs().max(0);
        left_s / DAY_S + i64::from(left_s % DAY_S != 0)
    }

    /// What it needs at `now`; nothing while its end is far, and once it is looked after.
    pub fn care(&self, now: Timestamp) -> Option<KeyCare> {
        if self.state(now) != KeyState::Active || !self.ends_soon(now) || self.is_uncollected {
            None
        } else if self.auto_rotate {
            Some(KeyCare::Successor)
        } else if self.reminded_at.is_none() {
            Some(KeyCare::Reminder)
        } else {
            None
        }
    }

    /// Whether it may be used from `address`.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> KeyRequest {
        KeyRequest {
            name: "nightly report".to_owned(),
            scopes: BTreeSet::from([Scope::Read]),
            networks: Vec::new(),
            days: KEY_DAYS_DEFAULT,
            auto_rotate: false,
        }
    }

    #[test]
    fn a_key_may_not_do_more_than_its_owner() {
        let asked = KeyRequest { scopes: Scope::ALL.into(), ..request() };
        assert_eq!(asked.check(Role::Admin), Ok(()));
        assert_eq!(
            asked.check(Role::Trader).unwrap_err().to_string(),
            "scopes: 'analyse' is for the role analyst and above, and yours is trader"
        );
        for role in Role::ALL {
            assert_eq!(Scope::of(role).role(), role);
        }
    }

    #[test]
    fn a_key_has_a_name_a_scope_and_an_end() {
        assert_eq!(request().check(Role::Viewer), Ok(()));
        let check = |asked: KeyRequest| asked.check(Role::Viewer).unwrap_err();
        assert_eq!(check(KeyRequest { name: " ".to_owned(), ..request() }), KeyRequestError::Name);
        assert_eq!(check(KeyRequest { name: "x".repeat(81), ..request() }), KeyRequestError::Name);
        let none = KeyRequest { scopes: BTreeSet::new(), ..request() };
        assert_eq!(check(none), KeyRequestError::NoScope);
        assert_eq!(check(KeyRequest { days: 0, ..request() }), KeyRequestError::Days);
        assert_eq!(check(KeyRequest { days: 366, ..request() }), KeyRequestError::Days);
    }

    #[test]
    fn networks_are_addresses_or_prefixes() {
        let parse = |text: &str| parse_networks(&[text.to_owned()]);
        assert_eq!(parse("203.0.113.7").unwrap()[0].to_string(), "203.0.113.7/32");
        assert_eq!(parse("203.0.113.7/24").unwrap()[0].to_string(), "203.0.113.0/24");
        assert_eq!(parse("2001:db8::/32").unwrap()[0].to_string(), "2001:db8::/32");
        for text in ["", "example.com", "203.0.113.7/33", "*"] {
            assert_eq!(parse(text), Err(KeyRequestError::Network(text.to_owned())));
        }
    }

    #[test]
    fn a_key_goes_through_grace_to_its_end() {
        let day = |days: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days);
        let key = ApiKey {
            id: "k0123456789abcdef".parse().unwrap(),
            account: "u0123456789abcdef".parse().unwrap(),
            name: "nightly report".to_owned(),
            scopes: BTreeSet::from([Scope::Read]),
            networks: parse_networks(&["203.0.113.0/24".to_owned()]).unwrap(),
            created_at: day(0),
            expires_at: day(90),
            last_used_at: None,
            revoked_at: None,
            replaced_by: None,
            auto_rotate: false,
            reminded_at: None,
            is_uncollected: false,
        };
        for (at, days_left, care) in [
            (82, 8, None),
            (83, 7, Some(KeyCare::Reminder)),
            (89, 1, Some(KeyCare::Reminder)),
            (90, 0, None),
        ] {
            assert_eq!((key.days_left(day(at)), key.care(day(at))), (days_left, care), "{at}");
        }
        let reminded = ApiKey { reminded_at: Some(day(83)), ..key.clone() };
        assert_eq!((reminded.care(day(84)), reminded.ends_soon(day(84))), (None, true));
        let rotating = ApiKey { auto_rotate: true, ..reminded };
        assert_eq!(rotating.care(day(84)), Some(KeyCare::Successor));
        assert_eq!(key.state(day(89)), KeyState::Active);
        assert_eq!(key.state(day(90)), KeyState::Expired);
        let replaced = ApiKey { replaced_by: Some(key.id.clone()), ..key.clone() };
        assert_eq!(replaced.state(day(83)), KeyState::Grace);
        let revoked = ApiKey { revoked_at: Some(day(1)), ..replaced };
        assert_eq!(revoked.state(day(1)), KeyState::Revoked);
        assert!(key.may_come_from("203.0.113.9".parse().unwrap()));
        assert!(key.may_come_from("::ffff:203.0.113.9".parse().unwrap()));
        assert!(!key.may_come_from("203.0.114.9".parse().unwrap()));
    }
}
