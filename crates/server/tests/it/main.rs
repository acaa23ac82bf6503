//! Requests through the whole stack: real router, real database, fixed clock.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod access;
mod admin;
mod api_keys;
mod authenticator;
mod backups;
mod bars;
mod connections;
mod data_quality;
mod edge;
mod errors;
mod every_answer;
mod experiments;
mod explanations;
mod forecasts;
mod health;
mod jobs;
mod live;
mod live_doors;
mod live_edges;
mod market;
mod market_view;
mod metrics;
mod models;
mod openapi;
mod orders;
mod ownership;
mod page;
mod passkeys;
mod pattern;
mod personal;
mod portfolios;
mod quotes;
mod record;
mod recovery_point;
mod registry;
mod schema_check;
mod serve;
mod sessions;
mod signals;
mod studies;
mod symbols;
mod test_app;
mod users;
