//! Inputs made of sound documents: parts of them replaced, repeated, removed and exchanged, bytes
//! flipped, and now and then far too much of something.

use std::ops::Range;

use super::dice::Dice;

/// The largest input that a blow-up makes.
const BLOWN_UP_BYTES: usize = 256 << 10;

/// Words that are something else than what belongs in their place.
const WORDS: [&[u8]; 62] = [
    b"null",
    b"true",
    b"\"\"",
    b"[]",
    b"{}",
    b"[null]",
    b"0",
    b"-0",
    b"-1",
    b"1",
    b"0.00005",
    b"1e308",
    b"-1e308",
    b"1e999",
    b"1e-400",
    b"1E+400",
    b"1e2147483648",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"922337203685477.5807",
    b"99999999999999999999999999999999999999999999",
    b"NaN",
    b"-Infinity",
    b"Infinity",
    b"0x1F",
    b"1,5",
    b"1.234,56",
    b"1,234.56",
    b"1.250.000",
    b"12Mn",
    b"9e18K",
    b"-",
    b"--",
    b"#N/A",
    b"\"",
    b"'",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\\",
    b"\0",
    b"\xff",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xc4\xb0",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x92\xa3",
    b"\r\n",
    b"\r",
    b"\n\n",
    b";;;;;;;;",
    b",,,,",
    b"2025-02-30",
    b"31.12.9999",
    b"01-01-0001",
    b"30-10-2025 24:60:61",
    b"-62135596800",
    b"253402300800",
    b"sep=;",
    b"<!DOCTYPE a [<!ENTITY b \"cccccccc\"><!ENTITY d \"&b;&b;&b;&b;\">]>&d;",
];

/// Pairs that a part can be wrapped into.
const PAIRS: [(&[u8], &[u8]); 7] = [
    (b"[", b"]"),
    (b"{\"a\":", b"}"),
    (b"\"", b"\""),
    (b"<a>", b"</a>"),
    (b"<![CDATA[", b"]]>"),
    (b"<!--", b"-->"),
    (b"-", b"0"),
];

/// What is repeated until it is far too much.
const FLOODS: [&[u8]; 14] = [
    b"[",
    b"{\"a\":",
    b"<a>",
    b"\"",
    b"\\",
    b"9",
    b"0.",
    b";",
    b",",
    b"\n",
    b" ",
    b"[],",
    b"A",
    b"\xc4\xb0",
];

/// A sound document and its parts.
pub(super) struct Document {
    bytes: Vec<u8>,
    /// Lines, cells, and what is in brackets.
    parts: Vec<Range<usize>>,
    /// What stands between two marks.
    cells: Vec<Range<usize>>,
}

impl Document {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let (mut parts, mut cells) = (Vec::new(), Vec::new());
        let mut line = 0;
        for end in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            parts.push(line..end.0 + 1);
            line = end.0 + 1;
        }
        let (mut begin, mut open) = (0, Vec::new());
        for (at, byte) in bytes.iter().enumerate() {
            if b",;:\t|=<>[]{}\"\\\r\n".contains(byte) {
                if begin < at {
                    cells.push(begin..at);
                }
                begin = at + 1;
            }
            match byte {
                b'[' | b'{' => open.push(at),
                b']' | b'}' => parts.extend(open.pop().map(|from| from..at + 1)),
                _ => {}
            }
        }
        parts.push(begin..bytes.len());
        parts.extend(cells.iter().cloned());
        Self { bytes, parts, cells }
    }

    fn cell(&self, dice: &mut Dice) -> Range<usize> {
        self.cells[dice.below(self.cells.len())].clone()
    }

    fn part(&self, dice: &mut Dice) -> Range<usize> {
        self.parts[dice.below(self.parts.len())].clone()
    }
}

/// An input: mostly a document with a few changes.
pub(super) fn input(dice: &mut Dice, documents: &[Document]) -> Vec<u8> {
    match dice.below(100) {
        0..3 => {
            let length = dice.below(400);
            dice.bytes(length)
        }
        3..6 => soup(dice, documents),
        6..10 => documents[dice.below(documents.len())].bytes.clone(),
        10..40 => {
            let document = &documents[dice.below(documents.len())];
            let mut bytes = document.bytes.clone();
            change_cell(dice, document, &mut bytes);
            bytes
        }
        _ => {
            let document = &documents[dice.below(documents.len())];
            let mut bytes = document.bytes.clone();
            for _ in 0..=dice.below(3) {
                change_part(dice, document, documents, &mut bytes);
            }
            if dice.once_in(4) {
                for _ in 0..=dice.below(3) {
                    change_bytes(dice, documents, &mut bytes);
                }
            }
            bytes
        }
    }
}

