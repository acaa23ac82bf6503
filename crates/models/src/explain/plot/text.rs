//! How wide text is, and how it is broken into lines.

use super::advances::{ADVANCES, UNITS_PER_EM};

/// How heavy text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    SemiBold,
}

/// Size and weight of text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    pub(super) size: f64,
    pub(super) weight: Weight,
}

impl Font {
    pub(super) const TITLE: Self = Self { size: 16.0, weight: Weight::SemiBold };
    pub(super) const LABEL: Self = Self { size: 13.0, weight: Weight::Regular };
    pub(super) const STRONG: Self = Self { size: 13.0, weight: Weight::SemiBold };
    pub(super) const SMALL: Self = Self { size: 12.0, weight: Weight::Regular };

    /// From one line of text to the next, px.
    pub(super) const fn line_height(self) -> f64 {
        self.size * 1.25
    }

    /// From the middle of a line of text down to its baseline, px.
    pub(super) const fn baseline(self) -> f64 {
        self.size * 0.36
    }

    /// Width of `text`, px, without kerning, which is seldom more than a hundredth.
    ///
    /// A character that the typeface lacks counts as one em.
    pub(super) fn width(self, text: &str) -> f64 {
        let units = |c: char| {
            ADVANCES.binary_search_by_key(&c, |(known, ..)| *known).map_or(UNITS_PER_EM, |i| {
                let (_, regular, semi_bold) = ADVANCES[i];
                f64::from(match self.weight {
                    Weight::Regular => regular,
                    Weight::SemiBold => semi_bold,
                })
            })
        };
        text.chars().map(units).sum::<f64>() / UNITS_PER_EM * self.size
    }
}

/// Text in lines that fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) lines: Vec<String>,
    /// Whether an ellipsis stands for the end of the text.
    pub(super) elided: bool,
}

/// Breaks `text` at blanks, and words that are too wide anywhere, into at most `lines_max` lines of
/// `width_max` px; what is over is elided.
pub(super) fn wrap(text: &str, font: Font, width_max: f64, lines_max: usize) -> Wrapped {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if font.width(&joined) <= width_max {
            *line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for c in word.chars() {
            let line = lines.last_mut().expect("there is a first line");
            line.push(c);
            if font.width(line) > width_max && line.chars().count() > 1 {
                line.pop();
                lines.push(c.to_string());
            }
        }
    }
    let elided = lines.len() > lines_max;
    if elided {
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            while !last.is_empty() && font.width(last) + font.width("…") > width_max {
                last.pop();
            }
            last.truncate(last.trim_end().len());
            last.push('…');
        }
    }
    Wrapped { lines, elided }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "20 günlük ortalama hacmin 252 günlük ortalamasına oranı çok yüksek";

    #[test]
    fn characters_are_in_order_for_the_search() {
        assert!(ADVANCES.is_sorted_by_key(|(c, ..)| *c));
    }

    #[test]
    fn width_is_that_of_the_typeface() {
        // Advances of A, g-breve and dotless i in Inter 4.001.
        let sum = f64::from(1413 + 1256 + 496) / 2048.0 * 13.0;
        assert!((Font::LABEL.width("Ağı") - sum).abs() < 1e-12);
        assert!(Font::STRONG.width("Ağı") > sum);
        assert!((Font::LABEL.width("漢") - 13.0).abs() < 1e-12);
    }

    #[test]
    fn lines_fit_and_lose_no_word() {
        let wrapped = wrap(LONG, Font::LABEL, 150.0, 4);
        assert!(!wrapped.elided);
        assert_eq!(wrapped.lines.join(" "), LONG);
        assert!(wrapped.lines.iter().all(|line| Font::LABEL.width(line) <= 150.0));
    }

    #[test]
    fn what_is_over_is_elided() {
        let wrapped = wrap(LONG, Font::LABEL, 150.0, 2);
        assert!(wrapped.elided);
        assert_eq!(wrapped.lines.len(), 2);
        assert!(wrapped.lines[1].ends_with('…'));
        assert!(wrapped.lines.iter().all(|line| Font::LABEL.width(line) <= 150.0));
    }

    #[test]
    fn a_word_wider_than_the_line_is_broken() {
        let wrapped = wrap(&"x".repeat(100), Font::SMALL, 60.0, 20);
        assert_eq!(wrapped.lines.concat().len(), 100);
        assert!(wrapped.lines.iter().all(|line| Font::SMALL.width(line) <= 60.0));
    }

    #[test]
    fn nothing_is_one_empty_line() {
        assert_eq!(
            wrap(" ", Font::SMALL, 60.0, 2),
            Wrapped { lines: vec![String::new()], elided: false }
        );
    }
}
