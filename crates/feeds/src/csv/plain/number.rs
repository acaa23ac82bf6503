//! Whole numbers, and numbers of any length, straight from bytes.
//!
//! The arithmetic on eight digits in one register is that of D. Lemire, "Number parsing at a
//! gigabyte per second", Software: Practice and Experience 51 (2021), section 3.

/// Most digits that are read here: with four places more they still fit.
const DIGITS_MAX: usize = 14;

/// Bytes that [`whole`] looks at.
pub(super) const WHOLE_LENGTH_MAX: usize = 16;

/// Every byte of a word set to this.
pub(super) const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The eight bytes at `at`, the first the lowest.
#[inline(always)]
pub(super) fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The high bit of each byte of `digits` that is not 0 to 9.
#[inline(always)]
pub(super) const fn others(digits: u64) -> u64 {
    (((digits & eight(0x7f)) + eight(0x76)) | digits) & eight(0x80)
}

/// The number of the eight digits in `digits`, each a byte, the first the lowest.
#[inline(always)]
pub(super) const fn joined(digits: u64) -> u32 {
    const PAIRS: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let high = (pairs & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let low = ((pairs >> 16) & PAIRS).wrapping_mul(1 + (10_000 << 32));
    (high.wrapping_add(low) >> 32) as u32
}

/// The number of at most [`DIGITS_MAX`] digits at `at`, and where it ends.
#[inline(always)]
pub(super) fn whole(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let digits = word_at(bytes, at)? ^ eight(b'0');
    match digits_count(digits) {
        length @ 1..8 => Some((first(digits, length), at + length)),
        8 => {
            let more = word_at(bytes, at + 8)? ^ eight(b'0');
            let length = digits_count(more);
            let power = POWERS.get(length)?;
            let number = i64::from(joined(digits)) * power + first(more, length);
            Some((number, at + 8 + length))
        }
        _ => None,
    }
}

/// Ten to the power of each number of digits that may follow the first eight.
const POWERS: [i64; DIGITS_MAX - 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/// With how many digits `digits` begins.
#[inline(always)]
const fn digits_count(digits: u64) -> usize {
    (others(digits).trailing_zeros() / 8) as usize
}

/// The number of the first `length` digits, fewer than eight; zero of none.
#[inline(always)]
fn first(digits: u64, length: usize) -> i64 {
    // Leading zeros make it eight digits.
    i64::from(joined((digits << 8) << (56 - 8 * length)))
}

/// The number at `at`, digits with at most one mark among them, times ten to the power of `places`
/// (at most 4) and rounded half to even; and where it ends.
///
/// `None` for any other spelling, which then is to be read by [`crate::decimal`].
pub(super) fn scaled(bytes: &[u8], at: usize, mark: u8, places: usize) -> Option<(i64, usize)> {
    let mut units: i64 = 0;
    let mut kept = 0;
    // Places behind the mark, once it was seen.
    let mut decimals: Option<usize> = None;
    let mut first_dropped = 0;
    let mut more_dropped = false;
    let mut length = 0;
    for byte in bytes.get(at..)? {
        match byte {
            b'0'..=b'9' => {
                let digit = byte - b'0';
                match &mut decimals {
                    Some(decimals) if *decimals >= places => {
                        if *decimals == places {
                            first_dropped = digit;
                        } else {
                            more_dropped |= digit > 0;
                        }
                        *decimals += 1;
                    }
                    within => {
                        units = units * 10 + i64::from(digit);
                        kept += 1;
                        if kept > DIGITS_MAX {
                            return None;
                        }
                        if let Some(decimals) = within {
                            *decimals += 1;
                        }
                    }
                }
            }
            _ if *byte == mark && decimals.is_none() => decimals = Some(0),
            _ => break,
        }
        length += 1;
    }
    let decimals = decimals.unwrap_or_default();
    // At the end of the text more might have followed.
    if kept == 0 || at + length == bytes.len() {
        return None;
    }
    for _ in decimals.min(places)..places {
        units *= 10;
    }
    let above_half = first_dropped > 5 || (first_dropped == 5 && more_dropped);
    if above_half || (first_dropped == 5 && units % 2 == 1) {
        units += 1;
    }
    Some((units, at + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::{self, DecimalMark};

    /// Reads `text` here and with the careful reader, which must agree.
    #[track_caller]
    fn check(text: &str, places: usize, expected: Option<i64>) {
        for (mark, text) in
            [(DecimalMark::Point, text.to_owned()), (DecimalMark::Comma, text.replace('.', ","))]
        {
            let byte = if mark == DecimalMark::Point { b'.' } else { b',' };
            let line = format!("x{text};1.5;2,5;");
            let read = scaled(line.as_bytes(), 1, byte, places);
            assert_eq!(read, expected.map(|units| (units, 1 + text.len())), "{text:?}");
            let careful = match places {
                0 => decimal::shares(&text, mark),
                _ => decimal::price_units(&text, mark),
            };
            if let Some(units) = expected {
                assert_eq!(careful, Ok(units), "{text:?}");
            }
        }
    }

    #[test]
    fn plain_numbers_are_read_as_the_careful_reader_reads_them() {
        check("1", 4, Some(10_000));
        check("165.08", 4, Some(1_650_800));
        check("0.0001", 4, Some(1));
        check("1234567.8", 4, Some(12_345_678_000));
        check(".5", 4, Some(5_000));
        check("5.", 4, Some(50_000));
        check("1.9658209900182924", 4, Some(19_658));
        check("1.00005", 4, Some(10_000));
        check("1.00015", 4, Some(10_002));
        check("1.000050000000000000000000000001", 4, Some(10_001));
        check("9.99995", 4, Some(100_000));
        check("9876543210", 0, Some(9_876_543_210));
        check("6762047.0", 0, Some(6_762_047));
        check("2.5", 0, Some(2));
        check("3.5", 0, Some(4));
    }

    #[test]
    fn any_other_spelling_is_left_to_the_careful_reader() {
        for text in ["", ".", "-1.5", "nan", " 1"] {
            check(text, 4, None);
        }
        check("123456789012345", 0, None);
        // The careful reader would go on where this one stops, so the row is not plain.
        let stops = |text: &str| scaled(text.as_bytes(), 0, b'.', 4).map(|(_, end)| end);
        assert_eq!(stops("1.5e3,"), Some(3));
        assert_eq!(stops("1 234.5,"), Some(1));
        assert_eq!(stops("1.234.567,"), Some(5));
        assert_eq!(stops("12345678"), None);
    }

    #[test]
    fn whole_numbers_are_read_at_a_glance() {
        let read = |text: &str| whole(text.as_bytes(), 1);
        assert_eq!(read("x0,123456"), Some((0, 2)));
        assert_eq!(read("x509981\nx"), Some((509_981, 7)));
        assert_eq!(read("x1419703\n"), Some((1_419_703, 8)));
        assert_eq!(read("x12345678,1234567"), Some((12_345_678, 9)));
        assert_eq!(read("x40096085\n2026-08"), Some((40_096_085, 9)));
        assert_eq!(read("x123456789\n123456"), Some((123_456_789, 10)));
        assert_eq!(read("x98765432109876,1"), Some((98_765_432_109_876, 15)));
        for text in [
            "x,12345678",
            "x12,",
            "x12345678,",
            "x-1234567",
            "xé234567",
            "x123456789012345,",
            "x1234567890123456",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
