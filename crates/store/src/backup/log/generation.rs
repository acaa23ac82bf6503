//! A generation while it is followed: its base, and what is added to it.

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use super::base;
use super::folder::{LogNote, generation_of, piece_name, read_note, write_note};
use super::follower::{Shared, Ticked};
use super::frames::{FRAME_HEAD_LEN, Fault, Head, Position, read_after};
use super::spool::Spool;
use crate::artifacts::on_disk;
use crate::backup::archive::Source;
use crate::backup::error::BackupError;
use crate::backup::manifest::{
    ARTIFACTS, AUDIT_ROOTS, BackupManifest, DATABASE, FORMAT_OF_PIECES, LogPiece, PAGES,
};
use crate::backup::write_archive;
use crate::db::{LogConnections, WalIndex};

/// A generation, up to where it has come.
#[derive(Debug)]
pub(super) struct Following {
    name: String,
    folder: PathBuf,
    /// What is not shipped yet lies there; gone with this.
    work: TempDir,
    pub(super) begun_at: Timestamp,
    connections: LogConnections,
    index: Arc<WalIndex>,
    position: Position,
    page_size: u32,
    /// Pages that were read and not shipped; nothing while they are being worked on.
    spool: Option<Spool>,
    note: LogNote,
    schema_version: i64,
    /// The artefacts that it has, by their hashes, and the versions whose artefacts are nowhere.
    shipped: BTreeSet<String>,
    missing: BTreeSet<String>,
    /// The roots of the audit that it has, as their hash.
    roots_sha256: Option<String>,
}

/// An entry of a piece, and the file that it is made of.
type Files = Vec<(String, PathBuf)>;

/// Begins a generation: writes its base, while everybody goes on.
pub(super) async fn begin(shared: Arc<Shared>) -> Result<Following, BackupError> {
    let shown_from = shared.clock.now();
    let name = generation_of(shown_from);
    let folder = shared.plan.folder.generation_folder(&name);
    let work = TempDir::new_in(shared.work.path());
    let work = work.map_err(|source| BackupError::file(shared.work.path(), source))?;
    // Before the database is looked at, so that every root is one of the chain in it.
    let small = shared.store.small_files(work.path(), shared.plan.configuration.as_deref())?;
    let connections = shared.store.reader.log_connections().await;
    let mut connections = connections.ok_or(BackupError::LogOfServer)??;
    // What can be folded while writers write, they need not wait for.
    connections.fold().await?;
    let index = Arc::new(open_index(&shared.database)?);
    connections.begin_alone().await?;
    let pinned = async {
        let is_folded = connections.fold_unpinned().await?;
        connections.pin().await?;
        let head = head_of(&index, &shared.wal).await?;
        Ok::<_, BackupError>((is_folded, head, shared.clock.now()))
    };
    let pinned = pinned.await;
    connections.end_alone().await?;
    let (is_folded, head, shown_until) = pinned?;

    let copied = {
        let (shared, to) = (Arc::clone(&shared), work.path().join(DATABASE));
        on_disk(move || base::copy(&shared.database, &shared.wal, &head, is_folded, &to)).await
    };
    let copied = copied.map_err(|fault| match fault {
        Fault::Gap(_) => BackupError::Changed(shared.database.display().to_string()),
        Fault::Failed(error) => error,
    })?;
    let mut following = Following {
        position: Position::at(&head).with_pages(copied.pages_count),
        page_size: copied.page_size,
        spool: None,
        note: LogNote {
            from: shown_until,
            until: shown_until,
            looked_at: shown_from,
            newest: 0,
            newest_sha256: String::new(),
            verified_at: None,
        },
        schema_version: shared.store.standing().await?.migration,
        begun_at: shown_from,
        shipped: BTreeSet::new(),
        missing: BTreeSet::new(),
        roots_sha256: None,
        name,
        folder,
        work,
        connections,
        index,
    };
    let database = following.work.path().join(DATABASE);
    let mut files = vec![(DATABASE.to_owned(), database.clone())];
    files.extend(following.new_artifacts(&shared).await?);
    files.extend(small);
    let piece = following.piece(0, None, shown_from, shown_until);
    make_new_folder(&following.folder)?;
    if let Err(error) = following.write(&shared, piece, files).await {
        // Without a base it is no generation.
        std::fs::remove_dir(&following.folder).ok();
        return Err(error);
    }
    std::fs::remove_file(&database).map_err(|source| BackupError::file(&database, source))?;
    following.spool = Some(Spool::new(following.work.path().join(PAGES))?);
    Ok(following)
}

