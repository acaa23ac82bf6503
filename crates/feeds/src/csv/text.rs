//! From the bytes of a file to text.

use crate::error::Fault;

/// The text of a file: UTF-8 or UTF-16 with or without a byte order mark; the first line alone may
/// be Windows-1254, as Turkish spreadsheets write their headings.
pub(crate) fn decode(mut bytes: Vec<u8>) -> Result<String, (Option<u64>, Fault)> {
    if bytes.is_empty() {
        return Err((None, Fault::ZeroBytes));
    }
    if let Some(fault) = other_format(&bytes) {
        return Err((None, fault));
    }
    match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => {
            bytes.drain(..3);
            decode_utf8(bytes)
        }
        [0xff, 0xfe, text @ ..] => decode_utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => decode_utf16(text, u16::from_be_bytes),
        // Without a mark: the first character of any header is ASCII, so one of its bytes is zero.
        [first, 0, ..] if *first != 0 => decode_utf16(&bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => decode_utf16(&bytes, u16::from_be_bytes),
        _ => decode_utf8(bytes),
    }
}

/// The text of bytes that need no decoding; `None` when they do, or are no text at all.
pub(super) fn plain(bytes: &[u8]) -> Option<&str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let is_other = other_format(text).is_some() || text.iter().take(2).any(|byte| *byte == 0);
    str::from_utf8(text).ok().filter(|_| !is_other)
}

/// Files that are often given a name ending in `.csv`.
pub(crate) fn other_format(bytes: &[u8]) -> Option<Fault> {
    let start = bytes.trim_ascii_start();
    let (what, advice) = match bytes {
        [0x1f, 0x8b, ..] => ("a gzip archive", "unpack it first, with gunzip"),
        [b'P', b'K', 3, 4, ..] => {
            ("a zip archive or a spreadsheet", "unpack it, or save the sheet as CSV")
        }
        [b'P', b'A', b'R', b'1', ..] => ("a Parquet file", "read it with bist ingest parquet"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => ("an old spreadsheet", "save the sheet as CSV"),
        _ if start.starts_with(b"<") && !start.starts_with(b"<TICKER") => {
            ("a web page", "the download went wrong, download the file again")
        }
        _ => return None,
    };
    Some(Fault::OtherFormat { what, advice })
}

fn decode_utf8(bytes: Vec<u8>) -> Result<String, (Option<u64>, Fault)> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error.into_bytes(),
    };
    let header_end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let mut text: String = bytes[..header_end].iter().map(|b| windows_1254(*b)).collect();
    match std::str::from_utf8(&bytes[header_end..]) {
        Ok(rest) => {
            text.push_str(rest);
            Ok(text)
        }
        Err(error) => {
            let before = &bytes[..header_end + error.valid_up_to()];
            let line = before.iter().filter(|b| **b == b'\n').count() as u64 + 1;
            Err((Some(line), Fault::NotText))
        }
    }
}

/// One character of Windows-1254. The punctuation at 0x80 to 0x9f plays no part in recognising a
/// header and becomes a blank.
pub(crate) fn windows_1254(byte: u8) -> char {
    match byte {
        0xd0 => 'Ğ',
        0xdd => 'İ',
        0xde => 'Ş',
        0xf0 => 'ğ',
        0xfd => 'ı',
        0xfe => 'ş',
        0x80..=0x9f => ' ',
        // The rest is Latin-1, whose codes are those of Unicode.
        other => char::from(other),
    }
}

fn decode_utf16(
    bytes: &[u8],
    unit: impl Fn([u8; 2]) -> u16,
) -> Result<String, (Option<u64>, Fault)> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut failed = !odd.is_empty();
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => {
                failed = true;
                break;
            }
        }
    }
    if failed {
        let line = text.bytes().filter(|b| *b == b'\n').count() as u64 + 1;
        return Err((Some(line), Fault::NotText));
    }
    // A mark that a byte-swapping tool left inside.
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<&str, &str>) {
        let actual = decode(bytes.to_vec()).map_err(|(_, fault)| fault.to_string());
        assert_eq!(actual, expected.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn marks_of_byte_order_are_followed_and_dropped() {
        check(b"\xef\xbb\xbfa,b", Ok("a,b"));
        check(b"\xff\xfea\0\x5e\x01", Ok("aŞ"));
        check(b"\xfe\xff\0a\x01\x5e", Ok("aŞ"));
        check(b"a\0,\0b\0", Ok("a,b"));
        check(b"\0a\0,\0b", Ok("a,b"));
    }

    #[test]
    fn a_turkish_header_in_windows_1254_is_read() {
        check(b"Tarih;A\xe7\xfdl\xfd\xfe\n1;2\n", Ok("Tarih;Açılış\n1;2\n"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        assert_eq!(decode(b"a,b\n1,2\n\xff,3\n".to_vec()), Err((Some(3), Fault::NotText)));
        assert_eq!(decode(b"\xff\xfea\0\n\0b".to_vec()), Err((Some(2), Fault::NotText)));
        check(b"", Err("the file is empty, not even a header is there; download it again"));
        check(
            b"\x1f\x8b\x08\0",
            Err(
                "this is a gzip archive, not a table of prices as text; unpack it first, with gunzip",
            ),
        );
    }
}
