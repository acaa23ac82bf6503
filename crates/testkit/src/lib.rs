//! Synthetic bars, tables with a known rule, a server that misbehaves, a Redis, a database. A dev-dependency only.

pub mod bars;
#[cfg(feature = "http")]
pub mod http_server;
pub mod postgres_database;
pub mod redis_server;
pub mod table;