impl Following {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reads what was committed since, and writes a segment of it.
    pub(super) async fn ship(&mut self, shared: &Arc<Shared>) -> Result<Ticked, Fault> {
        let shown_from = shared.clock.now();
        let small = shared.store.small_files(self.work.path(), None)?;
        self.read(shared).await?;
        let frame_len = u64::from(self.page_size) + FRAME_HEAD_LEN as u64;
        let is_large =
            u64::from(self.position.frames_count) * frame_len > shared.plan.folded_above_bytes;
        if is_large && self.spool.as_ref().is_some_and(|spool| !spool.is_empty()) {
            self.fold(shared).await?;
        }
        let shown_until = shared.clock.now();
        let Some(spool) = self.spool.as_ref().filter(|spool| !spool.is_empty()) else {
            self.note.looked_at = shown_from;
            self.keep_note().await?;
            return Ok(Ticked::Nothing);
        };
        let mut files = vec![(PAGES.to_owned(), spool.path().to_owned())];
        files.extend(self.new_artifacts(shared).await?);
        files.extend(small);
        let before = Some(self.note.newest_sha256.clone());
        let piece = self.piece(self.note.newest + 1, before, shown_from, shown_until);
        self.write(shared, piece, files).await.map_err(|error| {
            // It got its name, and what came after that failed: its place in the chain is taken.
            if matches!(error, BackupError::Exists(_)) {
                Fault::Gap(error.to_string())
            } else {
                error.into()
            }
        })?;
        if let Some(spool) = &mut self.spool {
            spool.clear()?;
        }
        Ok(Ticked::Shipped)
    }

    /// Reads what was committed since, and keeps its pages.
    async fn read(&mut self, shared: &Arc<Shared>) -> Result<(), Fault> {
        let Some(mut spool) = self.spool.take() else {
            return Err(Fault::Gap("what was read before is gone".to_owned()));
        };
        let (shared, index) = (Arc::clone(shared), Arc::clone(&self.index));
        let (from, page_size) = (self.position, self.page_size);
        let (spool, read) = on_disk(move || {
            let mut read = || -> Result<Position, Fault> {
                let head = Head::read(&index).map_err(|e| BackupError::file(&shared.wal, e))?;
                if head.frames_count > 0 && head.page_size != page_size {
                    return Err(Fault::Gap("its pages have another size".to_owned()));
                }
                read_after(&shared.wal, &from, &head, |page, _, bytes| spool.put(page, bytes))
            };
            let read = read();
            (spool, read)
        })
        .await;
        self.spool = Some(spool);
        self.position = read?;
        Ok(())
    }

    /// Has the log folded into the database, so that it begins anew. Writers wait twice, and only while
    /// what was written in between is read.
    async fn fold(&mut self, shared: &Arc<Shared>) -> Result<(), Fault> {
        if self.move_pin(shared, false).await? {
            self.connections.fold().await.map_err(BackupError::from)?;
            self.move_pin(shared, true).await?;
        }
        Ok(())
    }

    /// Has the pin stand where the log ends now, after everything up to there was read, and the log folded
    /// in between if it `folds`. Says whether it does: somebody may write for longer than is waited, and
    /// then it is moved another time.
    async fn move_pin(&mut self, shared: &Arc<Shared>, folds: bool) -> Result<bool, Fault> {
        if let Err(error) = self.connections.begin_alone().await {
            tracing::warn!(%error, "the log is not folded yet: {error}");
            return Ok(false);
        }
        let read = self.read(shared).await;
        let moved = async {
            if read.is_ok() {
                self.connections.unpin().await?;
                if folds {
                    self.connections.fold_unpinned().await?;
                }
                self.connections.pin().await?;
            }
            self.connections.end_alone().await
        };
        // Without its pin or with a lock that stays, the connections are of no use.
        let moved = moved.await;
        read?;
        match moved {
            Ok(()) => Ok(true),
            Err(error) => Err(Fault::Gap(format!("the log could not be held: {error}"))),
        }
    }

