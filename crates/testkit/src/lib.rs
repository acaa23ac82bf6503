//! Synthetic bars, tables with a known rule, servers that misbehave, a Redis, a database. A dev-dependency only.

pub mod bars;
#[cfg(feature = "http")]
pub mod broker;
#[cfg(feature = "http")]
pub mod http_server;
pub mod postgres_database;
pub mod redis_server;
pub mod table;
