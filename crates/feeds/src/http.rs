//! Asking a server politely: retries, a circuit breaker, a pace, conditional requests, limits.
//!
//! An [`HttpClient`] belongs to one source. [`HttpClient::send`] waits for its turn, asks, retries
//! what is worth retrying, and gives an [`Answer`] of the expected kind or a
//! [`crate::FetchError`]. It understands nothing of what it fetched; that is the provider's part.
//!
//! Proxies that the environment names (`HTTPS_PROXY` and others) are not used: what decides where
//! a request goes stands in the configuration, as [`crate::SourceSettings::proxy_url`].

mod attempt;
mod client;
mod cookies;
mod kind;
mod pace;
mod redirect;
mod request;
pub(crate) mod retry;
mod shown;
pub(crate) mod socket;
mod waits;

pub use bist_market::breaker::BreakerState;
pub use client::HttpClient;
pub use request::{Answer, Expects, Method, Request};
pub(crate) use shown::shown;
pub use waits::{SystemWaits, Waiting, Waits};
