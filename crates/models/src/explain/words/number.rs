//! Numbers as they are written in Turkish and in English.

use super::Language;

impl Language {
    /// A number to so many decimals, with groups of three: `1.234,5` and `1,234.5`.
    pub fn number(self, value: f64, decimals: usize) -> String {
        let text = format!("{:.decimals$}", value.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let (group, point) = match self {
            Self::Turkish => ('.', ','),
            Self::English => (',', '.'),
        };
        let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let mut written = String::new();
        if value < 0.0 && !is_zero {
            written.push('-');
        }
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                written.push(group);
            }
            written.push(digit);
        }
        if !fraction.is_empty() {
            written.push(point);
            written.push_str(fraction);
        }
        written
    }

    /// The same with a plus before what is above zero.
    pub fn signed_number(self, value: f64, decimals: usize) -> String {
        let written = self.number(value, decimals);
        let is_above = value > 0.0 && written.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
        if is_above { format!("+{written}") } else { written }
    }

    /// A share of one as a percentage: `%12,5` and `12.5%`.
    pub fn percent(self, share: f64, decimals: usize) -> String {
        self.with_percent_sign(&self.number(100.0 * share, decimals))
    }

    /// The same with a plus before what is above zero: `+%12,5` and `+12.5%`.
    pub fn signed_percent(self, share: f64, decimals: usize) -> String {
        self.with_percent_sign(&self.signed_number(100.0 * share, decimals))
    }

    /// In Turkish the sign of percent comes before the digits, and that of the number before it.
    fn with_percent_sign(self, number: &str) -> String {
        match self {
            Self::English => format!("{number}%"),
            Self::Turkish => {
                let digits = number.trim_start_matches(['+', '-']);
                let sign = &number[..number.len() - digits.len()];
                format!("{sign}%{digits}")
            }
        }
    }
}

/// The locative of a whole percentage in Turkish, as it is spoken: 10 is `on`, so `'da`.
///
/// The vowel follows the last one spoken, and `t` follows a voiceless consonant.
pub(super) fn locative(percentage: u32) -> &'static str {
    match (percentage % 10, percentage % 100) {
        (_, 10 | 30 | 90) | (6 | 9, _) => "'da",
        (_, 40 | 60) => "'ta",
        (_, 70) | (3..=5, _) => "'te",
        (_, 0) if percentage == 0 => "'da",
        _ => "'de",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_language() {
        let (tr, en) = (Language::Turkish, Language::English);
        assert_eq!(tr.number(1_234_567.891, 2), "1.234.567,89");
        assert_eq!(en.number(-1234.5, 1), "-1,234.5");
        assert_eq!(en.number(-0.0004, 2), "0.00");
        assert_eq!(tr.signed_number(0.31, 2), "+0,31");
        assert_eq!(tr.signed_number(0.001, 2), "0,00");
        assert_eq!(tr.percent(0.12, 0), "%12");
        assert_eq!(en.percent(0.12, 0), "12%");
        assert_eq!(tr.signed_percent(-0.0321, 2), "-%3,21");
        assert_eq!(tr.signed_percent(0.0321, 1), "+%3,2");
        assert_eq!(en.signed_percent(0.0321, 1), "+3.2%");
    }

    #[test]
    fn percentages_are_declined_as_they_are_spoken() {
        let spoken = [
            (5, "'te"),
            (10, "'da"),
            (15, "'te"),
            (20, "'de"),
            (25, "'te"),
            (30, "'da"),
            (35, "'te"),
            (40, "'ta"),
            (45, "'te"),
            (50, "'de"),
            (60, "'ta"),
            (70, "'te"),
            (80, "'de"),
            (90, "'da"),
            (100, "'de"),
            (6, "'da"),
            (9, "'da"),
            (1, "'de"),
        ];
        for (percentage, ending) in spoken {
            assert_eq!(locative(percentage), ending, "{percentage}");
        }
    }
}
