//! One module a noun: parse the request, call one use case, shape the answer.

pub(crate) mod admin;
pub(crate) mod alerts;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod backups;
pub(crate) mod bars;
pub(crate) mod data_quality;
pub(crate) mod docs;
pub(crate) mod experiments;
pub(crate) mod explanations;
pub(crate) mod forecasts;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod live;
pub(crate) mod market;
pub(crate) mod models;
pub(crate) mod scenarios;
pub(crate) mod screener;
pub(crate) mod signals;
pub(crate) mod studies;
pub(crate) mod symbols;
pub(crate) mod user_settings;
pub(crate) mod users;
pub(crate) mod watchlists;
