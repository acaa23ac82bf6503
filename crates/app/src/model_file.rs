//! A model version as a file, by which it goes from one data directory to another.

mod archive;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bist_access::AuditAction;
use bist_lifecycle::{FittedModel, ModelVersion, StateChange};
use bist_market::{Origin, Snapshot};
use bist_models::FittedForecaster as _;
use bist_store::{AuditNote, Registration, StoreError};
use serde::Serialize;
use serde_json::json;

use self::archive::{Entries, Entry, document, pack, parse, unpack};
use crate::out_file::{Existing, OutFileError, refuse_existing, write_out};
use crate::reason::ReasonError;
use crate::registry::Asked;
use crate::{App, blocking};

pub use archive::FileFault;

/// Why a version was not exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// The file to write is there already, or cannot be written.
    #[error(transparent)]
    Out(#[from] OutFileError),
    /// The file cannot be read.
    #[error("the file {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not one of a model that fits here.
    #[error("the file {path} is refused, and nothing was kept: {fault}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// The reason is none.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// The artefact cannot be had or kept, or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A version that was written to a file.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedModel {
    /// The version.
    pub model_version: String,
    /// The file.
    pub file: PathBuf,
    /// How large it is.
    pub size_bytes: u64,
    /// Whether what is kept of its bars is in it, without which it cannot be made again elsewhere.
    pub has_snapshot: bool,
}

/// A version that came in by a file.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedModel {
    /// The version as it stands here.
    pub version: ModelVersion,
    /// Whether it was here before, and so stands where it stood.
    pub was_there: bool,
    /// Its changes of state where it came from, which are not those of this registry.
    pub changes_elsewhere: Vec<StateChange>,
}

/// What a file holds, checked.
struct Content {
    version: ModelVersion,
    artifact: Vec<u8>,
    changes: Vec<StateChange>,
    snapshot: Option<Snapshot>,
}

/// What goes on record of a version that is written to the file `path`, before it is.
pub(crate) fn exported(version: &ModelVersion, format: &str, path: &Path) -> AuditNote {
    let details = [("format", json!(format)), ("file", json!(path.display().to_string()))];
    AuditNote::new(AuditAction::ModelExported, format!("model:{}", version.id), details)
}

impl App {
    /// Writes `version` with its artefact, its history and what is kept of its bars to the file
    /// `path`, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ModelFileError::Out`] of a file that is to be kept, and the others as named.
    pub async fn export_model(
        &self,
        version: ModelVersion,
        path: &Path,
        existing: Existing,
    ) -> Result<ExportedModel, ModelFileError> {
        refuse_existing(path, existing)?;
        let artifact = self.store.artifact(&version).await?;
        let snapshot = self.store.snapshot(&version.lineage.snapshot_hash).await?;
        let with_history = self.with_history(version).await?;
        self.put_on_record(exported(&with_history.version, "bist", path)).await?;
        let (path, exported_at) = (path.to_owned(), self.now());
        blocking(move || {
            let packed = || {
                let mut entries = Entries::from([
                    (Entry::Version, document(&with_history.version)?),
                    (Entry::Artifact, artifact),
                    (Entry::Changes, document(&with_history.changes)?),
                ]);
                if let Some(snapshot) = &snapshot {
                    entries.insert(Entry::Snapshot, document(snapshot)?);
                }
                pack(&entries, exported_at)
            };
            let mut size_bytes = 0;
            write_out(&path, existing, |file| {
                let bytes = packed()?;
                size_bytes = bytes.len() as u64;
                file.write_all(&bytes)
            })?;
            Ok(ExportedModel {
                model_version: with_history.version.id,
                file: path,
                size_bytes,
                has_snapshot: snapshot.is_some(),
            })
        })
        .await
    }

