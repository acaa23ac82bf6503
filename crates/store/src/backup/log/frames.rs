//! The write-ahead log as SQLite writes it: a head, and frames of a page each.
//!
//! What is committed is told by the head of the wal-index, as SQLite's own readers are told: how many
//! frames there are, which salts the log has, and the checksum that runs through all frames up to the
//! last (<https://www.sqlite.org/fileformat2.html#walformat>). Every frame that is read is held against
//! it, so that a log that is not the continuation of what was read before is never taken for it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use crate::backup::error::BackupError;
use crate::db::{WalIndex, WalIndexHead};

/// What the log and each frame begin with, bytes.
const LOG_HEAD_LEN: usize = 32;
pub(super) const FRAME_HEAD_LEN: usize = 24;

/// The first bytes of a log; one more where checksums go by big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// The version of the format that has been in use since there are logs.
const FORMAT: u32 = 3_007_000;

/// Looks at a head that somebody writes meanwhile before it is told as an error.
const LOOKS_MAX: u32 = 10_000;

/// Bytes of the log that are read at once.
const READ_BYTES: usize = 1 << 18;

/// Two numbers, of which the first grows by one whenever the log begins anew.
type Salts = [u8; 8];

/// Why a log was not read.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not the continuation of what was read.
    Gap(String),
    /// It cannot be read, or what was read cannot be kept; it is asked again later.
    Failed(BackupError),
}

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Self {
        Self::Failed(error)
    }
}

fn gap(reason: &str) -> Fault {
    Fault::Gap(reason.to_owned())
}

/// The checksum that runs through a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Checksum(u32, u32);

impl Checksum {
    fn of(bytes: &[u8]) -> Self {
        Self(big_endian(bytes, 0), big_endian(bytes, 4))
    }

    fn with(self, bytes: &[u8], is_big_endian: bool) -> Self {
        let read: fn([u8; 4]) -> u32 =
            if is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let Self(mut first, mut second) = self;
        for pair in bytes.as_chunks::<4>().0.chunks_exact(2) {
            first = first.wrapping_add(read(pair[0])).wrapping_add(second);
            second = second.wrapping_add(read(pair[1])).wrapping_add(first);
        }
        Self(first, second)
    }
}

/// What is committed, as the wal-index says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of a page; nothing before there was a frame.
    pub(super) page_size: u32,
    pub(super) frames_count: u32,
    /// The pages of the database.
    pub(super) pages_count: u32,
    checksum: Checksum,
    salts: Salts,
}

impl Head {
    /// The head of `index` as it is now.
    pub(super) fn read(index: &WalIndex) -> io::Result<Self> {
        for _ in 0..LOOKS_MAX {
            if let Some(head) = index.head() {
                return Ok(Self::of(&head));
            }
            std::thread::yield_now();
        }
        Err(io::Error::other("the wal-index is being written, or is of another form"))
    }

    fn of(head: &WalIndexHead) -> Self {
        let word = |at: usize| {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&head[at..at + 4]);
            u32::from_ne_bytes(bytes)
        };
        let page_size = u16::from_ne_bytes([head[14], head[15]]);
        let mut salts = [0; 8];
        salts.copy_from_slice(&head[32..40]);
        Self {
            page_size: page_size_of(page_size),
            frames_count: word(16),
            pages_count: word(20),
            checksum: Checksum(word(24), word(28)),
            salts,
        }
    }
}

/// The bytes of a page, by the number with which the database and the wal-index tell them.
pub(super) fn page_size_of(told: u16) -> u32 {
    // The largest one has no number of 16 bits.
    if told == 1 { 1 << 16 } else { u32::from(told) }
}

/// Up to where a log was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Of the log; `None` before it has a frame, when whichever begins is the one that follows.
    salts: Option<Salts>,
    pub(super) frames_count: u32,
    checksum: Checksum,
    /// The pages of the database there.
    pub(super) pages_count: u32,
}

impl Position {
    /// Where the log stands by `head`.
    pub(super) fn at(head: &Head) -> Self {
        let Head { frames_count, pages_count, checksum, salts, .. } = *head;
        if frames_count == 0 {
            return Self { pages_count, ..Self::BEGINNING };
        }
        Self { salts: Some(salts), frames_count, checksum, pages_count }
    }

    /// The same of a database of so many pages, which a log without a frame does not tell.
    pub(super) const fn with_pages(self, pages_count: u32) -> Self {
        Self { pages_count, ..self }
    }

