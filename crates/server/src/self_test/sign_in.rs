//! Passwords, codes, and the sessions that they begin.

use axum::http::Method;
use bist_access::{HashedPassword, Role, SecurityCheck};
use bist_app::AuditFilter;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{All, Found, Page, Probe};

/// Passwords that attackers try first; some with what a rule of kinds of characters would ask for.
const WEAK: [&str; 6] = [
    "password1234",
    "Password1234!",
    "qwertyuiop12",
    "123456789012",
    "letmeinletmein",
    "borsaistanbul1",
];

pub(super) async fn checks(probe: &Probe) -> Vec<SecurityCheck> {
    let judged = SecurityCheck::judged;
    vec![
        judged(
            "sign_in.one_answer",
            3,
            one_answer(probe).await,
            "report it: nobody may learn which accounts there are",
        ),
        judged(
            "sign_in.weak_passwords",
            3,
            weak_passwords(probe).await,
            "report it: passwords that are guessed early must be refused",
        ),
        judged(
            "sign_in.hashes",
            4,
            hashes(),
            "report it: new passwords are hashed with less than OWASP recommends",
        ),
        judged(
            "sign_in.cookie",
            4,
            cookie(probe).await,
            "look for a proxy that changes cookies; the server sets all of these",
        ),
        judged(
            "sign_in.codes",
            4,
            codes(probe).await,
            "report it: a code must count once, and only around its half minute",
        ),
        judged(
            "sign_in.on_record",
            3,
            on_record(probe).await,
            "report it: who signs in or fails to must be on record",
        ),
    ]
}

async fn one_answer(probe: &Probe) -> Found {
    let page = probe.account(Role::Viewer).await?;
    let told = async |name: &str| {
        let mut answer = probe.ask(probe.signing_in(name, "a wrong password")).await;
        answer.body["request_id"] = Value::Null;
        (answer.status, answer.body, answer.headers.contains_key("set-cookie"))
    };
    let (known, unknown) = (told(&page.user_name).await, told("nobody-of-this-name").await);
    if known == unknown && known.0 == 401 {
        Ok("a wrong password and an unknown account get the same answer".to_owned())
    } else {
        Err(format!("a wrong password answered {}, an unknown account {}", known.0, unknown.0))
    }
}

async fn weak_passwords(probe: &Probe) -> Found {
    let mut all = All::of("weak passwords were refused");
    for (n, password) in WEAK.into_iter().enumerate() {
        let invited = probe.app.invite(&format!("weak{n}"), Role::Viewer).await;
        let invited = invited.map_err(|error| format!("nobody can be invited: {error}"))?;
        let document = json!({"token": invited.token.expose(), "password": password});
        let asking = probe.asking(Method::POST, "/api/v1/auth/invitation").document(&document);
        all.take(probe.ask(asking).await.status == 422, || format!("'{password}'"));
    }
    all.found()
}

/// The parameters that OWASP recommends at least (Password Storage Cheat Sheet, "Argon2id", read on
/// 29 November 2026).
fn hashes() -> Found {
    let made = HashedPassword::of_nobody();
    let parameters = made.as_str().split('$').nth(3).unwrap_or_default().to_owned();
    let value = |name: &str| {
        let part = parameters.split(',').find_map(|part| part.strip_prefix(name))?;
        part.strip_prefix('=')?.parse::<u32>().ok()
    };
    let is_enough = made.as_str().starts_with("$argon2id$")
        && value("m").is_some_and(|memory_kib| memory_kib >= 19 * 1024)
        && value("t").is_some_and(|passes| passes >= 2);
    let told = format!("new passwords are hashed by Argon2id with {parameters}");
    if is_enough { Ok(told) } else { Err(told) }
}

async fn cookie(probe: &Probe) -> Found {
    let page = probe.account(Role::Viewer).await?;
    let answer = probe.ask(probe.signing_in(&page.user_name, &page.password)).await;
    let line = answer.cookie_line().unwrap_or_default().to_owned();
    let mut all = All::of("properties of the cookie hold");
    let parts: Vec<&str> = line.split(';').map(str::trim).collect();
    all.take(line.starts_with("__Host-"), || "the prefix __Host-".to_owned());
    for property in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        all.take(parts.contains(&property), || property.to_owned());
    }
    all.take(!line.contains("Domain="), || "one host only".to_owned());
    all.take(answer.cookie() != Some(page.cookie), || "another one each time".to_owned());
    all.found()
}

async fn codes(probe: &Probe) -> Found {
    let mut all = All::of("codes were taken or refused as they must be");
    let (page, seed) = probe.administrator().await?;
    let owes = async || -> Result<Page, String> {
        let answer = probe.ask(probe.signing_in(&page.user_name, &page.password)).await;
        answer.page(&page.user_name, &page.password)
    };
    let mut owing = owes().await?;
    let give = async |owing: &Page, at_s: u64| {
        let asking = probe.asking(Method::POST, "/api/v1/auth/2fa/verify").of(owing);
        probe.ask(asking.code(&seed.code_at(at_s))).await
    };
    let before = probe.asking(Method::GET, "/api/v1/symbols").of(&owing);
    all.take(probe.ask(before).await.status == 403, || "a session that owes its code".to_owned());
    let now_s = probe.now_s();
    // Its step was used when the second factor was put in force.
    all.take(give(&owing, now_s).await.status == 401, || "a code that was used".to_owned());
    for steps in [2, 3, 20] {
        let late = give(&owing, now_s + 30 * steps).await;
        all.take(late.status == 401, || format!("a code {steps} steps ahead"));
        let early = give(&owing, now_s - 30 * steps).await;
        all.take(early.status == 401, || format!("a code {steps} steps old"));
    }
    probe.clock.pass(SignedDuration::from_secs(60));
    let right = give(&owing, probe.now_s()).await;
    all.take(right.status == 200, || "the code of this half minute".to_owned());
    let is_new = right.cookie().is_some_and(|cookie| cookie != owing.cookie);
    all.take(is_new, || "a session of its own after the code".to_owned());
    owing = owes().await?;
    let again = give(&owing, probe.now_s()).await;
    all.take(again.status == 401, || "the same code once more".to_owned());
    all.found()
}

async fn on_record(probe: &Probe) -> Found {
    let page = probe.account(Role::Viewer).await?;
    probe.ask(probe.signing_in(&page.user_name, "a wrong password")).await;
    let failed = |error: &dyn std::fmt::Display| format!("the audit cannot be read: {error}");
    let records = probe.app.audit_records(&AuditFilter::default(), 1).await;
    let records = records.map_err(|error| failed(&error))?;
    let newest = records.first().map(|record| record.action.as_str()).unwrap_or_default();
    let verified = probe.app.verify_audit(&[]).await.map_err(|error| failed(&error))?;
    match verified.broken {
        None if newest == "session.refused" => {
            Ok("signing in and failing to is on record, and the records are whole".to_owned())
        }
        None => Err(format!("after a wrong password the newest record is '{newest}'")),
        Some(_) => Err("the records are not those that were written".to_owned()),
    }
}
