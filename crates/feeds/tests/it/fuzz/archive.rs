//! Archives that are damaged, lie about sizes, or unpack to far more than they are.

use super::changes::{Document, change_bytes};
use super::dice::Dice;
use crate::bulletin::zipped;

/// Matches of a bomb with which it unpacks to just what is read of an archive.
const MATCHES_MAX: usize = (64 << 20) / MATCH_BYTES;

/// The longest match that deflate knows.
const MATCH_BYTES: usize = 258;

/// The marks of the three kinds of records, and how long each is before its name.
const RECORDS: [(&[u8], usize); 3] =
    [(b"PK\x03\x04", 30), (b"PK\x01\x02", 46), (b"PK\x05\x06", 22)];

/// A file as it lies in an archive.
struct Entry<'a> {
    name: &'a str,
    /// As the format numbers them: 0 is stored, 8 deflated.
    method: u8,
    crc: u32,
    unpacked_length: usize,
    packed: Vec<u8>,
}

impl<'a> Entry<'a> {
    fn stored(name: &'a str, bytes: &[u8]) -> Self {
        let crc = crc32(bytes.iter().copied());
        Self { name, method: 0, crc, unpacked_length: bytes.len(), packed: bytes.to_vec() }
    }
}

/// An archive with the table, damaged or not.
pub(super) fn around(dice: &mut Dice, table: &[u8], documents: &[Document]) -> Vec<u8> {
    if dice.once_in(12_000) {
        let byte = *dice.one_of(&[&b'\n', &b'0', &b';', &0, &0xff]);
        return bomb(byte, MATCHES_MAX + dice.below(2));
    }
    let name = "thb202510301.csv";
    let names = [name, "THB.CSV", "a/../thb.csv", "thbeng.csv", "thb.txt", "", "ş.csv"];
    let name = if dice.once_in(4) { dice.one_of(&names) } else { name };
    let mut bytes = match dice.below(12) {
        0 => archive(&[Entry::stored(name, table), Entry::stored("thb_eng.csv", table)]),
        1 => archive(&[Entry::stored(name, table), Entry::stored("b.csv", b"")]),
        2 => archive(&[]),
        // Packed as the exchange packs it.
        3 => zipped(&[(name, table)]),
        _ => archive(&[Entry::stored(name, table)]),
    };
    match dice.below(4) {
        0 => lie(dice, &mut bytes),
        1 => change_bytes(dice, documents, &mut bytes),
        _ => {}
    }
    bytes
}

/// The archive of these files.
fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let (mut locals, mut central) = (Vec::new(), Vec::new());
    for entry in entries {
        let described = [
            [20, 0, 0, 0, entry.method, 0, 0, 0, 0, 0].as_slice(),
            &entry.crc.to_le_bytes(),
            &number(entry.packed.len()),
            &number(entry.unpacked_length),
            // The name; there is nothing extra.
            &number(entry.name.len()),
        ]
        .concat();
        let at = number(locals.len());
        let name = entry.name.as_bytes();
        locals.extend([b"PK\x03\x04", described.as_slice(), name, &entry.packed].concat());
        let record: [&[u8]; 5] = [b"PK\x01\x02\x14\0", &described, &[0; 10], &at, name];
        central.extend(record.concat());
    }
    let count = [u8::try_from(entries.len()).unwrap(), 0];
    let end: [&[u8]; 5] = [
        b"PK\x05\x06\0\0\0\0",
        &[count, count].concat(),
        &number(central.len()),
        &number(locals.len()),
        &[0, 0],
    ];
    [locals, central, end.concat()].concat()
}

/// Writes something else into a field of a record.
fn lie(dice: &mut Dice, archive: &mut [u8]) {
    let (mark, length) = RECORDS[dice.below(RECORDS.len())];
    let starts = archive.windows(mark.len()).enumerate().filter(|(_, bytes)| *bytes == mark);
    let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    let Some(start) = starts.get(dice.below(starts.len().max(1))) else { return };
    let at = start + mark.len() + dice.below(length - mark.len());
    let lies: [&[u8]; 7] =
        [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff", b"\0\0", b"\x01", b"\0\0\0\x7f", b"\x09\0"];
    let lie = dice.one_of(&lies);
    let end = (at + lie.len()).min(archive.len());
    archive[at..end].copy_from_slice(&lie[..end - at]);
}

/// A small archive whose table is one byte repeated.
fn bomb(byte: u8, matches: usize) -> Vec<u8> {
    let unpacked_length = 1 + matches * MATCH_BYTES;
    archive(&[Entry {
        name: "thb202510301.csv",
        method: 8,
        crc: crc32(std::iter::repeat_n(byte, unpacked_length)),
        unpacked_length,
        packed: deflated_run(byte, matches),
    }])
}

/// A deflate stream of one byte and `matches` longest matches of the same, with the fixed codes.
fn deflated_run(byte: u8, matches: usize) -> Vec<u8> {
    let (mut out, mut held, mut held_bits) = (Vec::new(), 0_u32, 0);
    let mut put = |bits: u32, count: u32| {
        held |= bits << held_bits;
        held_bits += count;
        while held_bits >= 8 {
            out.push(held.to_le_bytes()[0]);
            held >>= 8;
            held_bits -= 8;
        }
    };
    // A code is written from its highest bit on.
    let code = |code: u32, count: u32| code.reverse_bits() >> (32 - count);
    put(0b011, 3);
    match u32::from(byte) {
        low @ ..144 => put(code(0b0011_0000 + low, 8), 8),
        high => put(code(0b1_1001_0000 + high - 144, 9), 9),
    }
    for _ in 0..matches {
        // The length 258, and the distance 1.
        put(code(0b1100_0101, 8), 8);
        put(0, 5);
    }
    put(0, 7);
    put(0, 7);
    out
}

/// The remainders of all bytes, for the checksum of archives.
const REMAINDERS: [u32; 256] = {
    let mut remainders = [0; 256];
    let mut index = 0_u32;
    while index < 256 {
        let (mut crc, mut bit) = (index, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        remainders[index as usize] = crc;
        index += 1;
    }
    remainders
};

/// The checksum that archives have of a file.
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(!0, |crc, byte| REMAINDERS[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8))
}

#[test]
fn a_bomb_is_a_sound_archive_that_is_refused_for_its_size() {
    let refusal = |matches| {
        let bytes = bomb(b'0', matches);
        assert!(bytes.len() < 500_000);
        bist_feeds::parse_bulletin_zip("x", &bytes).unwrap_err().to_string()
    };
    let line = "'x', line 1: it is larger than 16384 bytes, as no true one is";
    assert_eq!(refusal(MATCHES_MAX), line);
    let whole = "'x': it is larger than 67108864 bytes, as no true one is";
    assert_eq!(refusal(MATCHES_MAX + 1), whole);
}
