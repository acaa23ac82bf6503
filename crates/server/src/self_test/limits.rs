//! How often, how much and by whom.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::Method;
use bist_access::{Role, SecurityCheck};
use ipnet::IpNet;
use serde_json::json;

use super::{All, Asking, Found, Page, Probe};
use crate::settings::ServerSettings;

/// Most wrong passwords or codes that may be tried in a row.
const GUESSES_MAX: usize = 10;

/// Most forecasts and signals that somebody may ask for in a row, and most of everything else.
const AI_REQUESTS_MAX: usize = 100;
const REQUESTS_MAX: usize = 1_000;

/// Networks of so many addresses are no list of proxies: fewest bits that are given, of IPv4 and IPv6.
const PREFIX_MIN: (u8, u8) = (8, 16);

/// The longest time for a head or a body, and the most connections of one address.
const TIME_MAX: Duration = Duration::from_secs(60);
const PER_ADDRESS_MAX: usize = 1_024;

pub(super) async fn checks(probe: &Probe, settings: &ServerSettings) -> Vec<SecurityCheck> {
    let judged = SecurityCheck::judged;
    vec![
        judged(
            "limits.passwords",
            5,
            passwords(probe).await,
            "set limits.auth to at most 10 attempts in 15 minutes; 5/15min is the default",
        ),
        judged(
            "limits.codes",
            4,
            codes(probe).await,
            "set limits.auth to at most 10 attempts in 15 minutes; 5/15min is the default",
        ),
        judged(
            "limits.made_up_addresses",
            4,
            made_up_addresses(probe).await,
            "list only your own proxies in server.trusted_proxies",
        ),
        judged(
            "limits.proxies",
            2,
            proxies(settings),
            "list the addresses of your proxies in server.trusted_proxies, not whole networks of others",
        ),
        judged(
            "limits.forecasts",
            2,
            requests(probe, "/api/v1/forecasts", AI_REQUESTS_MAX).await,
            "set limits.ai to at most 100 a minute; 20/min is the default",
        ),
        judged(
            "limits.requests",
            2,
            requests(probe, "/api/v1/symbols", REQUESTS_MAX).await,
            "set limits.default to at most 1000 a minute; 100/min is the default",
        ),
        judged(
            "limits.bodies",
            3,
            bodies(probe).await,
            "report it: large and deeply nested bodies must be refused before they are read",
        ),
        judged(
            "limits.connections",
            2,
            connections(settings),
            "leave the settings of server.connections as they are by default",
        ),
    ]
}

/// Tries with `attempt` until it is refused for coming too often, and once more than may be at most.
/// Returns how many were answered.
async fn answered(
    probe: &Probe,
    attempts_max: usize,
    attempt: impl Fn() -> Asking,
) -> Result<usize, String> {
    for count in 0..=attempts_max {
        let answer = probe.ask_limited(attempt()).await;
        if answer.status == 429 {
            let tells = answer.header("retry-after").is_some();
            return if tells {
                Ok(count)
            } else {
                Err("it is not told how long to wait".to_owned())
            };
        }
    }
    Err(format!("{} in a row were all answered", attempts_max + 1))
}

async fn passwords(probe: &Probe) -> Found {
    let page = probe.account(Role::Viewer).await?;
    let address = probe.another_address();
    let attempt = || probe.signing_in(&page.user_name, "a wrong password").from(address);
    let count = answered(probe, GUESSES_MAX, attempt).await?;
    let right = probe.signing_in(&page.user_name, &page.password);
    if probe.ask_limited(right.from(address)).await.status != 429 {
        return Err(format!("after {count} wrong passwords the right one is answered"));
    }
    let owner = probe.signing_in(&page.user_name, &page.password);
    if probe.ask_limited(owner).await.status != 200 {
        return Err("somebody elsewhere who guesses keeps the owner out".to_owned());
    }
    Ok(format!("{count} wrong passwords are answered, then the right one neither; others go on"))
}

async fn codes(probe: &Probe) -> Found {
    let (page, _) = probe.administrator().await?;
    let answer = probe.ask(probe.signing_in(&page.user_name, &page.password)).await;
    let owing: Page = answer.page(&page.user_name, &page.password)?;
    // From another address each time: codes count by account.
    let attempt = || {
        let asking = probe.asking(Method::POST, "/api/v1/auth/2fa/verify").of(&owing);
        asking.document(&json!({"code": "000000"}))
    };
    let count = answered(probe, GUESSES_MAX, attempt).await?;
    Ok(format!("{count} wrong codes are answered, wherever they come from"))
}

async fn made_up_addresses(probe: &Probe) -> Found {
    let address = probe.another_address();
    let attempt = || {
        let made_up = probe.another_address().to_string();
        let asking = probe.signing_in("nobody-of-this-name", "a wrong password").from(address);
        asking.header("x-forwarded-for", made_up.clone()).header("x-real-ip", made_up)
    };
    let count = answered(probe, GUESSES_MAX, attempt).await?;
    Ok(format!("{count} attempts are answered, whatever address the client makes up"))
}

fn proxies(settings: &ServerSettings) -> Found {
    let is_wide = |network: &&IpNet| match network {
        IpNet::V4(network) => network.prefix_len() < PREFIX_MIN.0,
        IpNet::V6(network) => network.prefix_len() < PREFIX_MIN.1,
    };
    match settings.trusted_proxies.iter().find(is_wide) {
        Some(network) => Err(format!("the word of everybody in {network} is taken")),
        None => Ok(format!("{} networks of proxies are trusted", settings.trusted_proxies.len())),
    }
}

async fn requests(probe: &Probe, path: &'static str, requests_max: usize) -> Found {
    let page = probe.account(Role::Viewer).await?;
    let address: IpAddr = probe.another_address();
    let attempt = || probe.asking(Method::GET, path).of(&page).from(address);
    let count = answered(probe, requests_max, attempt).await?;
    Ok(format!("{count} requests for {path} in a row are answered"))
}

async fn bodies(probe: &Probe) -> Found {
    let mut all = All::of("bodies that are too much were refused");
    let large = "x".repeat(1024 * 1024);
    let nested = "[".repeat(50_000);
    let fields = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(5_000));
    for (what, body, statuses) in [
        ("one of a mebibyte", large, &[413][..]),
        ("one of 50,000 brackets", nested, &[400, 422]),
        ("one with a field 5,000 times", fields, &[400, 422]),
    ] {
        let asking = probe.asking(Method::POST, "/api/v1/auth/login");
        let asking = Asking { body, ..asking.header("content-type", "application/json") };
        let answer = probe.ask(asking).await;
        all.take(statuses.contains(&answer.status), || {
            format!("{what}, which answered {}", answer.what())
        });
    }
    all.found()
}

fn connections(settings: &ServerSettings) -> Found {
    let limits = settings.connections;
    let told = format!(
        "{} connections, {} of one address, {} s for a head, {} s for a body",
        limits.connections_max,
        limits.connections_per_address_max,
        limits.head_time_max.as_secs(),
        limits.body_time_max.as_secs()
    );
    let is_bounded = limits.head_time_max <= TIME_MAX
        && limits.body_time_max <= TIME_MAX
        && limits.connections_per_address_max <= PER_ADDRESS_MAX;
    if is_bounded { Ok(told) } else { Err(told) }
}
