//! Decimal numbers as text, to integers without a float in between.

use std::borrow::Cow;

use bist_market::Refusal;

use crate::rows::shortened;

/// Decimal places of a price: units of 0.0001 TRY.
const PRICE_PLACES: i32 = 4;

/// The largest exponent and the longest text we follow; past them a cell is no price of anything.
const EXPONENT_MAX: i32 = 400;

/// Which of the two marks separates the decimals; the other one then groups thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalMark {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

impl DecimalMark {
    fn of(mark: u8) -> Self {
        if mark == b',' { Self::Comma } else { Self::Point }
    }

    fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }
}

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberFault {
    NotANumber,
    TooLarge,
}

impl NumberFault {
    /// The reason for refusing the row whose `field` holds `text`.
    pub(crate) fn refusal(self, field: &str, text: &str) -> Refusal {
        let (field, text) = (field.to_owned(), shortened(text));
        match self {
            Self::NotANumber => Refusal::NotANumber { field, text },
            Self::TooLarge => Refusal::NumberTooLarge { field, text },
        }
    }
}

/// What one number says about the marks of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Nothing: digits only, and few.
    None,
    /// Four digits or more before any mark: this file does not group thousands here.
    Ungrouped,
    /// One mark and exactly three digits after it: thousands, or three decimals.
    Unclear(DecimalMark),
    /// This mark separates decimals.
    Decimal(DecimalMark),
}

/// Whether the cell is one of the words that stand for no value.
pub(crate) fn is_null(text: &str) -> bool {
    const NULLS: [&str; 8] = ["nan", "null", "none", "n/a", "#n/a", "na", "-", "--"];
    text.is_empty() || (text.len() <= 4 && NULLS.iter().any(|null| text.eq_ignore_ascii_case(null)))
}

/// What `text` tells about the decimal mark.
pub(crate) fn evidence(text: &str) -> Evidence {
    let number = text.split(['e', 'E']).next().unwrap_or(text);
    let is_mark = |b: u8| b == b'.' || b == b',';
    let bytes = number.as_bytes();
    let Some(last) = bytes.iter().rposition(|b| is_mark(*b)) else {
        let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
        return if digits > 3 { Evidence::Ungrouped } else { Evidence::None };
    };
    let mark = DecimalMark::of(bytes[last]);
    let before = &bytes[..last];
    if before.contains(&bytes[last]) {
        // 1.234.567: the mark is repeated, so it groups, and the other separates decimals.
        return Evidence::Decimal(mark.other());
    }
    if before.iter().any(|b| is_mark(*b)) {
        return Evidence::Decimal(mark);
    }
    let whole: Vec<u8> = before.iter().copied().filter(u8::is_ascii_digit).collect();
    let places = bytes[last + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let could_group = places == 3 && matches!(whole.len(), 1..=3) && whole[0] != b'0';
    if could_group { Evidence::Unclear(mark) } else { Evidence::Decimal(mark) }
}

/// A number of a format that never groups thousands, where either mark separates decimals, written
/// with a point. With both marks it is none: no reader takes it for one.
pub(crate) fn with_point(text: &str) -> Cow<'_, str> {
    if text.contains(',') { Cow::Owned(text.replace(',', ".")) } else { Cow::Borrowed(text) }
}

/// A price in units of 0.0001 TRY, rounded half to even.
pub(crate) fn price_units(text: &str, mark: DecimalMark) -> Result<i64, NumberFault> {
    scaled(text, mark, PRICE_PLACES)
}

/// A number of shares, rounded half to even; `K`, `M`, `Mn`, `B`, `Bn` and `Mr` multiply.
pub(crate) fn shares(text: &str, mark: DecimalMark) -> Result<i64, NumberFault> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let places = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 3,
        "m" | "mn" => 6,
        "b" | "bn" | "mr" => 9,
        _ => return Err(NumberFault::NotANumber),
    };
    scaled(digits.trim_end(), mark, places)
}

