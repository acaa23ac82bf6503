//! Files on this machine, behind the same trait as the services: a piece a file.

use std::path::{Path, PathBuf};

use bist_market::Source;
use jiff::Timestamp;

use crate::bulletin::read_bulletin;
use crate::csv::read_csv;
use crate::discover::{FileFormat, discover};
use crate::error::FeedError;
use crate::fetch_error::FetchError;
use crate::http::BreakerState;
use crate::isyatirim::actions_csv::read_actions_csv;
use crate::parquet::read_parquet;
use crate::provider::{
    Batch, Content, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted,
};

/// Files, folders and patterns of one format.
#[derive(Clone, Debug)]
pub struct FileProvider {
    source: Source,
    format: FileFormat,
    paths: Vec<String>,
}

impl FileProvider {
    /// Reads what [`discover`] finds at `paths`, as files of `vendor` or of their format.
    pub fn new(format: FileFormat, vendor: Option<Source>, paths: Vec<String>) -> Self {
        let source = vendor.unwrap_or(match format {
            FileFormat::Csv | FileFormat::Actions => Source::CSV,
            FileFormat::Parquet => Source::PARQUET,
            FileFormat::Bulletin => Source::BULLETIN,
        });
        Self { source, format, paths }
    }
}

impl Provider for FileProvider {
    fn source(&self) -> Source {
        self.source
    }

    /// Every file once, whatever is wanted: what is in it, only reading it tells.
    fn plan(&self, _wanted: &Wanted, _now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        let mut found: Vec<PathBuf> = Vec::new();
        for path in &self.paths {
            for file in discover(path, self.format)? {
                if !found.contains(&file) {
                    found.push(file);
                }
            }
        }
        let piece = |file: PathBuf| Piece {
            key: file.display().to_string(),
            scope: Scope::File(file),
            is_final: false,
        };
        Ok(found.into_iter().map(piece).collect())
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, _known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            let Scope::File(file) = &piece.scope else {
                let reason = format!("'{}' is no file", piece.key);
                return Err(FetchError::NotOffered { source_name: self.source, reason });
            };
            let batch = read_elsewhere(self.format, file.clone()).await?;
            let content = Content::Data(Box::new(batch));
            Ok(Fetched { content, validators: Validators::default(), next: None })
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        None
    }
}

/// Reads the file without holding up the tasks of this thread.
async fn read_elsewhere(format: FileFormat, file: PathBuf) -> Result<Batch, FeedError> {
    match tokio::task::spawn_blocking(move || read(format, &file)).await {
        Ok(batch) => batch,
        // Nobody cancels it, so it panicked, and this task goes the same way.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn read(format: FileFormat, file: &Path) -> Result<Batch, FeedError> {
    match format {
        FileFormat::Csv => read_csv(file).map(Batch::from),
        FileFormat::Parquet => read_parquet(file).map(Batch::from),
        FileFormat::Bulletin => read_bulletin(file),
        FileFormat::Actions => read_actions_csv(file),
    }
}
