//! The audit: a chain of records of what was done, which only the key continues.
//!
//! Each record carries a MAC (HMAC-SHA256) over the MAC of the record before it and all of its own
//! fields, and the [`AuditHead`] one over how many records there are and the last MAC. So whoever can
//! write to the database and has no key can neither change, add, move nor take out a record unseen,
//! nor cut the chain off. Who brings back an earlier head together with the records of then, can; an
//! [`AuditRoot`] that is kept elsewhere tells.
//!
//! Personal data stand in a part of their own, of which the chain covers a keyed digest with a random
//! salt: both may be taken out when a person is to be forgotten, and the chain stays whole.
//!
//! What goes into a MAC is a purpose, then each field in the order of the code: a byte 0 for one that
//! is missing; or a byte 1, the length in 8 bytes, the highest first, and the bytes. Numbers are
//! fields of 8 bytes, the highest first. So no two lists of fields give the same bytes.

mod action;
mod mac;
mod root;
mod verifier;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand::CryptoRng;
use serde_json::Value;

use crate::actor::Actor;
use crate::id::AccountId;

use self::mac::MacInput;
pub(crate) use self::mac::hexadecimal;

pub use action::{AuditAction, AuditActionError};
pub use mac::{AuditKey, AuditKeyError};
pub use root::{AuditRoot, AuditRootError};
pub use verifier::{AuditBreak, AuditProblem, AuditVerification, AuditVerifier};

/// What a chain of no records ends with.
const NO_MAC: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Random bytes that are added to a personal part, so that its digest does not tell it.
const SALT_BYTES: usize = 16;

/// What is said of an event besides, by name; nothing personal and no secret.
pub type AuditDetails = BTreeMap<&'static str, Value>;

/// Something that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When; microseconds are kept.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What.
    pub action: AuditAction,
    /// To what: a kind and a name, such as `model:ensemble-0123`.
    pub subject: String,
    /// With which particulars.
    pub details: AuditDetails,
    /// What may be forgotten.
    pub personal: Option<AuditPersonal>,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// Personal data of a record, which can be erased.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditPersonal {
    /// Whose they are.
    pub about: AccountId,
    /// What they are, by name.
    pub data: AuditDetails,
}

/// A record as it is stored. Texts are as they were written, so that every change is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place, from 1.
    pub seq: u64,
    /// When it was done, in whole microseconds.
    pub at: Timestamp,
    /// By whom, as [`Actor`] is written.
    pub actor: String,
    /// What, as [`AuditAction`] is written.
    pub action: String,
    /// To what.
    pub subject: String,
    /// A JSON object.
    pub details: String,
    /// Whose personal data it has, or had.
    pub about: Option<String>,
    /// The personal data, a JSON object; `None` when there are none, or no more.
    pub personal: Option<String>,
    /// Hexadecimal digits, there as long as `personal` is.
    pub salt: Option<String>,
    /// The keyed digest of `salt` and `personal`; stays when they are erased.
    pub personal_mac: Option<String>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// What continues the chain, hexadecimal digits.
    pub mac: String,
}

/// Where the chain ends, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// How many records there are.
    pub records_count: u64,
    /// The MAC of the last one.
    pub last_mac: String,
    /// The MAC of these two.
    pub mac: String,
}

impl AuditHead {
    /// The head of a chain that has no record yet.
    pub fn empty(key: &AuditKey) -> Self {
        Self::of(key, 0, NO_MAC.to_owned())
    }

    /// Whether it was written by who has the key.
    pub fn is_sound(&self, key: &AuditKey) -> bool {
        self.mac == head_mac(key, self.records_count, &self.last_mac)
    }

    /// Puts `entry` at the end of the chain: the record, and the head from then on.
    pub fn append(
        &self,
        key: &AuditKey,
        entry: AuditEntry,
        rng: &mut dyn CryptoRng,
    ) -> (AuditRecord, Self) {
        let AuditEntry { at, actor, action, subject, details, personal, request_id } = entry;
        let (mut about, mut data, mut salt, mut digest) = (None, None, None, None);
        if let Some(personal) = personal {
            let (text, random) = (object(&personal.data), new_salt(rng));
            digest = Some(personal_mac(key, &random, &text));
            (about, data, salt) = (Some(personal.about.to_string()), Some(text), Some(random));
        }
        let mut record = AuditRecord {
            seq: self.records_count + 1,
            at: whole_microseconds(at),
            actor: actor.to_string(),
            action: action.to_string(),
            subject,
            details: object(&details),
            about,
            personal: data,
            salt,
            personal_mac: digest,
            request_id,
            mac: String::new(),
        };
        record.mac = record.mac_after(key, &self.last_mac);
        let head = Self::of(key, record.seq, record.mac.clone());
        (record, head)
    }

    fn of(key: &AuditKey, records_count: u64, last_mac: String) -> Self {
        Self { records_count, mac: head_mac(key, records_count, &last_mac), last_mac }
    }
}

impl AuditRecord {
    /// Its MAC in a chain that ends with `last_mac`.
    fn mac_after(&self, key: &AuditKey, last_mac: &str) -> String {
        MacInput::of(key, "bist audit 1, record")
            .text(last_mac)
            .number(self.seq.to_be_bytes())
            .number(self.at.as_microsecond().to_be_bytes())
            .text(&self.actor)
            .text(&self.action)
            .text(&self.subject)
            .text(&self.details)
            .maybe(self.about.as_deref())
            .maybe(self.personal_mac.as_deref())
            .maybe(self.request_id.as_deref())
            .finish()
    }
}

fn head_mac(key: &AuditKey, records_count: u64, last_mac: &str) -> String {
    MacInput::of(key, "bist audit 1, head")
        .number(records_count.to_be_bytes())
        .text(last_mac)
        .finish()
}

/// The digest of a personal part.
fn personal_mac(key: &AuditKey, salt: &str, personal: &str) -> String {
    MacInput::of(key, "bist audit 1, personal").text(salt).text(personal).finish()
}

/// An instant that a database keeps.
fn whole_microseconds(at: Timestamp) -> Timestamp {
    let at = Timestamp::from_microsecond(at.as_microsecond());
    at.expect("an instant without its nanoseconds is one")
}

fn new_salt(rng: &mut dyn CryptoRng) -> String {
    let mut salt = [0; SALT_BYTES];
    rng.fill_bytes(&mut salt);
    hexadecimal(&salt)
}

/// `details` as the JSON object that is stored.
fn object(details: &AuditDetails) -> String {
    serde_json::to_string(details).expect("a map of texts to JSON values is a JSON object")
}

#[cfg(test)]
mod tests;
