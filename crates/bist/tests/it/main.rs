//! The binary as its users meet it, and the tree that it is built from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod acme;
mod audit;
mod backed_up;
mod backup;
#[cfg(unix)]
mod backup_log;
mod cli;
#[cfg(unix)]
mod damaged_log;
mod decisions;
mod doctor;
mod edge;
mod explain;
#[cfg(target_os = "linux")]
mod fault_run;
mod gate;
mod hourly;
mod http;
mod installation;
mod kills;
mod live;
mod metrics;
mod model_file;
mod models;
mod object_store;
#[cfg(target_os = "linux")]
mod postgres_tls;
mod record;
mod retraining;
mod scale_out;
mod secrets;
mod services;
mod sign_in;
mod studies;
#[cfg(unix)]
mod swap;
mod tidy;
mod tune;
#[cfg(unix)]
mod usage;