    /// Before the first frame of any log.
    pub(super) const BEGINNING: Self =
        Self { salts: None, frames_count: 0, checksum: Checksum(0, 0), pages_count: 0 };

    /// Whether a log that stands by `head` goes on from here at its beginning; otherwise it is the same
    /// one.
    fn is_followed_by_new(&self, head: &Head) -> Result<bool, Fault> {
        match self.salts {
            None => Ok(true),
            Some(salts) if salts == head.salts => {
                if head.frames_count < self.frames_count {
                    return Err(gap("the log has fewer frames than were read"));
                }
                Ok(false)
            }
            Some(salts) if big_endian(&head.salts, 0) == big_endian(&salts, 0).wrapping_add(1) => {
                Ok(true)
            }
            Some(_) => Err(gap("the log began anew more than once")),
        }
    }
}

/// Reads the frames of the log `wal` after `from` up to where it stands by `head`, gives `take` the page,
/// where its bytes are in the log, and the bytes of each, and returns where it was read to.
///
/// What was taken counts only when this returns a position.
pub(super) fn read_after(
    wal: &Path,
    from: &Position,
    head: &Head,
    mut take: impl FnMut(u32, u64, &[u8]) -> Result<(), BackupError>,
) -> Result<Position, Fault> {
    let is_new = from.is_followed_by_new(head)?;
    let to = Position::at(head);
    if to == *from {
        return Ok(to);
    }
    if head.frames_count == 0 {
        return Ok(Position { pages_count: from.pages_count, ..to });
    }
    let failed = |error: io::Error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            gap("the log is shorter than it says")
        } else {
            Fault::Failed(BackupError::file(wal, error))
        }
    };
    let mut log = BufReader::with_capacity(READ_BYTES, File::open(wal).map_err(failed)?);
    let log_head = LogHead::read(&mut log).map_err(failed)?;
    let log_head = log_head.filter(|found| found.salts == head.salts);
    let LogHead { is_big_endian, checksum, .. } =
        log_head.ok_or_else(|| gap("the head of the log is another one"))?;
    let (frames_count, mut checksum) =
        if is_new { (0, checksum) } else { (from.frames_count, from.checksum) };
    let mut frame = vec![0; FRAME_HEAD_LEN + head.page_size as usize];
    let mut at = LOG_HEAD_LEN as u64 + u64::from(frames_count) * frame.len() as u64;
    log.seek(SeekFrom::Start(at)).map_err(failed)?;
    for _ in frames_count..head.frames_count {
        log.read_exact(&mut frame).map_err(failed)?;
        let (frame_head, page) = frame.split_at(FRAME_HEAD_LEN);
        checksum = checksum.with(&frame_head[..8], is_big_endian).with(page, is_big_endian);
        if frame_head[8..16] != head.salts || checksum != Checksum::of(&frame_head[16..]) {
            return Err(gap("a frame is not one of the log"));
        }
        take(big_endian(frame_head, 0), at + FRAME_HEAD_LEN as u64, page)?;
        at += frame.len() as u64;
    }
    if checksum == head.checksum { Ok(to) } else { Err(gap("the log was written anew")) }
}

/// Whether the log `wal` is still the one that stood by `head`, so that nothing of it was overwritten.
pub(super) fn is_still(wal: &Path, head: &Head) -> io::Result<bool> {
    let found = LogHead::read(&mut File::open(wal)?)?;
    Ok(found.is_some_and(|found| found.salts == head.salts))
}

/// The head of a log.
struct LogHead {
    is_big_endian: bool,
    checksum: Checksum,
    salts: Salts,
}

impl LogHead {
    /// `None` where it is none.
    fn read(log: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = [0; LOG_HEAD_LEN];
        log.read_exact(&mut bytes)?;
        let magic = big_endian(&bytes, 0);
        let is_big_endian = magic == MAGIC + 1;
        let checksum = Checksum::default().with(&bytes[..24], is_big_endian);
        let mut salts = [0; 8];
        salts.copy_from_slice(&bytes[16..24]);
        let is_head = (magic == MAGIC || is_big_endian)
            && big_endian(&bytes, 4) == FORMAT
            && checksum == Checksum::of(&bytes[24..]);
        Ok(is_head.then_some(Self { is_big_endian, checksum, salts }))
    }
}

