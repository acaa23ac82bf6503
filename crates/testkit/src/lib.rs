//! Synthetic bars, tables with a known rule, a clock, servers and proxies that misbehave, an object store, a Redis, a database. A dev-dependency only.

pub mod bars;
#[cfg(feature = "http")]
pub mod broker;
pub mod hand_clock;
#[cfg(feature = "http")]
pub mod http_server;
#[cfg(feature = "http")]
pub mod object_store;
pub mod postgres_database;
#[cfg(unix)]
pub mod postgres_server;
pub mod redis_server;
pub mod table;
#[cfg(feature = "http")]
pub mod tcp_proxy;