    /// The artefacts of versions that are new here, as entries.
    async fn new_artifacts(&mut self, shared: &Shared) -> Result<Files, BackupError> {
        let mut versions = shared.store.model_versions().await?;
        versions.retain(|version| {
            !self.shipped.contains(&version.artifact_sha256) && !self.missing.contains(&version.id)
        });
        let (files, missing) = shared.store.artifact_files(&versions).await;
        self.missing.extend(missing);
        Ok(files.into_iter().collect())
    }

    fn piece(
        &self,
        number: u32,
        previous_sha256: Option<String>,
        shown_from: Timestamp,
        shown_until: Timestamp,
    ) -> LogPiece {
        LogPiece {
            generation: self.name.clone(),
            number,
            previous_sha256,
            page_size: self.page_size,
            pages_count: self.position.pages_count,
            shown_from,
            shown_until,
        }
    }

    /// Writes `piece` of `files`, notes it, and remembers what it has.
    async fn write(
        &mut self,
        shared: &Arc<Shared>,
        piece: LogPiece,
        files: Files,
    ) -> Result<(), BackupError> {
        let LogPiece { number, shown_from, shown_until, .. } = piece;
        let path = self.folder.join(piece_name(number));
        let mut manifest = BackupManifest {
            format: FORMAT_OF_PIECES,
            created_at: shown_from,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            schema_version: self.schema_version,
            database: "sqlite".to_owned(),
            tables: Vec::new(),
            audit_root: None,
            missing_artifacts: self.missing.iter().cloned().collect(),
            log: Some(piece),
            entries: Vec::new(),
        };
        let (shared, work) = (Arc::clone(shared), self.work.path().to_owned());
        let roots_sha256 = self.roots_sha256.clone();
        let (entries, sha256) = on_disk(move || {
            let read = |(name, path): (String, PathBuf)| {
                let failed = |source| BackupError::file(&path, source);
                Source::of(name, path.clone()).map_err(failed)
            };
            let mut sources = files.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let is_known = |source: &Source| {
                source.entry.name == AUDIT_ROOTS
                    && Some(&source.entry.sha256) == roots_sha256.as_ref()
            };
            sources.retain(|source| !is_known(source));
            manifest.entries = sources.iter().map(|source| source.entry.clone()).collect();
            let recipients = &shared.plan.recipients;
            let (sha256, _) = write_archive(&work, &path, recipients, &manifest, &sources)?;
            Ok::<_, BackupError>((manifest.entries, sha256))
        })
        .await?;
        for entry in entries {
            if entry.name == AUDIT_ROOTS {
                self.roots_sha256 = Some(entry.sha256);
            } else if entry.name.starts_with(ARTIFACTS) {
                self.shipped.insert(entry.sha256);
            }
        }
        self.note.until = shown_until;
        self.note.looked_at = shown_from;
        self.note.newest = number;
        self.note.newest_sha256 = sha256;
        self.keep_note().await
    }

    /// Writes the note, but for what another process may have noted in it.
    async fn keep_note(&mut self) -> Result<(), BackupError> {
        let (folder, mut note) = (self.folder.clone(), self.note.clone());
        on_disk(move || {
            note.verified_at = read_note(&folder).and_then(|note| note.verified_at);
            write_note(&folder, &note)
        })
        .await
    }

    /// Follows no more.
    pub(super) async fn close(self) {
        if let Err(error) = self.connections.close().await {
            tracing::debug!(%error, "closing what followed the log: {error}");
        }
    }
}

/// Makes a folder that only its owner may enter, and that nobody has made before.
fn make_new_folder(path: &Path) -> Result<(), BackupError> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            BackupError::Exists(path.to_owned())
        } else {
            BackupError::file(path, source)
        }
    })
}

fn open_index(database: &Path) -> Result<WalIndex, BackupError> {
    WalIndex::open(database).map_err(|source| BackupError::file(database, source))
}

/// What is committed now.
async fn head_of(index: &Arc<WalIndex>, wal: &Path) -> Result<Head, BackupError> {
    let index = Arc::clone(index);
    let head = on_disk(move || Head::read(&index)).await;
    head.map_err(|source| BackupError::file(wal, source))
}
