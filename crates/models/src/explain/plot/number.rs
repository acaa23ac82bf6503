//! Numbers as readers of a language write them.

use super::Language;

/// What a number is, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A log-return, written as percent: a hundred times the number, so that parts written beside
    /// each other still add up. (The simple return, `exp(x) - 1`, would not.)
    LogReturn,
    /// A share of one, written as percent.
    Share,
    /// A bare number.
    Plain,
}

/// Most decimals that are written.
const DECIMALS_MAX: usize = 6;

impl Unit {
    /// What is written for one.
    pub(super) const fn factor(self) -> f64 {
        match self {
            Self::LogReturn | Self::Share => 100.0,
            Self::Plain => 1.0,
        }
    }

    /// Decimals that give a number as large as `largest` three significant digits.
    pub(super) fn decimals(self, largest: f64) -> usize {
        decimals_from(2, largest * self.factor())
    }

    /// Decimals that tell apart numbers which differ by `step`, a multiple of a power of ten.
    pub(super) fn decimals_of_step(self, step: f64) -> usize {
        decimals_from(0, step * self.factor())
    }

    /// `value` with `decimals` digits behind the point.
    pub(super) fn write(self, value: f64, decimals: usize, language: Language) -> String {
        self.written(value, decimals, "", language)
    }

    /// The same, with a plus sign before what is not negative and not written as zero.
    pub(super) fn write_signed(self, value: f64, decimals: usize, language: Language) -> String {
        self.written(value, decimals, "+", language)
    }

    fn written(self, value: f64, decimals: usize, plus: &str, language: Language) -> String {
        let size = format!("{:.decimals$}", value.abs() * self.factor());
        let zero = size.bytes().all(|b| matches!(b, b'0' | b'.'));
        let sign = match (zero, value < 0.0) {
            (true, _) => "",
            (false, true) => "\u{2212}",
            (false, false) => plus,
        };
        let size = grouped(&size, language);
        match (self, language) {
            (Self::Plain, _) => format!("{sign}{size}"),
            (Self::LogReturn | Self::Share, Language::Turkish) => format!("{sign}%{size}"),
            (Self::LogReturn | Self::Share, Language::English) => format!("{sign}{size}%"),
        }
    }
}

/// Decimals of a number of this size that is to have `behind` digits behind its first.
fn decimals_from(behind: usize, size: f64) -> usize {
    let size = size.abs();
    if !size.is_finite() || size <= 0.0 {
        return behind.min(DECIMALS_MAX);
    }
    // A step of 0.1 may come out as 0.0999...
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a double is small")]
    let first = (size.log10() + 1e-9).floor() as i64;
    let wanted = i64::try_from(behind).unwrap_or(0) - first;
    usize::try_from(wanted.max(0)).unwrap_or(0).min(DECIMALS_MAX)
}

/// Digits in groups of three, with the marks of the language.
fn grouped(digits: &str, language: Language) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (group, point) = match language {
        Language::Turkish => ('.', ','),
        Language::English => (',', '.'),
    };
    let mut text = String::with_capacity(digits.len() + 4);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(group);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(point);
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unit: Unit, value: f64, decimals: usize, turkish: &str, english: &str) {
        assert_eq!(unit.write_signed(value, decimals, Language::Turkish), turkish);
        assert_eq!(unit.write_signed(value, decimals, Language::English), english);
    }

    #[test]
    fn each_language_has_its_marks() {
        check(Unit::LogReturn, 0.0123, 2, "+%1,23", "+1.23%");
        check(Unit::LogReturn, -0.0003, 3, "−%0,030", "−0.030%");
        check(Unit::Share, 0.5, 0, "+%50", "+50%");
        check(Unit::Plain, 1_234_567.891, 1, "+1.234.567,9", "+1,234,567.9");
        check(Unit::Plain, -999.0, 0, "−999", "−999");
    }

    #[test]
    fn what_is_written_as_zero_has_no_sign() {
        check(Unit::Plain, -0.004, 2, "0,00", "0.00");
        check(Unit::LogReturn, 0.0, 1, "%0,0", "0.0%");
    }

    #[test]
    fn decimals_follow_the_size() {
        assert_eq!(Unit::LogReturn.decimals(0.0123), 2);
        assert_eq!(Unit::LogReturn.decimals(0.0003), 4);
        assert_eq!(Unit::Plain.decimals(1500.0), 0);
        assert_eq!(Unit::Plain.decimals(0.0), 2);
        assert_eq!(Unit::Plain.decimals_of_step(0.1), 1);
        assert_eq!(Unit::Plain.decimals_of_step(0.05), 2);
        assert_eq!(Unit::Plain.decimals_of_step(20.0), 0);
        assert_eq!(Unit::LogReturn.decimals_of_step(0.001), 1);
    }
}
