//! Market data from outside: files, HTTP sources, and sources of prices of this moment.
//!
//! What is stored comes through a [`Provider`], and what is only shown through a [`LiveSource`].
//!
//! A source over HTTP is asked by its [`HttpClient`], which keeps the pace of its
//! [`SourceSettings`], retries what is worth it and leaves a failing source alone.
//!
//! Turns a file into the rows it holds and nothing more: [`discover()`] finds the files,
//! [`read_csv`] and [`read_parquet`] read one of them into [`FileBars`]. A file that cannot be
//! understood as a whole is a [`FeedError`] that names line and column, and gives no bars at all;
//! a row that cannot become a bar is handed on as a [`bist_market::RefusedRow`]. Whether the bars
//! make sense is not asked here, that is [`bist_market::validate()`]'s question.
//!
//! ```
//! let file = std::env::temp_dir().join("THYAO.IS.csv");
//! std::fs::write(&file, "Tarih;Açılış;Yüksek;Düşük;Kapanış;Hacim\n05.01.2026;270,5;274;270;273,25;1.250.000\n")?;
//!
//! let read = bist_feeds::read_csv(&file)?;
//! assert_eq!(read.rows_read, 1);
//! assert_eq!(read.series[0].symbol.as_str(), "THYAO");
//! assert_eq!(read.series[0].bars[0].close_units, 2_732_500);
//! assert_eq!(read.series[0].bars[0].volume_shares, Some(1_250_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod algolab;
mod bounded;
pub mod bulletin;
pub mod credential;
pub mod csv;
mod day_rows;
mod decimal;
pub mod discover;
pub mod error;
pub mod evds;
pub mod fetch_error;
pub mod file_bars;
pub mod files;
mod header;
pub mod http;
pub mod isyatirim;
mod json;
pub mod kap;
pub mod live_source;
mod moment;
pub mod parquet;
pub mod polling;
pub mod provider;
mod rows;
pub mod services;
pub mod settings;
mod spans;
pub mod tcmb_rates;
pub mod yahoo;

pub use algolab::{AlgoLab, AlgoLabSettings};
pub use bulletin::{BulletinProvider, parse_bulletin_csv, parse_bulletin_zip, read_bulletin};
pub use credential::Credential;
pub use csv::read_csv;
pub use discover::{FileFormat, discover};
pub use error::{BrokenFile, Fault, FeedError, Place};
pub use fetch_error::FetchError;
pub use file_bars::{FileBars, FileNote};
pub use files::FileProvider;
pub use http::{Answer, Expects, HttpClient, Method, Request, SystemWaits, Waits};
pub use isyatirim::actions_csv::read_actions_csv;
pub use isyatirim::{IsYatirimProvider, adjustment_changed, parse_hisse_tekil, parse_sermaye};
pub use kap::KapStrategy;
pub use live_source::{Following, Heard, LiveSource, LiveTally, NobodyListens};
pub use parquet::read_parquet;
pub use polling::{PollingSettings, PollingSource};
pub use provider::{Batch, Content, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted};
pub use services::{SERVICES, providers};
pub use settings::{SettingsError, SourceSection, SourceSettings};
pub use yahoo::level_changed;
