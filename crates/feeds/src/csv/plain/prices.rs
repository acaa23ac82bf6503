//! Prices of up to six digits, read eight bytes at a time.
//!
//! The prices of a file mostly have few shapes: so many digits, a mark, so many digits, the
//! delimiter. A shape is compared with eight bytes in one go, and tells how to make a number of
//! them.

mod lanes;

use super::NUMBERS_LENGTH;
use super::number::{eight, joined, others, word_at};
use lanes::Lanes;

/// Most bytes of a price with its delimiter.
pub(super) const LENGTH_MAX: usize = 8;

/// Decimal places of a price: units of 0.0001 TRY.
const PLACES: usize = 4;

/// Room for the shapes of 1 to 6 digits before the mark and 0 to 4 after it; a power of two.
const SHAPES_COUNT: usize = 64;

/// Reads prices in units of 0.0001 TRY.
#[derive(Debug)]
pub(super) struct Prices {
    mark: u8,
    shapes: Box<[Shape; SHAPES_COUNT]>,
    /// The same shapes, for four prices at once.
    lanes: Box<[Lanes; SHAPES_COUNT]>,
    /// The shape of the latest price.
    latest: usize,
}

/// How a price is written, and what makes a number of its bytes.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// What each byte is, with zeros for the digits.
    pattern: u64,
    /// Carries into the high bit of a byte that does not fit once the pattern is taken away.
    carry: u64,
    /// The high bits of the bytes that the price has, with its delimiter.
    bits: u64,
    /// The digits before the mark.
    before: u64,
    /// The digits after the mark, once they are moved over it.
    after: u64,
    /// Leading zeros to make it eight digits.
    shift_bits: u32,
    factor: u32,
    /// Bytes with the delimiter.
    length: usize,
}

/// Fits nothing: its pattern has bytes that no text has.
const NO_SHAPE: Shape = Shape {
    pattern: eight(0xff),
    carry: eight(0x80),
    bits: eight(0x80),
    before: 0,
    after: 0,
    shift_bits: 0,
    factor: 0,
    length: 0,
};

impl Prices {
    /// For a file with this decimal mark and delimiter.
    pub(super) fn new(mark: u8, delimiter: u8) -> Self {
        let mut shapes = Box::new([NO_SHAPE; SHAPES_COUNT]);
        for whole in 1..=6 {
            for decimals in 0..=PLACES {
                if let Some(shape) = Shape::of(whole, decimals, mark, delimiter) {
                    shapes[index(whole, decimals)] = shape;
                }
            }
        }
        let lanes = Box::new(shapes.each_ref().map(Lanes::of));
        Self { mark, shapes, lanes, latest: 0 }
    }

    /// The price at `at`, and where the cell behind its delimiter begins; `None` when it has none of
    /// the shapes.
    #[inline(always)]
    pub(super) fn read(&mut self, bytes: &[u8], at: usize) -> Option<(i64, usize)> {
        let word = word_at(bytes, at)?;
        let shape = &self.shapes[self.latest % SHAPES_COUNT];
        if let Some(units) = shape.read(word) {
            return Some((units, at + shape.length));
        }
        self.latest = self.shape_of(word)?;
        let shape = &self.shapes[self.latest % SHAPES_COUNT];
        shape.read(word).map(|units| (units, at + shape.length))
    }

    /// The four prices side by side with which `cells` begin, and where the cell behind the last
    /// delimiter begins; `None` when they do not all have the shape of the latest price.
    #[inline(always)]
    pub(super) fn read_four(&self, cells: &[u8; NUMBERS_LENGTH]) -> Option<([i64; 4], usize)> {
        let latest = self.latest % SHAPES_COUNT;
        let (shape, lanes) = (&self.shapes[latest], &self.lanes[latest]);
        // The bound is one for the compiler: no shape is longer.
        let length = shape.length.min(LENGTH_MAX);
        let words = [
            word_at(cells, 0)?,
            word_at(cells, length)?,
            word_at(cells, 2 * length)?,
            word_at(cells, 3 * length)?,
        ];
        Some((lanes.read(shape, words)?, 4 * length))
    }

    /// The index of the only shape that `word` may have.
    #[inline]
    fn shape_of(&self, word: u64) -> Option<usize> {
        let others = others(word ^ eight(b'0'));
        let whole = (others.trailing_zeros() / 8) as usize;
        if *word.to_le_bytes().get(whole)? != self.mark {
            return Some(index(whole, 0));
        }
        let end = ((others & others.wrapping_sub(1)).trailing_zeros() / 8) as usize;
        Some(index(whole, (end - whole - 1).min(PLACES)))
    }
}

const fn index(whole: usize, decimals: usize) -> usize {
    whole * 8 + decimals
}