/// The number of four bytes at `at`.
fn big_endian(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of pages of 512 bytes, by both orders of words.
    struct Log {
        bytes: Vec<u8>,
        head: Head,
        is_big_endian: bool,
    }

    impl Log {
        fn new(first_salt: u32, is_big_endian: bool) -> Self {
            let mut bytes = Vec::new();
            for word in [MAGIC + u32::from(is_big_endian), FORMAT, 512, 0, first_salt, 77] {
                bytes.extend(word.to_be_bytes());
            }
            let checksum = Checksum::default().with(&bytes, is_big_endian);
            let mut salts = [0; 8];
            salts.copy_from_slice(&bytes[16..24]);
            bytes.extend(checksum.0.to_be_bytes());
            bytes.extend(checksum.1.to_be_bytes());
            let head = Head { page_size: 512, frames_count: 0, pages_count: 0, checksum, salts };
            Self { bytes, head, is_big_endian }
        }

        fn add(&mut self, page: u32, fill: u8) {
            let mut frame_head = [page.to_be_bytes(), 9_u32.to_be_bytes()].concat();
            let bytes = [fill; 512];
            let checksum = self.head.checksum.with(&frame_head, self.is_big_endian);
            let checksum = checksum.with(&bytes, self.is_big_endian);
            frame_head.extend(self.head.salts);
            frame_head.extend(checksum.0.to_be_bytes());
            frame_head.extend(checksum.1.to_be_bytes());
            self.bytes.extend(frame_head);
            self.bytes.extend(bytes);
            self.head.checksum = checksum;
            self.head.frames_count += 1;
            self.head.pages_count = 9;
        }

        /// The pages that are read after `from` by their first bytes, and where to.
        fn read(&self, from: &Position) -> Result<(Vec<(u32, u8)>, Position), Fault> {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &self.bytes).unwrap();
            let mut taken = Vec::new();
            let to = read_after(file.path(), from, &self.head, |page, at, bytes| {
                assert_eq!(self.bytes[usize::try_from(at).unwrap()..][..512], *bytes);
                taken.push((page, bytes[0]));
                Ok(())
            })?;
            Ok((taken, to))
        }
    }

    #[test]
    fn a_log_is_read_from_where_it_was_left_and_once_more_from_its_beginning() {
        for is_big_endian in [false, true] {
            let mut log = Log::new(5, is_big_endian);
            let empty = log.read(&Position::BEGINNING).unwrap();
            assert_eq!(empty, (Vec::new(), Position::BEGINNING));
            log.add(1, 10);
            log.add(2, 20);
            let (taken, at) = log.read(&Position::BEGINNING).unwrap();
            assert_eq!(taken, [(1, 10), (2, 20)]);
            assert_eq!((at.frames_count, at.pages_count), (2, 9));
            log.add(1, 11);
            let (taken, at) = log.read(&at).unwrap();
            assert_eq!(taken, [(1, 11)]);
            assert_eq!(log.read(&at).unwrap(), (Vec::new(), at));
            let mut next = Log::new(6, is_big_endian);
            let (taken, between) = next.read(&at).unwrap();
            assert_eq!((taken, between.salts, between.pages_count), (Vec::new(), None, 9));
            next.add(3, 30);
            assert_eq!(next.read(&at).unwrap().0, [(3, 30)]);
            assert_eq!(next.read(&between).unwrap().0, [(3, 30)]);
        }
    }

    #[test]
    fn what_is_not_the_continuation_is_a_gap() {
        let mut log = Log::new(5, false);
        log.add(1, 10);
        log.add(2, 20);
        let (_, at) = log.read(&Position::BEGINNING).unwrap();
        let is_gap = |log: &Log, from: &Position| matches!(log.read(from), Err(Fault::Gap(_)));
        let mut later = Log::new(7, false);
        assert!(is_gap(&later, &at), "without a frame");
        later.add(1, 10);
        assert!(is_gap(&later, &at), "it began anew twice");
        let mut fewer = Log::new(5, false);
        fewer.add(1, 10);
        assert!(is_gap(&fewer, &at), "it has fewer frames");
        let mut others = Log::new(5, false);
        for page in [1, 2, 3] {
            others.add(page, 99);
        }
        assert!(is_gap(&others, &at), "its frames are others");
        for place in [0, 17, 33, 32 + 24 + 7, 32 + 536 + 21] {
            let mut changed = Log::new(5, false);
            changed.add(1, 10);
            changed.add(2, 20);
            changed.bytes[place] ^= 1;
            assert!(is_gap(&changed, &Position::BEGINNING), "byte {place}");
        }
        log.bytes.truncate(32 + 536 + 100);
        assert!(is_gap(&log, &Position::BEGINNING), "it is cut off");
    }
}
