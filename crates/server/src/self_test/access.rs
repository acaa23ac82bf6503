//! Who gets how far.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::http::Method;
use bist_access::session::{SESSION_IDLE_MAX, STEP_UP_TIME};
use bist_access::{KeyRequest, Role, Scope, SecurityCheck};
use bist_app::access::users::AccountStep;
use jiff::SignedDuration;

use super::{All, Answer, Asking, Found, Page, Probe};
use crate::access_table::{Needs, TABLE};

const TABLE_NOT_KEPT: &str = "report it: the access table is not kept; until it is mended, let \
                              nobody but administrators sign in";

pub(super) async fn checks(probe: &Probe) -> Vec<SecurityCheck> {
    let judged = |id, weight, found| SecurityCheck::judged(id, weight, found, TABLE_NOT_KEPT);
    vec![
        judged("access.nobody", 5, nobody(probe).await),
        judged("access.roles", 5, roles(probe).await),
        judged("access.second_factor", 5, second_factor(probe).await),
        judged("access.fresh_code", 4, fresh_code(probe).await),
        judged("access.keys", 4, keys(probe).await),
        judged("access.session_end", 3, session_end(probe).await),
    ]
}

/// A path of a route, with something in the place of its parameters.
fn filled(route: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
    route.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Asks each operation of the table that `wanted` picks, as `ask` makes the request; each must be
/// answered with `status`.
async fn each(
    probe: &Probe,
    all: &mut All,
    wanted: impl Fn(Needs) -> bool,
    status: u16,
    ask: impl Fn(Asking) -> Asking,
) {
    for (method, route, needs) in TABLE {
        if wanted(*needs) {
            let path = filled(route);
            let answer = probe.ask(ask(probe.asking(method.clone(), &path))).await;
            all.take(answer.status == status, || {
                format!("{method} {route}, which answered {}", answer.what())
            });
        }
    }
}

/// The least role that will do.
fn role_of(needs: Needs) -> Option<Role> {
    match needs {
        Needs::Role(role) | Needs::FreshCode(role) => Some(role),
        Needs::Nothing | Needs::Session | Needs::Person | Needs::Key | Needs::Watcher => None,
    }
}

async fn nobody(probe: &Probe) -> Found {
    let mut all = All::of("operations were refused to nobody in particular");
    let wanted = |needs| needs != Needs::Nothing;
    each(probe, &mut all, wanted, 401, |asking| asking).await;
    let stranger = "__Host-bist-session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    each(probe, &mut all, wanted, 401, |asking| asking.header("cookie", stranger)).await;
    let invented = "Bearer bist_k0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    each(probe, &mut all, wanted, 401, |asking| asking.header("authorization", invented)).await;
    all.found()
}

async fn roles(probe: &Probe) -> Found {
    let mut all = All::of("operations were refused to roles that they are not for");
    for role in [Role::Viewer, Role::Trader, Role::Analyst] {
        let page = probe.account(role).await?;
        let above = |needs| role_of(needs).is_some_and(|least| least > role);
        each(probe, &mut all, above, 403, |asking| asking.of(&page)).await;
    }
    all.found()
}

async fn second_factor(probe: &Probe) -> Found {
    let mut all =
        All::of("operations of administrators were refused to one without a second factor");
    let page = probe.account(Role::Admin).await?;
    let for_administrators = |needs| role_of(needs) == Some(Role::Admin);
    each(probe, &mut all, for_administrators, 403, |asking| asking.of(&page)).await;
    all.found()
}

async fn fresh_code(probe: &Probe) -> Found {
    let mut all = All::of("operations that need a fresh code were refused with an old one");
    let (page, _) = probe.administrator().await?;
    probe.clock.pass(STEP_UP_TIME + SignedDuration::from_secs(1));
    let fresh = |needs| matches!(needs, Needs::FreshCode(_));
    each(probe, &mut all, fresh, 403, |asking| asking.of(&page)).await;
    all.found()
}

async fn keys(probe: &Probe) -> Found {
    let mut all = All::of("uses of API keys beyond their scope, network or end were refused");
    let (page, _) = probe.administrator().await?;
    let home: IpAddr = probe.another_address();
    let told = |error: &dyn std::fmt::Display| format!("no key can be made: {error}");
    let owner = probe.app.user(&page.user_name).await.map_err(|error| told(&error))?;
    let request = |scopes: &[Scope]| KeyRequest {
        name: "tested".to_owned(),
        scopes: scopes.iter().copied().collect::<BTreeSet<_>>(),
        networks: vec![home.into()],
        days: 1,
        auto_rotate: false,
    };
    let narrow = probe.app.make_key(&owner, &request(&[Scope::Read])).await;
    let narrow = narrow.map_err(|error| told(&error))?;
    let bearer = format!("Bearer {}", narrow.token.expose());
    let shown = |asking: Asking| asking.header("authorization", &bearer).from(home);
    let of_its_own = [Needs::Nothing, Needs::Key, Needs::Watcher, Needs::Role(Role::Viewer)];
    let out_of_scope = |needs| !of_its_own.contains(&needs);
    each(probe, &mut all, out_of_scope, 403, shown).await;

    let list = |address| {
        let asking = probe.asking(Method::GET, "/api/v1/symbols");
        probe.ask(asking.header("authorization", &bearer).from(address))
    };
    let at_home: Answer = list(home).await;
    all.take(at_home.status == 200, || format!("its own use, which answered {}", at_home.what()));
    let elsewhere = list(probe.another_address()).await;
    all.take(elsewhere.status == 401, || "one from another network".to_owned());
    let revoked = probe.app.revoke_key(narrow.key.id.as_str(), None).await;
    revoked.map_err(|error| format!("a key cannot be revoked: {error}"))?;
    all.take(list(home).await.status == 401, || "one that was revoked".to_owned());
    let short = probe.app.make_key(&owner, &request(&[Scope::Read])).await;
    let short = short.map_err(|error| told(&error))?;
    probe.clock.pass(SignedDuration::from_hours(25));
    let bearer = format!("Bearer {}", short.token.expose());
    let asking = probe.asking(Method::GET, "/api/v1/symbols").from(home);
    let late = probe.ask(asking.header("authorization", bearer)).await;
    all.take(late.status == 401, || "one whose time is over".to_owned());
    all.found()
}

async fn session_end(probe: &Probe) -> Found {
    let mut all = All::of("sessions that were over were refused");
    let asks = async |page: &Page| {
        let asking = probe.asking(Method::GET, "/api/v1/auth/session").of(page);
        probe.ask(asking).await.status
    };
    let left = probe.account(Role::Viewer).await?;
    probe.ask(probe.asking(Method::POST, "/api/v1/auth/logout").of(&left)).await;
    all.take(asks(&left).await == 401, || "one that was left".to_owned());
    let idle = probe.account(Role::Viewer).await?;
    let was_there = asks(&idle).await == 200;
    probe.clock.pass(SESSION_IDLE_MAX + SignedDuration::from_secs(1));
    all.take(was_there && asks(&idle).await == 401, || "one that nobody used for long".to_owned());
    let ended = probe.account(Role::Viewer).await?;
    let step = AccountStep { disabled: Some(true), ..AccountStep::default() };
    let changed = probe.app.change_user(&ended.user_name, step).await;
    changed.map_err(|error| format!("an account cannot be disabled: {error}"))?;
    all.take(asks(&ended).await == 401, || "one of an account that was disabled".to_owned());
    all.found()
}
