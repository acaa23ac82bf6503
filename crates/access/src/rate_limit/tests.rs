//! Limits against vectors of another form of the algorithm, floods of keys, and clocks that jump.

use super::*;

/// Requests of one key and what is decided of each; the file says where they come from.
const VECTORS: &str = include_str!("../../../testkit/golden/gcra.txt");

const NOW_US: u64 = 1_795_000_000_000_000;

fn quota(text: &str) -> Quota {
    text.parse().unwrap()
}

#[test]
fn decisions_are_those_of_the_leaky_bucket() {
    let limiter = RateLimiter::default();
    let (mut now, mut key) = (quota("1/s"), "");
    let mut checked_count = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some(text) = line.strip_prefix("quota ") {
            (now, key) = (quota(text), text);
            continue;
        }
        let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [at_us, allowed, remaining, next_after_us, full_after_us] = numbers[..] else {
            panic!("{line}")
        };
        let expected = Decision {
            allowed: allowed == 1,
            remaining: u32::try_from(remaining).unwrap(),
            next_after_us,
            full_after_us,
        };
        assert_eq!(limiter.check(Class::Default, key, now, at_us), expected, "{key}: {line}");
        checked_count += 1;
    }
    assert!(checked_count > 250, "{checked_count}");
}

#[test]
fn the_twenty_first_of_a_minute_waits_and_so_does_the_sixth_sign_in() {
    let limiter = RateLimiter::default();
    for (class, text, wait_s) in [(Class::Ai, "20/min", 3), (Class::Auth, "5/15min", 180)] {
        let quota = quota(text);
        for _ in 0..quota.requests() {
            assert!(limiter.check(class, "a", quota, NOW_US).allowed);
        }
        let refused = limiter.check(class, "a", quota, NOW_US);
        assert_eq!((refused.allowed, refused.next_after_us), (false, wait_s * 1_000_000));
        // Whoever keeps knocking does not wait longer for it.
        let later_us = NOW_US + refused.next_after_us;
        assert!(!limiter.check(class, "a", quota, later_us - 1).allowed);
        assert!(limiter.check(class, "a", quota, later_us).allowed);
        assert!(!limiter.check(class, "a", quota, later_us).allowed);
        // Another key, and the same one for something else, are not concerned.
        assert!(limiter.check(class, "b", quota, NOW_US).allowed);
        assert!(limiter.check(Class::Trading, "a", quota, NOW_US).allowed);
    }
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_the_period() {
    let (limiter, quota) = (RateLimiter::default(), quota("5/15min"));
    assert!(limiter.check(Class::Auth, "a", quota, NOW_US).allowed);
    let earlier_us = NOW_US - 7 * 86_400_000_000;
    let refused = limiter.check(Class::Auth, "a", quota, earlier_us);
    assert_eq!((refused.allowed, refused.next_after_us), (false, 180_000_000));
}

#[test]
fn what_somebody_else_has_counted_is_not_forgotten() {
    let (limiter, quota) = (RateLimiter::default(), quota("5/15min"));
    limiter.learn(Class::Auth, "a", quota, NOW_US, quota.burst_us());
    assert!(!limiter.check(Class::Auth, "a", quota, NOW_US).allowed);
    // Less than what is known already changes nothing.
    limiter.learn(Class::Auth, "a", quota, NOW_US, 0);
    assert!(!limiter.check(Class::Auth, "a", quota, NOW_US).allowed);
}

#[test]
fn a_flood_of_keys_does_not_make_the_exhausted_forgotten() {
    let (limiter, auth, other) = (RateLimiter::default(), quota("5/15min"), quota("100/min"));
    let exhaust = |key: &str| while limiter.check(Class::Auth, key, auth, NOW_US).allowed {};
    let exhausted: Vec<String> = (0..100).map(|n| format!("attacker {n}")).collect();
    exhausted.iter().for_each(|key| exhaust(key));
    // More keys than are remembered, each with more to wait for than a request of the default class.
    for n in 0..KEYS_MAX + KEYS_MAX / 4 {
        limiter.check(Class::Auth, &format!("flood {n}"), auth, NOW_US);
        limiter.check(Class::Default, &format!("{n}"), other, NOW_US);
    }
    for key in &exhausted {
        assert!(!limiter.check(Class::Auth, key, auth, NOW_US).allowed, "{key}");
    }
}

#[test]
fn where_all_that_are_remembered_are_exhausted_a_new_key_is_refused_until_one_is_not() {
    let now_us = NOW_US;
    let once = quota("1/min");
    let mut set = vec![[0; 3]; 4];
    for n in 1..=4 {
        let slot = limiter::slot_of(&mut set, n, now_us).unwrap();
        limiter::remember(slot, n, once, now_us + once.burst_us() + n);
    }
    assert!(limiter::slot_of(&mut set, 9, now_us).is_none());
    assert!(limiter::slot_of(&mut set, 3, now_us).is_some(), "its own slot is still there");
    let later_us = now_us + once.burst_us() + 1;
    let slot = limiter::slot_of(&mut set, 9, later_us).unwrap();
    limiter::remember(slot, 9, once, later_us + once.burst_us());
    assert!(limiter::slot_of(&mut set, 1, later_us).is_none(), "it was the first to be forgotten");
    assert!(limiter::slot_of(&mut set, 2, later_us).is_some());
}

#[test]
fn of_a_million_keys_at_once_hardly_one_is_forgotten() {
    let (limiter, twice) = (RateLimiter::default(), quota("2/h"));
    let check = |n: u32| limiter.check(Class::Default, &n.to_string(), twice, NOW_US);
    for n in 0..1_000_000 {
        assert!(check(n).allowed, "{n}");
    }
    let forgotten = (0..1_000_000).filter(|n| check(*n).remaining != 0).count();
    assert!(forgotten < 10_000, "{forgotten}");
}

#[test]
fn a_quota_is_a_number_and_a_time() {
    for (text, requests, period_s) in [
        ("20/min", 20, 60),
        ("5/15min", 5, 900),
        ("100/h", 100, 3_600),
        ("1/s", 1, 1),
        ("3/7s", 3, 7),
        ("1000000/24h", 1_000_000, 86_400),
    ] {
        let quota: Quota = text.parse().unwrap();
        assert_eq!((quota.requests(), quota.period_s()), (requests, period_s));
        assert_eq!(quota.to_string(), text);
    }
    assert_eq!(quota("7/60s").to_string(), "7/min");
    for text in [
        "",
        "20",
        "20/",
        "/min",
        "0/min",
        "20/0min",
        "20/day",
        "-1/min",
        "+5/min",
        "2.5/min",
        "5 /min",
        "5/min ",
        "5/25h",
        "1000001/h",
        "5/99999999999999999999s",
        "5/5minutes",
    ] {
        let told = text.parse::<Quota>().unwrap_err().to_string();
        assert!(told.starts_with(&format!("'{text}' is no quota; give")), "{told}");
    }
}

#[test]
fn a_multiple_of_a_quota_is_in_the_same_time() {
    assert_eq!(quota("20/min").times(10).to_string(), "200/min");
    assert_eq!(quota("500000/h").times(10).to_string(), "1000000/h");
}

#[test]
fn of_two_decisions_the_one_that_lets_less_through_holds() {
    let free = quota("5/min").decision(true, 0);
    let spent = quota("5/min").decision(true, 60_000_000);
    let refused = quota("5/min").decision(false, 60_000_000);
    assert_eq!(free.stricter(spent), spent);
    assert_eq!(refused.stricter(spent), refused);
    assert_eq!(spent.stricter(refused), refused);
}

#[test]
fn keys_are_told_until_all_that_they_did_is_paid_for() {
    let limiter = RateLimiter::default();
    let quota = quota("1/s");
    assert_eq!(limiter.keys_count(NOW_US), 0);
    for key in ["a", "b", "a"] {
        limiter.check(Class::Default, key, quota, NOW_US);
    }
    assert_eq!(limiter.keys_count(NOW_US), 2);
    assert_eq!(limiter.keys_count(NOW_US + 1_000_000), 0);
}