/// A number of lira for statistics.
pub(crate) fn lira(text: &str, mark: DecimalMark) -> Result<f64, NumberFault> {
    // Through the strict grammar first, so that what is a number does not depend on the column.
    Number::read(text, mark)?;
    if mark == DecimalMark::Point
        && let Ok(value) = text.parse::<f64>()
    {
        return if value.is_finite() { Ok(value) } else { Err(NumberFault::TooLarge) };
    }
    let plain: String = text
        .chars()
        .filter_map(|c| match c {
            ',' | '.' if DecimalMark::of(c as u8) == mark => Some('.'),
            ',' | '.' | ' ' | '\u{a0}' | '\u{202f}' => None,
            other => Some(other),
        })
        .collect();
    match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(NumberFault::TooLarge),
        Err(_) => Err(NumberFault::NotANumber),
    }
}

/// The number times ten to the power of `places`, rounded half to even.
fn scaled(text: &str, mark: DecimalMark, places: i32) -> Result<i64, NumberFault> {
    let number = Number::read(text, mark)?;
    // Digits that stand before the point once the number is multiplied.
    let kept = number.whole_digits + number.exponent + places;
    let mut units: i64 = 0;
    let mut seen = 0;
    let mut first_dropped = 0;
    let mut more_dropped = false;
    for digit in number.digits() {
        if seen < kept {
            units = units
                .checked_mul(10)
                .and_then(|u| u.checked_add(i64::from(digit)))
                .ok_or(NumberFault::TooLarge)?;
        } else if seen == kept {
            first_dropped = digit;
        } else {
            more_dropped |= digit > 0;
        }
        seen += 1;
    }
    while seen < kept && units != 0 {
        units = units.checked_mul(10).ok_or(NumberFault::TooLarge)?;
        seen += 1;
    }
    let above_half = first_dropped > 5 || (first_dropped == 5 && more_dropped);
    if kept >= 0 && (above_half || (first_dropped == 5 && units % 2 == 1)) {
        units = units.checked_add(1).ok_or(NumberFault::TooLarge)?;
    }
    Ok(if number.negative { -units } else { units })
}

/// A number taken apart: sign, digits with marks among them, exponent.
struct Number<'a> {
    negative: bool,
    /// Digits, grouping marks and at most one decimal mark.
    mantissa: &'a str,
    /// Digits before the decimal mark.
    whole_digits: i32,
    exponent: i32,
}

impl<'a> Number<'a> {
    fn read(text: &'a str, mark: DecimalMark) -> Result<Self, NumberFault> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (decimal, group) = match mark {
            DecimalMark::Point => ('.', ','),
            DecimalMark::Comma => (',', '.'),
        };
        let (whole, part) = mantissa.split_once(decimal).unwrap_or((mantissa, ""));
        let whole_digits = grouped_digits(whole, group).ok_or(NumberFault::NotANumber)?;
        let part_is_digits = part.bytes().all(|b| b.is_ascii_digit());
        if !part_is_digits || (whole_digits == 0 && part.is_empty()) {
            return Err(NumberFault::NotANumber);
        }
        let whole_digits = i32::try_from(whole_digits).map_err(|_| NumberFault::TooLarge)?;
        if whole_digits > EXPONENT_MAX {
            return Err(NumberFault::TooLarge);
        }
        Ok(Self { negative, mantissa, whole_digits, exponent })
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.mantissa.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0')
    }
}

fn exponent(text: &str) -> Result<i32, NumberFault> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberFault::NotANumber);
    }
    match text.parse::<i32>() {
        Ok(exponent) if exponent.abs() <= EXPONENT_MAX => Ok(exponent),
        _ => Err(NumberFault::TooLarge),
    }
}

