//! Who may do what: one row for each operation of the API. An operation without a row is for nobody.

use std::fmt;

use axum::http::Method;
use bist_access::Role;

/// What somebody needs for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it is for everybody.
    Nothing,
    /// A session, even one that owes the code.
    Session,
    /// A session of somebody who has signed in; no API key will do.
    Person,
    /// The role, by a session or by an API key with its scope.
    Role(Role),
    /// The role, by a session in which a code was given a moment ago; no API key will do.
    FreshCode(Role),
    /// An API key, whatever its scopes: what is asked for is about it.
    Key,
    /// To ask from this machine, or the token of those who watch; the handler looks.
    Watcher,
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Session => f.write_str("session"),
            Self::Person => f.write_str("person"),
            Self::Role(role) => write!(f, "{role}"),
            Self::FreshCode(role) => write!(f, "{role} with a fresh code"),
            Self::Key => f.write_str("key"),
            Self::Watcher => f.write_str("watcher"),
        }
    }
}

use Needs::{FreshCode, Key, Nothing, Person, Session, Watcher};
use Role::{Admin, Analyst, Trader, Viewer};

/// An operation and what it needs.
pub(crate) type Row = (Method, &'static str, Needs);

/// All operations, by path.
pub(crate) const TABLE: &[Row] = &[
    (Method::POST, "/api/v1/activity", Person),
    (Method::GET, "/api/v1/admin/activity", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/activity.csv", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/activity/summary", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/api-usage", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/api-usage.csv", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/api-usage/series", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/backups", Needs::Role(Admin)),
    (Method::POST, "/api/v1/admin/backups", FreshCode(Admin)),
    (Method::POST, "/api/v1/admin/backups/drill", FreshCode(Admin)),
    (Method::POST, "/api/v1/admin/backups/restore", FreshCode(Admin)),
    (Method::GET, "/api/v1/admin/errors", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/errors/{id}", Needs::Role(Admin)),
    (Method::POST, "/api/v1/admin/errors/{id}/state", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/overview", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/rate-limits", Needs::Role(Admin)),
    (Method::GET, "/api/v1/admin/trading", Needs::Role(Admin)),
    (Method::POST, "/api/v1/admin/trading/halt", FreshCode(Admin)),
    (Method::POST, "/api/v1/admin/trading/resume", FreshCode(Admin)),
    (Method::GET, "/api/v1/alerts", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/alerts/channels", Person),
    (Method::DELETE, "/api/v1/alerts/channels/{channel}", FreshCode(Viewer)),
    (Method::POST, "/api/v1/alerts/channels/{channel}", FreshCode(Viewer)),
    (Method::POST, "/api/v1/alerts/channels/{channel}/test", Person),
    (Method::POST, "/api/v1/alerts/read", Person),
    (Method::GET, "/api/v1/alerts/rules", Needs::Role(Viewer)),
    (Method::POST, "/api/v1/alerts/rules", Person),
    (Method::DELETE, "/api/v1/alerts/rules/{rule}", Person),
    (Method::PATCH, "/api/v1/alerts/rules/{rule}", Person),
    (Method::DELETE, "/api/v1/api-keys/{key}", FreshCode(Viewer)),
    (Method::GET, "/api/v1/api-keys", Person),
    (Method::POST, "/api/v1/api-keys", FreshCode(Viewer)),
    (Method::POST, "/api/v1/api-keys/successor", Key),
    (Method::POST, "/api/v1/api-keys/{key}/collect", FreshCode(Viewer)),
    (Method::POST, "/api/v1/api-keys/{key}/rotate", FreshCode(Viewer)),
    (Method::GET, "/api/v1/audit", Needs::Role(Admin)),
    (Method::GET, "/api/v1/audit/verification", Needs::Role(Admin)),
    (Method::POST, "/api/v1/auth/2fa/confirm", Person),
    (Method::POST, "/api/v1/auth/2fa/disable", Person),
    (Method::POST, "/api/v1/auth/2fa/setup", Person),
    (Method::POST, "/api/v1/auth/2fa/verify", Session),
    (Method::GET, "/api/v1/auth/history", Person),
    (Method::POST, "/api/v1/auth/invitation", Nothing),
    (Method::POST, "/api/v1/auth/invitation/check", Nothing),
    (Method::POST, "/api/v1/auth/login", Nothing),
    (Method::POST, "/api/v1/auth/logout", Session),
    (Method::GET, "/api/v1/auth/passkeys", Person),
    (Method::POST, "/api/v1/auth/passkeys", Person),
    (Method::POST, "/api/v1/auth/passkeys/assertion", Session),
    (Method::POST, "/api/v1/auth/passkeys/registration", Person),
    (Method::POST, "/api/v1/auth/passkeys/{passkey}/remove", FreshCode(Viewer)),
    (Method::POST, "/api/v1/auth/password", Person),
    (Method::POST, "/api/v1/auth/recovery-codes", FreshCode(Viewer)),
    (Method::GET, "/api/v1/auth/session", Session),
    (Method::DELETE, "/api/v1/auth/sessions", Person),
    (Method::GET, "/api/v1/auth/sessions", Person),
    (Method::DELETE, "/api/v1/auth/sessions/{session}", Person),
    (Method::POST, "/api/v1/auth/step-up", Person),
    (Method::GET, "/api/v1/bars", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/data-quality", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/data-quality/findings", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/data-quality/freshness", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/data-quality/history", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/data-quality/sources", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/data-quality/{symbol}", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/data-quality/{symbol}/reconciliation", Needs::Role(Viewer)),
    (Method::POST, "/api/v1/errors", Person),
    (Method::GET, "/api/v1/experiments", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/experiments/{id}", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/explanations", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/explanations/summary", Needs::Role(Viewer)),
    (Method::POST, "/api/v1/explanations/what-if", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/explanations/{signal}", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/forecasts", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/jobs", Needs::Role(Viewer)),
    (Method::POST, "/api/v1/jobs", Needs::Role(Analyst)),
    (Method::GET, "/api/v1/jobs/{run}", Needs::Role(Viewer)),
    (Method::POST, "/api/v1/jobs/{run}/cancel", Needs::Role(Analyst)),
    (Method::POST, "/api/v1/jobs/{run}/retry", Needs::Role(Analyst)),
    (Method::GET, "/api/v1/live", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/live/events", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/live/poll", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/market/calendar", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/market/overview", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/market/regime", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/market/rules", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/market/sectors", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/models", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/models/{version}", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/models/{version}/card", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/models/{version}/card.md", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/models/{version}/diff", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/orders", Needs::Role(Trader)),
    (Method::POST, "/api/v1/orders", Needs::Role(Trader)),
    (Method::POST, "/api/v1/orders/preview", Needs::Role(Trader)),
    (Method::DELETE, "/api/v1/orders/{order}", Needs::Role(Trader)),
    (Method::GET, "/api/v1/orders/{order}", Needs::Role(Trader)),
    (Method::GET, "/api/v1/portfolios", Needs::Role(Trader)),
    (Method::POST, "/api/v1/portfolios", Needs::Role(Trader)),
    (Method::GET, "/api/v1/portfolios/{portfolio}", Needs::Role(Trader)),
    (Method::POST, "/api/v1/portfolios/{portfolio}/close", Needs::Role(Trader)),
    (Method::GET, "/api/v1/portfolios/{portfolio}/days", Needs::Role(Trader)),
    (Method::GET, "/api/v1/portfolios/{portfolio}/events", Needs::Role(Trader)),
    (Method::GET, "/api/v1/scenarios", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/screener", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/settings", Needs::Role(Viewer)),
    (Method::PATCH, "/api/v1/settings", Person),
    (Method::GET, "/api/v1/signals", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/signals/record", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/signals/served", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies/{study}", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies/{study}/history", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies/{study}/importances", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies/{study}/parallel-coordinates", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies/{study}/pareto", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies/{study}/slice", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/studies/{study}/trials", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/symbols", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/symbols/{symbol}", Needs::Role(Viewer)),
    (Method::GET, "/api/v1/users", Needs::Role(Admin)),
    (Method::POST, "/api/v1/users", FreshCode(Admin)),
    (Method::DELETE, "/api/v1/users/{user}", FreshCode(Admin)),
    (Method::PATCH, "/api/v1/users/{user}", FreshCode(Admin)),
    (Method::GET, "/api/v1/users/{user}/export", FreshCode(Admin)),
    (Method::POST, "/api/v1/users/{user}/reset", FreshCode(Admin)),
    (Method::DELETE, "/api/v1/users/{user}/second-factor", FreshCode(Admin)),
    (Method::DELETE, "/api/v1/users/{user}/sessions", FreshCode(Admin)),
    (Method::GET, "/api/v1/watchlists", Needs::Role(Viewer)),
    (Method::POST, "/api/v1/watchlists", Person),
    (Method::DELETE, "/api/v1/watchlists/{watchlist}", Person),
    (Method::PATCH, "/api/v1/watchlists/{watchlist}", Person),
    (Method::GET, "/health/live", Nothing),
    (Method::GET, "/health/ready", Nothing),
    (Method::GET, "/metrics", Watcher),
];

/// What `method` on the route `path` needs; `None` when there is no row.
pub(crate) fn needs(method: &Method, path: &str) -> Option<Needs> {
    // HEAD is GET without a body.
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let row = TABLE.iter().find(|(known, route, _)| known == method && *route == path);
    row.map(|(_, _, needs)| *needs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::router::operations;

    #[test]
    fn every_operation_has_a_row_and_every_row_an_operation() {
        let (_, description) = operations();
        let mut described = BTreeSet::new();
        for (path, item) in &description.paths.paths {
            let methods = [
                (Method::GET, item.get.is_some()),
                (Method::POST, item.post.is_some()),
                (Method::PUT, item.put.is_some()),
                (Method::PATCH, item.patch.is_some()),
                (Method::DELETE, item.delete.is_some()),
            ];
            let there = methods.into_iter().filter(|(_, is_there)| *is_there);
            described.extend(there.map(|(method, _)| format!("{method} {path}")));
        }
        let rows: Vec<String> =
            TABLE.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
        let table: BTreeSet<String> = rows.iter().cloned().collect();
        assert_eq!(rows.len(), table.len(), "a row stands twice");
        assert_eq!(described, table, "left: the router, right: the table");
    }

    #[test]
    fn what_has_no_row_is_for_nobody() {
        assert_eq!(needs(&Method::PUT, "/api/v1/users"), None);
        assert_eq!(needs(&Method::HEAD, "/api/v1/users"), Some(Needs::Role(Admin)));
    }
}
