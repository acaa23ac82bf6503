//! The chain under whoever can write to the database and has no key.

use rand::RngExt as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;

use super::*;

/// Records of the chain that is tampered with.
const RECORDS: u64 = 240;

/// How often it is.
const TAMPERINGS: u32 = 10_000;

/// A chain with its head.
#[derive(Clone)]
struct Chain {
    records: Vec<AuditRecord>,
    head: AuditHead,
}

impl Chain {
    fn new(key: &AuditKey) -> Self {
        Self { records: Vec::new(), head: AuditHead::empty(key) }
    }

    fn append(&mut self, key: &AuditKey, entry: AuditEntry, rng: &mut ChaCha20Rng) {
        let (record, head) = self.head.append(key, entry, rng);
        self.records.push(record);
        self.head = head;
    }

    fn verify(&self, key: &AuditKey, kept: &[AuditRoot]) -> AuditVerification {
        let mut verifier = AuditVerifier::new(key, kept);
        for record in &self.records {
            verifier.look_at(record);
        }
        verifier.finish(Some(&self.head))
    }

    /// Where it is broken, which must be found.
    #[track_caller]
    fn broken(&self, key: &AuditKey) -> (Option<u64>, AuditProblem) {
        let broken = self.verify(key, &[]).broken.expect("it is found");
        (broken.seq, broken.problem)
    }
}

fn account(number: u64) -> AccountId {
    format!("u{number:016x}").parse().unwrap()
}

fn entry(number: u64) -> AuditEntry {
    let about = account(number % 7);
    let data = AuditDetails::from([("address", json!(format!("192.0.2.{number}")))]);
    let actions = AuditAction::ALL.iter().filter(|action| **action != AuditAction::UserErased);
    AuditEntry {
        at: Timestamp::from_second(1_795_000_000 + number.cast_signed()).unwrap(),
        actor: if number.is_multiple_of(2) { Actor::System } else { Actor::Account(about.clone()) },
        action: *actions.cycle().nth(usize::try_from(number).unwrap()).unwrap(),
        subject: format!("thing:{number}"),
        details: AuditDetails::from([("number", json!(number)), ("said", json!("ü \"x\""))]),
        personal: number.is_multiple_of(3).then_some(AuditPersonal { about, data }),
        request_id: number.is_multiple_of(5).then(|| format!("request{number}")),
    }
}

/// A chain in which one account was forgotten.
fn chain(rng: &mut ChaCha20Rng) -> (AuditKey, Chain) {
    let key = AuditKey::generate(rng);
    let mut chain = Chain::new(&key);
    for number in 1..RECORDS {
        chain.append(&key, entry(number), rng);
    }
    let erased = account(6);
    for record in &mut chain.records {
        if record.about.as_deref() == Some(erased.as_str()) {
            (record.personal, record.salt) = (None, None);
        }
    }
    let forgotten = AuditEntry {
        action: AuditAction::UserErased,
        subject: format!("user:{erased}"),
        personal: None,
        ..entry(RECORDS)
    };
    chain.append(&key, forgotten, rng);
    (key, chain)
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(28)
}

#[test]
fn a_chain_that_nobody_touched_is_whole() {
    let (key, chain) = chain(&mut rng());
    let verification = chain.verify(&key, &[AuditRoot::empty(), (&chain.records[99]).into()]);
    assert_eq!(verification.broken, None);
    assert_eq!(verification.records_count, RECORDS);
    assert_eq!(verification.erased_count, 12, "those of one account in seven with a personal part");
    assert_eq!(verification.root, chain.head.clone().into());
    assert_eq!(verification.span, Some((chain.records[0].at, chain.records.last().unwrap().at)));
    assert_eq!(Chain::new(&key).verify(&key, &[]).broken, None);
}

