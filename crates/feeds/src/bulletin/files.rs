//! Bulletins that the user has on this machine: archives and tables, however they are named.

use std::path::Path;

use bist_market::Source;
use jiff::Timestamp;

use super::read_bulletin;
use crate::discover::discover_any;
use crate::fetch_error::FetchError;
use crate::http::BreakerState;
use crate::provider::{
    Batch, Content, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted,
};

/// Files, folders and patterns of bulletins; a piece a file.
#[derive(Clone, Debug)]
pub struct BulletinFiles {
    paths: Vec<String>,
}

impl BulletinFiles {
    /// Reads what [`crate::discover()`] would find at `paths`; of a folder `.zip` and `.csv`.
    pub fn new(paths: Vec<String>) -> Self {
        Self { paths }
    }
}

impl Provider for BulletinFiles {
    fn source(&self) -> Source {
        Source::BULLETIN
    }

    /// Every file, whatever days are wanted: which day it is of, only reading it tells.
    fn plan(&self, _wanted: &Wanted, _now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        let mut pieces: Vec<Piece> = Vec::new();
        for path in &self.paths {
            for file in discover_any(path, &["zip", "csv"], "zip or .csv")? {
                let key = file.display().to_string();
                if pieces.iter().all(|piece| piece.key != key) {
                    pieces.push(Piece { key, scope: Scope::File(file), is_final: false });
                }
            }
        }
        Ok(pieces)
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, _known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            let Scope::File(file) = &piece.scope else {
                let reason = format!("'{}' is no file", piece.key);
                return Err(FetchError::NotOffered { source_name: Source::BULLETIN, reason });
            };
            let batch = read_elsewhere(file).await?;
            let content = Content::Data(Box::new(batch));
            Ok(Fetched { content, validators: Validators::default(), next: None })
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        None
    }
}

/// Reads the file without holding up the tasks of this thread.
async fn read_elsewhere(file: &Path) -> Result<Batch, FetchError> {
    let file = file.to_owned();
    match tokio::task::spawn_blocking(move || read_bulletin(&file)).await {
        Ok(read) => Ok(read?),
        // Nobody cancels it, so it panicked, and this task goes the same way.
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
