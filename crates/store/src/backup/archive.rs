//! The archive: a tar file, compressed by zstd, encrypted by age. `age -d | zstd -d | tar -x` opens it.
//!
//! Its first entry is the manifest, which has the size and the SHA-256 of every other entry in its
//! order. What is read is bounded by it, and nothing is taken that differs from it. A byte that was
//! changed, or an end that is missing, is found by the encryption, which authenticates every 64 KiB of
//! the file and which of them is the last.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use age::{DecryptError, Decryptor, Encryptor};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::error::BackupError;
use super::keys::{BackupIdentities, BackupRecipients};
use super::manifest::{BackupEntry, BackupManifest, FORMAT_OF_PIECES, MANIFEST};

/// The usual trade of speed for size.
const COMPRESSION_LEVEL: i32 = 3;

/// The largest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// Bytes that are moved at once.
const CHUNK_BYTES: usize = 1 << 16;

/// An entry, and the file that it is made of.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) entry: BackupEntry,
    pub(super) path: PathBuf,
}

impl Source {
    /// The file `path` as the entry `name`, as it is now.
    pub(super) fn of(name: impl Into<String>, path: PathBuf) -> io::Result<Self> {
        let mut hashed = Hashed::new(io::sink());
        let size_bytes = io::copy(&mut File::open(&path)?, &mut hashed)?;
        let entry = BackupEntry { name: name.into(), size_bytes, sha256: hashed.sha256() };
        Ok(Self { entry, path })
    }
}

/// Writes `manifest` and the files that it names, `sources`, to `out`, for `recipients`.
///
/// # Errors
///
/// [`BackupError::Changed`] when a file is not what the manifest says any more; what `out` and the
/// files say.
pub(super) fn write(
    out: impl Write,
    path: &Path,
    recipients: &BackupRecipients,
    manifest: &BackupManifest,
    sources: &[Source],
) -> Result<(), BackupError> {
    let failed = |source| BackupError::file(path, source);
    // X25519 recipients can be combined, and there is at least one.
    let encryptor = Encryptor::with_recipients(recipients.all())
        .map_err(|error| failed(io::Error::other(error.to_string())))?;
    let encrypted = encryptor.wrap_output(out).map_err(failed)?;
    let packed = zstd::Encoder::new(encrypted, COMPRESSION_LEVEL).map_err(failed)?;
    let mut archive = tar::Builder::new(packed);
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| failed(error.into()))?;
    let at = manifest.created_at;
    append(&mut archive, MANIFEST, text.len() as u64, at, text.as_slice()).map_err(failed)?;
    for Source { entry, path: from } in sources {
        let file = File::open(from).map_err(|source| BackupError::file(from, source))?;
        // A file that grows is cut off here, one that shrinks leaves the rest to be zeros; either way
        // the hash differs.
        let mut read = HashedReader::new(file.take(entry.size_bytes));
        append(&mut archive, &entry.name, entry.size_bytes, at, &mut read).map_err(failed)?;
        if read.0.sha256() != entry.sha256 {
            return Err(BackupError::Changed(from.display().to_string()));
        }
    }
    let packed = archive.into_inner().map_err(failed)?;
    let encrypted = packed.finish().map_err(failed)?;
    let mut out = encrypted.finish().map_err(failed)?;
    out.flush().map_err(failed)
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    size_bytes: u64,
    at: Timestamp,
    bytes: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size_bytes);
    header.set_mode(0o600);
    header.set_mtime(at.as_second().max(0).unsigned_abs());
    archive.append_data(&mut header, name, bytes)
}

/// Reads the archive `input`, which lies at `path`, from its first to its last byte, gives each entry to
/// what `taker` makes for it, and returns what it says about itself.
///
/// What was given to the takers is right only when this returns.
///
/// # Errors
///
/// [`BackupError::WrongKey`], [`BackupError::Damaged`] and [`BackupError::TooNew`]; what the takers
/// say.
pub(super) fn read<T: Write>(
    input: impl Read,
    path: &Path,
    identities: &BackupIdentities,
    mut taker: impl FnMut(&BackupEntry) -> Result<T, BackupError>,
) -> Result<BackupManifest, BackupError> {
    let backup = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let damaged =
        |reason: String| BackupError::Damaged { backup: backup.clone().into_owned(), reason };
    let broken = |error: io::Error| damaged(error.to_string());
    let not_opened = |error: DecryptError| {
        if matches!(error, DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed) {
            BackupError::WrongKey(backup.clone().into_owned())
        } else {
            damaged(format!("it is no whole file of age: {error}"))
        }
    };
    let input = BufReader::with_capacity(CHUNK_BYTES, input);
    let decryptor = Decryptor::new_buffered(input).map_err(not_opened)?;
    let packed = decryptor.decrypt(identities.all()).map_err(not_opened)?;
    let unpacked = zstd::Decoder::new(packed).map_err(broken)?;
    let mut archive = tar::Archive::new(unpacked);
    let mut found = archive.entries().map_err(broken)?;

    let mut next = || {
        found
            .next()
            .ok_or_else(|| damaged("it ends before its last entry".to_owned()))?
            .map_err(broken)
    };
    let first = next()?;
    let manifest = manifest(first, &backup)?;
    for entry in &manifest.entries {
        let mut there = next()?;
        let (name, size_bytes) = (name_of(&there), there.size());
        if name != entry.name || size_bytes != entry.size_bytes {
            return Err(damaged(format!(
                "where {} of {} bytes belongs, there is {name} of {size_bytes}",
                entry.name, entry.size_bytes
            )));
        }
        let mut hashed = Hashed::new(taker(entry)?);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = there.read(&mut chunk).map_err(broken)?;
            if count == 0 {
                break;
            }
            hashed
                .write_all(&chunk[..count])
                .map_err(|source| BackupError::file(Path::new(&entry.name), source))?;
        }
        if hashed.sha256() != entry.sha256 {
            return Err(damaged(format!("the SHA-256 of {} differs", entry.name)));
        }
    }
    if let Some(more) = found.next() {
        let name = name_of(&more.map_err(broken)?);
        return Err(damaged(format!("its manifest does not name {name}")));
    }
    // The last bytes are authenticated when they are read, and there must be nothing behind them.
    let mut rest = archive.into_inner();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match rest.read(&mut chunk).map_err(broken)? {
            0 => return Ok(manifest),
            count if chunk[..count].iter().all(|byte| *byte == 0) => {}
            _ => return Err(damaged("there is something behind its end".to_owned())),
        }
    }
}