/// Words and parts in any order.
fn soup(dice: &mut Dice, documents: &[Document]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..dice.below(60) {
        if dice.once_in(3) {
            bytes.extend_from_slice(dice.one_of(&WORDS));
        } else {
            let document = &documents[dice.below(documents.len())];
            bytes.extend_from_slice(&document.bytes[document.part(dice)]);
        }
        let marks: [&[u8]; 6] = [b"", b",", b";", b"\n", b":", b"\""];
        bytes.extend_from_slice(dice.one_of(&marks));
    }
    bytes
}

/// Changes one cell and leaves all marks where they are.
fn change_cell(dice: &mut Dice, document: &Document, bytes: &mut Vec<u8>) {
    let cell = document.cell(dice);
    let new = match dice.below(4) {
        0 => dice.one_of(&WORDS).to_vec(),
        1 => document.bytes[document.cell(dice)].to_vec(),
        _ => digits(dice, bytes[cell.clone()].to_vec()),
    };
    bytes.splice(cell, new);
}

/// Changes one part; once something was changed, parts are where they were or a little beside.
fn change_part(dice: &mut Dice, document: &Document, others: &[Document], bytes: &mut Vec<u8>) {
    let Range { start, end } = document.part(dice);
    let (start, end) = (start.min(bytes.len()), end.min(bytes.len()));
    let old = bytes[start..end].to_vec();
    let new = match dice.below(10) {
        0..3 => dice.one_of(&WORDS).to_vec(),
        3 => document.bytes[document.part(dice)].to_vec(),
        4 => {
            let other = &others[dice.below(others.len())];
            other.bytes[other.part(dice)].to_vec()
        }
        5 => {
            let marks: [&[u8]; 4] = [b"", b",", b";", b"\n"];
            vec![old.as_slice(); 2 + dice.below(3)].join(dice.one_of(&marks))
        }
        6 => Vec::new(),
        7 => {
            let (open, close) = PAIRS[dice.below(PAIRS.len())];
            [open, old.as_slice(), close].concat()
        }
        8 => digits(dice, old),
        _ if dice.once_in(40) => {
            let flood: &[u8] = if dice.once_in(2) && !old.is_empty() && old.len() < 4096 {
                &old
            } else {
                dice.one_of(&FLOODS)
            };
            flood.repeat((BLOWN_UP_BYTES / flood.len()) >> dice.below(8))
        }
        _ => [old.as_slice(), dice.one_of(&WORDS)].concat(),
    };
    bytes.splice(start..end, new);
}

/// The part with another digit, sign or mark.
fn digits(dice: &mut Dice, mut part: Vec<u8>) -> Vec<u8> {
    if part.is_empty() {
        return part;
    }
    let at = dice.below(part.len());
    match dice.below(4) {
        0 => part[at] = b"0123456789.,-+eE"[dice.below(16)],
        1 => part.insert(at, b"0123456789.,-+eE"[dice.below(16)]),
        2 => part.truncate(at),
        _ => part.reverse(),
    }
    part
}

/// Changes bytes wherever they are.
pub(super) fn change_bytes(dice: &mut Dice, documents: &[Document], bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.below(bytes.len());
    let end = (at + 1 + dice.below(80)).min(bytes.len());
    match dice.below(8) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes[at] = dice.byte(),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let part = bytes[at..end].repeat(1 + dice.below(20));
            bytes.splice(at..at, part);
        }
        5 => drop(bytes.splice(at..at, dice.one_of(&WORDS).iter().copied())),
        6 => {
            let other = &documents[dice.below(documents.len())].bytes;
            bytes.truncate(at);
            bytes.extend_from_slice(&other[dice.below(other.len())..]);
        }
        _ => {
            // As another encoding would have it.
            let text = String::from_utf8_lossy(bytes);
            let little = dice.once_in(2);
            let units = text.encode_utf16();
            let wide =
                units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
            let mark: &[u8] = if little { b"\xff\xfe" } else { b"\xfe\xff" };
            *bytes = mark.iter().copied().chain(wide).collect();
        }
    }
}