impl Shape {
    /// The shape of a price of so many digits before and after the mark, if it fits into a word.
    fn of(whole: usize, decimals: usize, mark: u8, delimiter: u8) -> Option<Self> {
        let mark_length = usize::from(decimals > 0);
        let length = whole + mark_length + decimals + 1;
        if length > LENGTH_MAX {
            return None;
        }
        let mut pattern = [0; 8];
        let mut carry = [0; 8];
        let mut bits = [0; 8];
        for byte in 0..length {
            let sign = match byte {
                _ if byte == length - 1 => Some(delimiter),
                _ if byte == whole => Some(mark),
                _ => None,
            };
            pattern[byte] = sign.unwrap_or(b'0');
            carry[byte] = if sign.is_some() { 0x7f } else { 0x76 };
            bits[byte] = 0x80;
        }
        let bytes = |range: std::ops::Range<usize>| {
            let mut mask = [0; 8];
            mask[range].fill(0xff);
            u64::from_le_bytes(mask)
        };
        Some(Self {
            pattern: u64::from_le_bytes(pattern),
            carry: u64::from_le_bytes(carry),
            bits: u64::from_le_bytes(bits),
            before: bytes(0..whole),
            after: bytes(whole..whole + decimals),
            shift_bits: u32::try_from(64 - 8 * (whole + decimals)).ok()?,
            factor: 10_u32.pow(u32::try_from(PLACES - decimals).ok()?),
            length,
        })
    }

    /// The price in `word`, if it has this shape.
    #[inline(always)]
    fn read(&self, word: u64) -> Option<i64> {
        let digits = word ^ self.pattern;
        let unfit = (((digits & eight(0x7f)).wrapping_add(self.carry)) | digits) & self.bits;
        if unfit != 0 {
            return None;
        }
        let digits = (digits & self.before) | ((digits >> 8) & self.after);
        Some(i64::from(joined(digits << self.shift_bits)) * i64::from(self.factor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_all_shapes_are_read_however_they_follow_each_other() {
        let mut prices = Prices::new(b'.', b',');
        for (text, units) in [
            ("165.08", 1_650_800),
            ("9.5", 95_000),
            ("165", 1_650_000),
            ("1.0001", 10_001),
            ("999999", 9_999_990_000),
            ("12345.6", 123_456_000),
            ("00.25", 2_500),
            ("1650.75", 16_507_500),
        ] {
            let line = format!("x{text},2.25,3");
            assert_eq!(prices.read(line.as_bytes(), 1), Some((units, text.len() + 2)), "{text}");
        }
    }

    /// Reads four prices at once and one by one, once the latest price was `latest`.
    #[track_caller]
    fn check_four(latest: &str, four: [&str; 4], expected: Option<[i64; 4]>) {
        let mut prices = Prices::new(b'.', b',');
        let line = format!("{latest},{},1234567\n", four.join(","));
        let (_, mut at) = prices.read(format!("{latest},12345678").as_bytes(), 0).unwrap();
        let cells = format!("{:\n<64}", &line[at..]);
        let read = prices.read_four(cells.as_bytes().first_chunk().unwrap());
        let length = four.iter().map(|price| price.len() + 1).sum();
        assert_eq!(read, expected.map(|units| (units, length)), "{line}");
        for units in expected.into_iter().flatten() {
            let (one, end) = prices.read(line.as_bytes(), at).unwrap();
            assert_eq!(one, units, "{line}");
            at = end;
        }
    }

    #[test]
    fn four_prices_of_the_latest_shape_are_read_at_once() {
        let four = ["165.08", "166.27", "165.04", "999.99"];
        check_four("100.00", four, Some([1_650_800, 1_662_700, 1_650_400, 9_999_900]));
        check_four("1", ["0", "9", "5", "1"], Some([0, 90_000, 50_000, 10_000]));
        let four = ["999999", "100000", "000001", "123456"];
        check_four("654321", four, Some([9_999_990_000, 1_000_000_000, 10_000, 1_234_560_000]));
        check_four(
            "1.0000",
            ["1.0001", "9.9999", "0.0000", "1.2345"],
            Some([10_001, 99_999, 0, 12_345]),
        );
        check_four("12.34", ["12.34", "12.34", "12.34", "12.3"], None);
        for odd in
            ["1.23", "123.4", "12:34", "1:.34", "12.3/", "12.3\u{e9}", "-2.34", "12,34", "12.3;"]
        {
            check_four("12.34", ["12.34", "12.34", odd, "12.34"], None);
        }
    }

    #[test]
    fn what_has_none_of_the_shapes_is_left_alone() {
        let mut prices = Prices::new(b'.', b',');
        for text in [
            "",
            "-1.5",
            ".5",
            "5.",
            "1.23456",
            "1234567",
            "123456.7",
            "1.5e3",
            "1.5 ",
            " 1.5",
            "1.2.3",
            "1;5",
            "nan",
            "1.5\n",
            "\u{a0}1.5",
            "1\u{e9}5",
        ] {
            // Twice, the second time after a price of another shape.
            let line = format!("{text};,2.25,3,4,5");
            assert_eq!(prices.read(line.as_bytes(), 0), None, "{text}");
            assert!(prices.read(b"25.25,1.5,", 0).is_some());
            assert_eq!(prices.read(line.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(prices.read(b"1.5,", 0), None, "fewer than eight bytes are left");
    }
}