/// The manifest in `entry`, which must be one of a form that we know.
fn manifest(
    mut entry: tar::Entry<'_, impl Read>,
    backup: &str,
) -> Result<BackupManifest, BackupError> {
    let damaged = |reason: String| BackupError::Damaged { backup: backup.to_owned(), reason };
    if name_of(&entry) != MANIFEST || entry.size() > MANIFEST_BYTES_MAX {
        return Err(damaged("it does not begin with its manifest".to_owned()));
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text).map_err(|error| damaged(error.to_string()))?;
    let value: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| damaged(format!("its manifest cannot be read: {error}")))?;
    // A newer form may have more in it, and is told from damage by its number.
    if value["format"].as_u64().is_some_and(|format| format > u64::from(FORMAT_OF_PIECES)) {
        let program_version = value["program_version"].as_str().unwrap_or("of later").to_owned();
        return Err(BackupError::TooNew { backup: backup.to_owned(), program_version });
    }
    serde_json::from_value(value)
        .map_err(|error| damaged(format!("its manifest cannot be read: {error}")))
}

/// What an entry is called; one that is no file is called as nothing that is expected.
fn name_of(entry: &tar::Entry<'_, impl Read>) -> String {
    if entry.header().entry_type() == tar::EntryType::Regular {
        String::from_utf8_lossy(&entry.path_bytes()).into_owned()
    } else {
        "something that is no file".to_owned()
    }
}

/// Hashes what goes through.
#[derive(Debug)]
pub(super) struct Hashed<W> {
    inner: W,
    hash: Sha256,
}

