//! Synthetic bars, tables with a known rule, a server that misbehaves, a Redis. A dev-dependency only.

pub mod bars;
#[cfg(feature = "http")]
pub mod http_server;
pub mod redis_server;
pub mod table;
