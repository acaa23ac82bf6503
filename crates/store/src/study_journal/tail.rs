//! The file of a journal: reading what is new, appending, and mending what a killed writer left.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bist_lifecycle::study::StudyStorageError;

/// How each record begins that Optuna or we write.
const RECORD_BEGINS: &str = "{\"op_code\":";

/// A journal read up to some line.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    /// Bytes of the lines that were read; whole lines only.
    read_bytes: u64,
    lines_count: u64,
    /// Beginnings of records that were torn and then written after, as offset and length.
    torn: Vec<(u64, usize)>,
}

impl Tail {
    /// Makes the file if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, StudyStorageError> {
        let tail = Self { path: path.to_owned(), read_bytes: 0, lines_count: 0, torn: Vec::new() };
        match File::create_new(path) {
            Ok(_) => tail.sync_folder().map_err(|error| tail.failed("made", &error))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(tail.failed("made", &error)),
        }
        Ok(tail)
    }

    /// So that the name of the new file survives a power cut.
    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
    }

    /// Hands each new whole line to `take`. A last line that is not whole, or damaged, is left, as
    /// somebody may be writing it.
    ///
    /// # Errors
    ///
    /// A damaged line with lines after it, by its number.
    pub(super) fn read(
        &mut self,
        mut take: impl FnMut(&str) -> Result<(), serde_json::Error>,
    ) -> Result<(), StudyStorageError> {
        let failed = |tail: &Self, error: io::Error| tail.failed("read", &error);
        let mut file = File::open(&self.path).map_err(|error| failed(self, error))?;
        let size_bytes = file.metadata().map_err(|error| failed(self, error))?.len();
        if size_bytes < self.read_bytes {
            return Err(self.replaced());
        }
        if size_bytes == self.read_bytes {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.read_bytes)).map_err(|error| failed(self, error))?;
        // Others write meanwhile: what came after the size was taken is left for the next time.
        let mut lines = BufReader::new(file.take(size_bytes - self.read_bytes));
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = lines.read_until(b'\n', &mut line).map_err(|error| failed(self, error))?;
            if line.pop() != Some(b'\n') {
                return Ok(());
            }
            let end = self.read_bytes + length as u64;
            match self.take_line(&line, &mut take) {
                Ok(()) => {}
                Err(_) if end == size_bytes => return Ok(()),
                Err(reason) => return Err(self.damaged(&reason)),
            }
            self.read_bytes = end;
            self.lines_count += 1;
        }
    }

    /// Hands a whole line to `take`; of one in which a record follows the beginning of another, whose
    /// writer died, the record.
    fn take_line(
        &mut self,
        line: &[u8],
        mut take: impl FnMut(&str) -> Result<(), serde_json::Error>,
    ) -> Result<(), String> {
        let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
        let Err(error) = take(text) else { return Ok(()) };
        // Within a text the quotation mark would be escaped, so this is the beginning of an object.
        let whole = text.rfind(RECORD_BEGINS).filter(|&at| at > 0);
        if let Some(at) = whole.filter(|&at| take(&text[at..]).is_ok()) {
            self.torn.push((self.read_bytes, at));
            return Ok(());
        }
        Err(error.to_string())
    }

    /// Mends what writers that died have left; whoever calls holds the lock and has read to the end.
    /// Returns whether there is something more to read.
    ///
    /// A record is acknowledged when it is on disk with its end of line. The beginning of a record at
    /// the end of the file, which nobody has acknowledged, is removed; blanks take the place of one
    /// that another writer went on after, so that Optuna can read the line.
    ///
    /// # Errors
    ///
    /// A damaged last line, by its number.
    pub(super) fn mend(&mut self) -> Result<bool, StudyStorageError> {
        let rest = self.unread().map_err(|error| self.failed("read", &error))?;
        if rest.contains(&b'\n') {
            return Err(self.damaged("it is not a record"));
        }
        if rest.is_empty() && self.torn.is_empty() {
            return Ok(false);
        }
        let is_record = serde_json::from_slice::<serde::de::IgnoredAny>(&rest).is_ok();
        self.write_mended(!rest.is_empty(), is_record)
            .map_err(|error| self.failed("mended", &error))?;
        self.torn.clear();
        Ok(is_record)
    }

    fn unread(&self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let mut rest = Vec::new();
        file.seek(SeekFrom::Start(self.read_bytes))?;
        file.read_to_end(&mut rest)?;
        Ok(rest)
    }

    fn write_mended(&self, has_rest: bool, is_record: bool) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        for &(offset, length) in &self.torn {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(&vec![b' '; length])?;
        }
        if is_record {
            file.seek(SeekFrom::End(0))?;
            file.write_all(b"\n")?;
        } else if has_rest {
            file.set_len(self.read_bytes)?;
        }
        file.sync_all()
    }

    /// Appends `line`, with its end, and waits until it is on disk. What could not be written whole
    /// is taken back.
    pub(super) fn append(&self, line: &str) -> Result<(), StudyStorageError> {
        let append = || {
            let mut file = OpenOptions::new().append(true).open(&self.path)?;
            file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).or_else(|error| {
                file.set_len(self.read_bytes)?;
                Err(error)
            })
        };
        append().map_err(|error: io::Error| self.failed("written", &error))
    }

    /// That what was read before is no longer there.
    pub(super) fn replaced(&self) -> StudyStorageError {
        StudyStorageError::Io {
            place: self.path.display().to_string(),
            reason: "the journal became shorter than it was: another program has replaced it; \
                     begin again with the file as it is now"
                .to_owned(),
        }
    }

    fn damaged(&self, reason: &str) -> StudyStorageError {
        StudyStorageError::Io {
            place: format!("{}:{}", self.path.display(), self.lines_count + 1),
            reason: format!(
                "the line is damaged ({reason}): restore the journal from a copy, or remove the line \
                 if what it says is not needed"
            ),
        }
    }

    fn failed(&self, what: &str, error: &io::Error) -> StudyStorageError {
        StudyStorageError::Io {
            place: self.path.display().to_string(),
            reason: format!("the journal cannot be {what}: {error}"),
        }
    }
}