impl<W> Hashed<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// The SHA-256 of all that went through, as hexadecimal digits.
    pub(super) fn sha256(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The same while it is read.
struct HashedReader<R>(Hashed<R>);

impl<R> HashedReader<R> {
    fn new(inner: R) -> Self {
        Self(Hashed::new(inner))
    }
}

impl<R: Read> Read for HashedReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.0.inner.read(bytes)?;
        self.0.hash.update(&bytes[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;
    use tempfile::TempDir;

    use super::super::manifest::FORMAT;
    use super::*;

    /// A backup of two files, what opens it, and its manifest.
    struct Place {
        _folder: TempDir,
        sources: Vec<Source>,
        manifest: BackupManifest,
        identities: BackupIdentities,
    }

    impl Place {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let mut source = |name: &str, size: usize| {
                let path = folder.path().join(name);
                let bytes: Vec<u8> = (0..size).map(|_| rng.random()).collect();
                std::fs::write(&path, bytes).unwrap();
                Source::of(name, path).unwrap()
            };
            // More than one chunk of age, and one that is empty.
            let sources = vec![source("a", 200_000), source("b", 0), source("c", 200_000)];
            let manifest = BackupManifest {
                format: FORMAT,
                created_at: Timestamp::UNIX_EPOCH,
                program_version: "0.1.0".to_owned(),
                schema_version: 1,
                database: "sqlite".to_owned(),
                tables: Vec::new(),
                audit_root: None,
                missing_artifacts: Vec::new(),
                log: None,
                entries: sources.iter().map(|source| source.entry.clone()).collect(),
            };
            let identities = BackupIdentities::generate();
            Self { _folder: folder, sources, manifest, identities }
        }

        fn archive(&self) -> Vec<u8> {
            self.archive_of(&self.manifest, &self.sources)
        }

        fn archive_of(&self, manifest: &BackupManifest, sources: &[Source]) -> Vec<u8> {
            let mut bytes = Vec::new();
            let recipients = self.identities.recipients();
            write(&mut bytes, Path::new("x"), &recipients, manifest, sources).unwrap();
            bytes
        }

        fn read(&self, bytes: &[u8]) -> Result<BackupManifest, BackupError> {
            read(bytes, Path::new("x"), &self.identities, |_| Ok(io::sink()))
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let place = Place::new();
        let mut taken = Vec::new();
        let bytes = place.archive();
        let read = read(bytes.as_slice(), Path::new("x"), &place.identities, |entry| {
            taken.push(entry.name.clone());
            Ok(io::sink())
        });
        assert_eq!(read.unwrap(), place.manifest);
        assert_eq!(taken, ["a", "b", "c"]);
    }

    #[test]
    fn fifty_random_corruptions_are_all_found() {
        let place = Place::new();
        let bytes = place.archive();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for number in 0..50 {
            let mut changed = bytes.clone();
            let at = rng.random_range(0..changed.len());
            changed[at] ^= 1 << rng.random_range(0..8);
            let refused = place.read(&changed);
            assert!(
                matches!(refused, Err(BackupError::Damaged { .. } | BackupError::WrongKey(_))),
                "{number}: byte {at}: {refused:?}"
            );
        }
    }

    #[test]
    fn every_byte_of_the_head_is_looked_at() {
        let place = Place::new();
        let bytes = place.archive();
        for at in 0..400 {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let refused = place.read(&changed);
            assert!(
                matches!(refused, Err(BackupError::Damaged { .. } | BackupError::WrongKey(_))),
                "byte {at}: {refused:?}"
            );
        }
    }

    #[test]
    fn an_archive_that_is_cut_off_anywhere_or_goes_on_is_refused() {
        let place = Place::new();
        let bytes = place.archive();
        // The chunks of age end at these places, and the tar file before the last of them.
        let ends = (0..bytes.len()).step_by(9_973).chain(bytes.len() - 40..bytes.len());
        for end in ends {
            let refused = place.read(&bytes[..end]);
            assert!(matches!(refused, Err(BackupError::Damaged { .. })), "{end}: {refused:?}");
        }
        for more in [1, 16, 70_000] {
            let mut longer = bytes.clone();
            longer.resize(bytes.len() + more, 0);
            let refused = place.read(&longer);
            assert!(matches!(refused, Err(BackupError::Damaged { .. })), "{more}: {refused:?}");
        }
    }

    #[test]
    fn another_identity_is_told_that_it_is_another() {
        let place = Place::new();
        let other = BackupIdentities::generate();
        let read = read(place.archive().as_slice(), Path::new("x"), &other, |_| Ok(io::sink()));
        assert!(matches!(read, Err(BackupError::WrongKey(_))), "{read:?}");
    }

    #[test]
    fn entries_that_were_swapped_left_out_or_added_are_refused_by_name() {
        let mut place = Place::new();
        let refusal = |place: &Place, manifest: &BackupManifest, sources: &[Source]| {
            place.read(&place.archive_of(manifest, sources)).unwrap_err().to_string()
        };
        let manifest = place.manifest.clone();
        // Somebody who has the recipient, which is no secret, makes an archive anew.
        place.sources.swap(0, 1);
        let told = refusal(&place, &manifest, &place.sources);
        assert!(told.contains("where a of 200000 bytes belongs, there is b of 0"), "{told}");
        place.sources.swap(0, 1);
        let contents = place.sources[2].path.clone();
        let of_other = Source::of("a", contents).unwrap();
        let mut sources: Vec<Source> = vec![of_other];
        sources.extend(place.sources.drain(1..));
        let told = refusal(&place, &manifest, &sources);
        assert!(told.contains("the SHA-256 of a differs"), "{told}");
        let told = refusal(&place, &manifest, &sources[..0]);
        assert!(told.contains("it ends before its last entry"), "{told}");
        let mut fewer = manifest.clone();
        fewer.entries = vec![sources[0].entry.clone(), sources[1].entry.clone()];
        let told = refusal(&place, &fewer, &sources);
        assert!(told.contains("its manifest does not name c"), "{told}");
        let later = BackupManifest { format: FORMAT_OF_PIECES + 1, ..manifest };
        let told = refusal(&place, &later, &sources);
        assert!(told.contains("was made by bist 0.1.0"), "{told}");
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_told() {
        let place = Place::new();
        std::fs::write(&place.sources[0].path, vec![7; 200_000]).unwrap();
        let recipients = place.identities.recipients();
        let path = Path::new("x");
        let told = write(io::sink(), path, &recipients, &place.manifest, &place.sources);
        assert!(matches!(told, Err(BackupError::Changed(_))), "{told:?}");
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        /// Takes so many bytes.
        struct Small(usize);
        impl Write for Small {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let count = bytes.len().min(self.0);
                self.0 -= count;
                if count == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(count) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let place = Place::new();
        let recipients = place.identities.recipients();
        for bytes_max in [0, 100, 1_000, 200_000, 400_000] {
            let path = Path::new("x");
            // As a file is written; age tells another kind of error where its head cannot be written.
            let disk = io::BufWriter::new(Small(bytes_max));
            let told = write(disk, path, &recipients, &place.manifest, &place.sources);
            assert!(matches!(told, Err(BackupError::DiskFull(_))), "{bytes_max}: {told:?}");
        }
    }
}