/// The number of digits of a whole part such as `1.234.567` or `1234567`; `None` when it has
/// anything else, or groups that are not of three.
fn grouped_digits(whole: &str, group: char) -> Option<usize> {
    if whole.bytes().all(|b| b.is_ascii_digit()) {
        return Some(whole.len());
    }
    let is_group = |c: char| c == group || matches!(c, ' ' | '\u{a0}' | '\u{202f}');
    let mut digits = 0;
    for (index, part) in whole.split(is_group).enumerate() {
        let fits = if index == 0 { matches!(part.len(), 1..=3) } else { part.len() == 3 };
        if !fits || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits += part.len();
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, mark: DecimalMark, expected: Result<i64, NumberFault>) {
        assert_eq!(price_units(text, mark), expected, "{text:?}");
    }

    #[test]
    fn a_price_is_rounded_half_to_even_on_its_digits() {
        use DecimalMark::Point;
        check("312.5", Point, Ok(3_125_000));
        check("1.9658209900182924", Point, Ok(19_658));
        check("1.00005", Point, Ok(10_000));
        check("1.00015", Point, Ok(10_002));
        check("1.000050000000000000000000000001", Point, Ok(10_001));
        check("0.00005", Point, Ok(0));
        check("0.000051", Point, Ok(1));
        check("0.00000051", Point, Ok(0));
        check("-120402.8515625", Point, Ok(-1_204_028_516));
        check("-0.0", Point, Ok(0));
        check(".5", Point, Ok(5_000));
        check("5.", Point, Ok(50_000));
        check("007", Point, Ok(70_000));
    }

    #[test]
    fn exponents_move_the_point() {
        use DecimalMark::Point;
        check("1.2e3", Point, Ok(12_000_000));
        check("1.2E-3", Point, Ok(12));
        check("25e-6", Point, Ok(0));
        check("5e-5", Point, Ok(0));
        check("15e-5", Point, Ok(2));
        check("0e400", Point, Ok(0));
        check("1e400", Point, Err(NumberFault::TooLarge));
        check("1e99999999999", Point, Err(NumberFault::TooLarge));
        check("1e", Point, Err(NumberFault::NotANumber));
    }

    #[test]
    fn thousands_stand_in_groups_of_three() {
        check("1,234.56", DecimalMark::Point, Ok(12_345_600));
        check("1.234,56", DecimalMark::Comma, Ok(12_345_600));
        check("12.345.678", DecimalMark::Comma, Ok(123_456_780_000));
        check("1 234,5", DecimalMark::Comma, Ok(12_345_000));
        for text in ["1,23.4", "12,34", "1,,234", ",123", "1,234,", "1.2.3", "1.234.567,8"] {
            check(text, DecimalMark::Point, Err(NumberFault::NotANumber));
        }
    }

    #[test]
    fn text_is_not_a_number() {
        for text in ["abc", "", "+", "-", ".", "1a", "inf", "0x10", "1-2", "--1", "١٢"] {
            check(text, DecimalMark::Point, Err(NumberFault::NotANumber));
        }
        check("922337203685477.5808", DecimalMark::Point, Err(NumberFault::TooLarge));
    }

    #[test]
    fn volumes_take_suffixes() {
        let read = |text| shares(text, DecimalMark::Comma);
        assert_eq!(read("35,21M"), Ok(35_210_000));
        assert_eq!(read("1,02B"), Ok(1_020_000_000));
        assert_eq!(read("512K"), Ok(512_000));
        assert_eq!(read("2,5 Mn"), Ok(2_500_000));
        assert_eq!(read("1 Mr"), Ok(1_000_000_000));
        assert_eq!(shares("6762047.0", DecimalMark::Point), Ok(6_762_047));
        assert_eq!(read("12X"), Err(NumberFault::NotANumber));
        assert_eq!(read("M"), Err(NumberFault::NotANumber));
    }

    #[test]
    fn the_marks_of_one_number_tell_or_do_not_tell() {
        use DecimalMark::{Comma, Point};
        assert_eq!(evidence("12.34"), Evidence::Decimal(Point));
        assert_eq!(evidence("12,34"), Evidence::Decimal(Comma));
        assert_eq!(evidence("1.234,56"), Evidence::Decimal(Comma));
        assert_eq!(evidence("1,234.567"), Evidence::Decimal(Point));
        assert_eq!(evidence("1.234.567"), Evidence::Decimal(Comma));
        assert_eq!(evidence("0.123"), Evidence::Decimal(Point));
        assert_eq!(evidence("1234.567"), Evidence::Decimal(Point));
        assert_eq!(evidence("1.234"), Evidence::Unclear(Point));
        assert_eq!(evidence("35,210M"), Evidence::Unclear(Comma));
        assert_eq!(evidence("1234"), Evidence::Ungrouped);
        assert_eq!(evidence("12"), Evidence::None);
    }

    #[test]
    fn an_adjusted_close_is_a_float_of_the_same_grammar() {
        assert_eq!(lira("1.234,5", DecimalMark::Comma), Ok(1234.5));
        assert_eq!(lira("1.2e3", DecimalMark::Point), Ok(1200.0));
        assert_eq!(lira("inf", DecimalMark::Point), Err(NumberFault::NotANumber));
    }
}