/// Made by Python's `hmac` with the key of the bytes 0 to 31, from fields that were put together by
/// hand: `b"\x01" + len(field).to_bytes(8, "big") + field` for each, or `b"\x00"`.
#[test]
fn a_record_has_the_mac_that_another_implementation_gives() {
    let key = AuditKey::parse(&crate::Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    let key = key.unwrap();
    let entry = AuditEntry {
        at: "2026-11-29T12:00:00.5Z".parse().unwrap(),
        actor: Actor::Operator("ayşe".to_owned()),
        action: AuditAction::ModelPromoted,
        subject: "model:ensemble-0123".to_owned(),
        details: AuditDetails::from([("reason", json!("better"))]),
        personal: None,
        request_id: None,
    };
    let (record, head) = AuditHead::empty(&key).append(&key, entry, &mut rng());
    assert_eq!(record.details, r#"{"reason":"better"}"#);
    assert_eq!(record.mac, "e55bc38352779c93c0214dc44474783963ea960528a1ad46a5c7d06851e495cf");
    assert_eq!(head.mac, "05a84af65bee1eb488f2e83e1204aef078f14dc2a35bbef95d51a6c5de423fb5");
}

/// A text with another one in its place.
fn other(text: &str, rng: &mut ChaCha20Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    match (chars.len(), rng.random_range(0..3)) {
        (0, _) | (_, 0) => chars.push('x'),
        (_, 1) => drop(chars.pop()),
        (length, _) => {
            let at = rng.random_range(0..length);
            chars[at] = if chars[at] == '7' { '8' } else { '7' };
        }
    }
    chars.into_iter().collect()
}

/// One field of `record` is another; returns what is found then.
fn change_a_field(record: &mut AuditRecord, rng: &mut ChaCha20Rng) -> AuditProblem {
    match rng.random_range(0..11) {
        0 => record.at += jiff::SignedDuration::from_micros(1),
        1 => record.actor = other(&record.actor, rng),
        2 => record.action = other(&record.action, rng),
        3 => record.subject = other(&record.subject, rng),
        4 => record.details = other(&record.details, rng),
        5 => record.about = changed(record.about.take(), rng),
        6 => record.request_id = changed(record.request_id.take(), rng),
        7 => record.mac = other(&record.mac, rng),
        8 => record.personal_mac = changed(record.personal_mac.take(), rng),
        9 => {
            record.personal = changed(record.personal.take(), rng);
            return AuditProblem::PersonalChanged;
        }
        _ => {
            record.salt = changed(record.salt.take(), rng);
            return AuditProblem::PersonalChanged;
        }
    }
    AuditProblem::Changed
}

fn changed(text: Option<String>, rng: &mut ChaCha20Rng) -> Option<String> {
    match text {
        Some(text) if rng.random_range(0..2) == 0 => Some(other(&text, rng)),
        Some(_) => None,
        None => Some("x".to_owned()),
    }
}

/// Tampers with `chain` and returns where it must be found, and as what.
fn tamper(chain: &mut Chain, key: &AuditKey, rng: &mut ChaCha20Rng) -> (Option<u64>, AuditProblem) {
    let last = chain.records.len() - 1;
    let at = rng.random_range(0..last);
    let seq = Some(at as u64 + 1);
    match rng.random_range(0..12) {
        0..3 => {
            let problem = change_a_field(&mut chain.records[at], rng);
            (seq, problem)
        }
        3 => {
            chain.records.remove(at);
            (seq, AuditProblem::Missing)
        }
        // A record in between, with a MAC that was copied or made by another key.
        4 => {
            let mut forged = chain.records[rng.random_range(0..=last)].clone();
            forged.subject.push('x');
            forged.seq = at as u64 + 1;
            if rng.random_range(0..2) == 0 {
                let before = at.checked_sub(1).map_or(NO_MAC, |before| &chain.records[before].mac);
                forged.mac = forged.mac_after(&AuditKey::generate(rng), before);
            }
            chain.records.insert(at, forged);
            for record in &mut chain.records[at + 1..] {
                record.seq += 1;
            }
            (seq, AuditProblem::Changed)
        }
        // A record behind the last one.
        5 => {
            let other = AuditKey::generate(rng);
            let (record, head) = chain.head.append(&other, entry(3), rng);
            chain.records.push(record);
            if rng.random_range(0..2) == 0 {
                chain.head = head;
            }
            (Some(last as u64 + 2), AuditProblem::Changed)
        }
        6 => {
            let with = rng.random_range(at + 1..=last);
            let (one, another) = (chain.records[at].seq, chain.records[with].seq);
            chain.records.swap(at, with);
            (chain.records[at].seq, chain.records[with].seq) = (one, another);
            (seq, AuditProblem::Changed)
        }
        7 => {
            chain.records.truncate(at);
            if rng.random_range(0..2) == 0 {
                chain.head.records_count = at as u64;
                chain.head.last_mac =
                    chain.records.last().map_or(NO_MAC.to_owned(), |record| record.mac.clone());
                return (None, AuditProblem::HeadChanged);
            }
            (seq, AuditProblem::Missing)
        }
        // Everything from some record on, by another key.
        8 => {
            let other = AuditKey::generate(rng);
            let mut before =
                at.checked_sub(1).map_or(NO_MAC.to_owned(), |i| chain.records[i].mac.clone());
            chain.records[at].subject.push('x');
            for record in &mut chain.records[at..] {
                record.mac = record.mac_after(&other, &before);
                before.clone_from(&record.mac);
            }
            chain.head = AuditHead::of(&other, chain.head.records_count, before);
            (seq, AuditProblem::Changed)
        }
        9 => {
            let with_personal = |from: usize| {
                let mut records = chain.records[from..].iter();
                records.position(|record| record.personal.is_some()).map(|i| from + i)
            };
            let Some(one) = with_personal(at) else { return tamper(chain, key, rng) };
            let Some(another) = with_personal(one + 1) else { return tamper(chain, key, rng) };
            let seq = Some(chain.records[one].seq);
            if rng.random_range(0..2) == 0 {
                (chain.records[one].personal, chain.records[one].salt) = (None, None);
                return (seq, AuditProblem::PersonalGone);
            }
            let (personal, salt) =
                (chain.records[another].personal.take(), chain.records[another].salt.take());
            chain.records[another].personal =
                std::mem::replace(&mut chain.records[one].personal, personal);
            chain.records[another].salt = std::mem::replace(&mut chain.records[one].salt, salt);
            (seq, AuditProblem::PersonalChanged)
        }
        10 => {
            match rng.random_range(0..3) {
                0 => chain.head.records_count ^= 1 << rng.random_range(0..60),
                1 => chain.head.last_mac = other(&chain.head.last_mac, rng),
                _ => chain.head.mac = other(&chain.head.mac, rng),
            }
            (None, AuditProblem::HeadChanged)
        }
        // An earlier head, which was written by who has the key, with all records.
        _ => {
            chain.head = AuditHead::of(key, at as u64 + 1, chain.records[at].mac.clone());
            (Some(at as u64 + 2), AuditProblem::BehindTheEnd)
        }
    }
}

#[test]
fn of_ten_thousand_tamperings_each_is_found_where_it_is() {
    let mut rng = rng();
    let (key, sound) = chain(&mut rng);
    // What stands before a place that is tampered with is gone over once.
    let mut begun = vec![AuditVerifier::new(&key, &[])];
    for record in &sound.records {
        let mut next = begun.last().unwrap().clone();
        next.look_at(record);
        begun.push(next);
    }
    for round in 0..TAMPERINGS {
        let mut tampered = sound.clone();
        let expected = tamper(&mut tampered, &key, &mut rng);
        let same = tampered.records.iter().zip(&sound.records).take_while(|(a, b)| a == b).count();
        let mut verifier = begun[same].clone();
        for record in &tampered.records[same..] {
            verifier.look_at(record);
        }
        let broken = verifier.finish(Some(&tampered.head)).broken.expect("it is found");
        assert_eq!((broken.seq, broken.problem), expected, "round {round}");
    }
}

#[test]
fn another_key_verifies_nothing() {
    let mut rng = rng();
    let (_, chain) = chain(&mut rng);
    let other = AuditKey::generate(&mut rng);
    assert_eq!(chain.broken(&other), (Some(1), AuditProblem::Changed));
}

#[test]
fn a_head_that_is_gone_is_missed_also_without_records() {
    let (key, chain) = chain(&mut rng());
    for records in [&chain.records[..], &[]] {
        let mut verifier = AuditVerifier::new(&key, &[]);
        for record in records {
            verifier.look_at(record);
        }
        let broken = verifier.finish(None).broken.unwrap();
        assert_eq!(broken, AuditBreak { seq: None, problem: AuditProblem::HeadMissing });
    }
}

#[test]
fn a_chain_that_was_set_back_with_its_head_is_found_by_a_root_that_was_kept_elsewhere() {
    let mut rng = rng();
    let key = AuditKey::generate(&mut rng);
    let mut chain = Chain::new(&key);
    for number in 1..20 {
        chain.append(&key, entry(number), &mut rng);
    }
    let earlier = chain.clone();
    for number in 20..30 {
        chain.append(&key, entry(number), &mut rng);
    }
    let kept = [AuditRoot::from(chain.head.clone())];
    assert_eq!(chain.verify(&key, &kept).broken, None);
    assert_eq!(earlier.verify(&key, &[]).broken, None, "it is as it was once");
    let broken = earlier.verify(&key, &kept).broken.unwrap();
    assert_eq!(broken, AuditBreak { seq: Some(20), problem: AuditProblem::Missing });
    // Whoever has the key may go on from there; the root tells all the same.
    let mut forked = earlier;
    for number in 30..50 {
        forked.append(&key, entry(number), &mut rng);
    }
    assert_eq!(forked.verify(&key, &[]).broken, None);
    let broken = forked.verify(&key, &kept).broken.unwrap();
    assert_eq!(broken, AuditBreak { seq: Some(29), problem: AuditProblem::OtherThanKept });
    let nothing = [AuditRoot { seq: 0, mac: "1".repeat(64) }];
    let broken = chain.verify(&key, &nothing).broken.unwrap();
    assert_eq!(broken, AuditBreak { seq: None, problem: AuditProblem::OtherThanKept });
}

#[test]
fn personal_parts_may_be_gone_only_of_those_who_were_forgotten_later() {
    let mut rng = rng();
    let (key, chain) = chain(&mut rng);
    // What was written of an account after it was forgotten stays until it is forgotten again.
    let mut later = chain;
    let about = account(6);
    let data = AuditDetails::from([("address", json!("192.0.2.1"))]);
    let again = || AuditEntry {
        personal: Some(AuditPersonal { about: account(6), data: data.clone() }),
        ..entry(1)
    };
    later.append(&key, again(), &mut rng);
    assert_eq!(later.verify(&key, &[]).broken, None);
    let last = later.records.last_mut().unwrap();
    (last.personal, last.salt) = (None, None);
    assert_eq!(later.broken(&key), (Some(RECORDS + 1), AuditProblem::PersonalGone));
    let forgotten =
        AuditEntry { action: AuditAction::UserErased, subject: format!("user:{about}"), ..again() };
    later.append(&key, forgotten, &mut rng);
    // Its own personal part as well.
    let last = later.records.last_mut().unwrap();
    (last.personal, last.salt) = (None, None);
    assert_eq!(later.verify(&key, &[]).broken, None);
}