    /// Takes the version in the file `path` in as a candidate, whatever it was elsewhere; one that is
    /// here stands where it stood.
    ///
    /// # Errors
    ///
    /// [`ModelFileError::Refused`] of a file that is damaged, was changed, or holds a model that does
    /// not fit this program or these data; nothing is kept then.
    pub async fn import_model(
        &self,
        path: &Path,
        asked: Asked<'_>,
    ) -> Result<ImportedModel, ModelFileError> {
        let mut signed = self.signed(asked)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        signed.reason = format!("imported from {name}: {}", signed.reason);
        let refused = |fault| ModelFileError::Refused { path: path.to_owned(), fault };

        let file = File::open(path)
            .map_err(|source| ModelFileError::Read { path: path.to_owned(), source })?;
        let content = blocking(move || Content::of(unpack(file)?)).await.map_err(refused)?;
        let Content { version, artifact, changes, snapshot } = content;
        check_origin(version.origin, self.store.origin().await?).map_err(refused)?;
        let there = self.store.model_version(&version.id).await?;
        if let Some(there) = &there
            && there.artifact_sha256 != version.artifact_sha256
        {
            let problem = "another model has that name here; train one anew";
            return Err(refused(Entry::Version.wrong("id", problem)));
        }

        if let Some(snapshot) = &snapshot {
            self.store.save_snapshot(&version.lineage.snapshot_hash, snapshot).await?;
        }
        let versions = [(version, artifact)];
        let mut kept = self
            .store
            .register(&versions, Registration::Candidates, &signed, &self.audit().await?)
            .await?;
        Ok(ImportedModel {
            version: kept.remove(0),
            was_there: there.is_some(),
            changes_elsewhere: changes,
        })
    }
}

impl Content {
    /// What `entries` hold, if they belong together and fit this program.
    fn of(mut entries: Entries) -> Result<Self, FileFault> {
        let mut take = |entry: Entry| entries.remove(&entry);
        let mut wanted = |entry: Entry| take(entry).ok_or(FileFault::Missing(entry.name()));
        let version = parse(Entry::Version.name(), &wanted(Entry::Version)?)?;
        let artifact = wanted(Entry::Artifact)?;
        let changes = parse(Entry::Changes.name(), &wanted(Entry::Changes)?)?;
        let snapshot =
            take(Entry::Snapshot).map(|bytes| parse(Entry::Snapshot.name(), &bytes)).transpose()?;
        let content = Self { version, artifact, changes, snapshot };
        content.check()?;
        Ok(content)
    }

    fn check(&self) -> Result<(), FileFault> {
        let Self { version, artifact, changes, .. } = self;
        let wrong = |field, problem: &str| Err(Entry::Version.wrong(field, problem));
        if !version.owns(artifact) {
            return wrong("artifact_sha256", "it is not that of artifact.json; export it anew");
        }
        if !version.is_named_truly() {
            let problem = "it is not the name of this lineage and artefact, so that one of them was \
                           changed; export it anew";
            return wrong("id", problem);
        }
        let model = FittedModel::from_bytes(artifact)
            .map_err(|error| Entry::Artifact.wrong("model", error.to_string()))?;
        let ModelVersion { kind, lineage, evaluation, .. } = version;
        let horizon = lineage.spec.horizon;
        if evaluation.horizon != horizon {
            return wrong("evaluation.horizon", "it is not that of lineage.spec");
        }
        if model.horizon != horizon {
            return Err(Entry::Artifact.wrong("horizon", "it is not that of lineage.spec"));
        }
        if kind != FittedModel::KIND || evaluation.kind != *kind {
            return wrong("kind", "this program makes no such models; train one anew");
        }
        let of_program = lineage.spec.features.names(horizon.interval());
        let problem = "they are not the features that this program makes; train a model anew";
        if lineage.feature_names != of_program {
            return wrong("lineage.feature_names", problem);
        }
        if model.members.gbdt.feature_names() != of_program {
            return Err(Entry::Artifact.wrong("members.gbdt", problem));
        }
        match changes.iter().position(|change| change.version != version.id) {
            None => Ok(()),
            Some(at) => {
                let field = format!("[{at}].version");
                Err(Entry::Changes.wrong(field, "it is another version; export it anew"))
            }
        }
    }
}

/// A model of generated data stays with generated data, and one of real data with real ones.
fn check_origin(of_model: Origin, held: Option<Origin>) -> Result<(), FileFault> {
    let problem = match held {
        Some(held) if held == of_model => return Ok(()),
        Some(held) => format!(
            "it learned from {of_model} data, and the data directory holds {held} data; import it into \
             another one with --data-dir"
        ),
        None => format!(
            "it learned from {of_model} data, and the data directory has no bars yet; bring some in \
             first, with `bist ingest` or `bist sample`"
        ),
    };
    Err(Entry::Version.wrong("origin", problem))
}
