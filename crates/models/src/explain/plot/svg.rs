//! The few elements of SVG that plots are made of, written as text.
//!
//! Only presentation attributes: no style attribute, no script, no id, no address, so that the text
//! can stand in a page with a strict content security policy, and several times in one page.

use std::fmt::{self, Write as _};

use super::text::{Font, Weight};
use super::theme::Colour;

/// Where text stands relative to its x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Elements in the order in which they are painted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn push(&mut self, written: fmt::Arguments<'_>) {
        self.text.write_fmt(written).expect("text can be written to a string");
    }

    /// A filled rectangle with corners of radius `round`; widths below zero are zero.
    pub(super) fn rect(&mut self, [x, y, width, height]: [f64; 4], round: f64, fill: Colour) {
        let (x, y) = (Px(x), Px(y));
        let (width, height) = (Px(width.max(0.0)), Px(height.max(0.0)));
        self.push(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\""));
        if round > 0.0 {
            self.push(format_args!(" rx=\"{}\"", Px(round)));
        }
        self.push(format_args!(" fill=\"{fill}\"/>"));
    }

    /// A rectangle through which what lies below is seen a little.
    pub(super) fn veil(&mut self, [x, y, width, height]: [f64; 4], fill: Colour) {
        let [x, y, width, height] = [x, y, width, height].map(Px);
        self.push(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\" fill-opacity=\"0.8\"/>"
        ));
    }

    pub(super) fn line(&mut self, from: [f64; 2], to: [f64; 2], width: f64, stroke: Colour) {
        self.push_line(from, to, width, stroke, "");
    }

    pub(super) fn dashed_line(&mut self, from: [f64; 2], to: [f64; 2], stroke: Colour) {
        self.push_line(from, to, 1.0, stroke, " stroke-dasharray=\"3 3\"");
    }

    fn push_line(&mut self, from: [f64; 2], to: [f64; 2], width: f64, stroke: Colour, more: &str) {
        let ([x1, y1], [x2, y2]) = (from.map(Px), to.map(Px));
        self.push(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{stroke}\" stroke-width=\"{}\"{more}/>",
            Px(width)
        ));
    }

    pub(super) fn polygon(&mut self, corners: &[[f64; 2]], fill: Colour) {
        self.push(format_args!("<path d=\""));
        self.push_corners(corners);
        self.push(format_args!("Z\" fill=\"{fill}\"/>"));
    }

    pub(super) fn polyline(
        &mut self,
        corners: &[[f64; 2]],
        width: f64,
        stroke: Colour,
        opacity: f64,
    ) {
        self.push(format_args!("<path d=\""));
        self.push_corners(corners);
        self.push(format_args!(
            "\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{}\"",
            Px(width)
        ));
        if opacity < 1.0 {
            self.push(format_args!(" stroke-opacity=\"{}\"", Px(opacity)));
        }
        self.push(format_args!("/>"));
    }

    fn push_corners(&mut self, corners: &[[f64; 2]]) {
        for (i, [x, y]) in corners.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            self.push(format_args!("{command}{} {}", Px(*x), Px(*y)));
        }
    }

    pub(super) fn circle(&mut self, [x, y]: [f64; 2], radius: f64, fill: Colour) {
        self.push(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{fill}\"/>",
            Px(x),
            Px(y),
            Px(radius)
        ));
    }

    /// One line of text with its middle at the height `y`.
    pub(super) fn text(&mut self, [x, y]: [f64; 2], text: &str, font: Font, ink: Ink) {
        let anchor = match ink.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = match font.weight {
            Weight::Regular => "",
            Weight::SemiBold => " font-weight=\"600\"",
        };
        self.push(format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{weight}{anchor} fill=\"{}\">{}</text>",
            Px(x),
            Px(y + font.baseline()),
            Px(font.size),
            ink.fill,
            Escaped(text)
        ));
    }

    /// What `drawn` draws, with `title` as the words that a pointer or a screen reader finds there.
    pub(super) fn titled(&mut self, title: &str, drawn: impl FnOnce(&mut Self)) {
        self.push(format_args!("<g><title>{}</title>", Escaped(title)));
        drawn(self);
        self.push(format_args!("</g>"));
    }
}

/// Colour of text and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    pub(super) fill: Colour,
    pub(super) anchor: Anchor,
}

impl Ink {
    pub(super) const fn start(fill: Colour) -> Self {
        Self { fill, anchor: Anchor::Start }
    }

    pub(super) const fn middle(fill: Colour) -> Self {
        Self { fill, anchor: Anchor::Middle }
    }

    pub(super) const fn end(fill: Colour) -> Self {
        Self { fill, anchor: Anchor::End }
    }
}

/// A length to a hundredth of a pixel, without zeros that say nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Px(pub(super) f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.0 * 100.0).round() / 100.0;
        // Minus zero is zero.
        write!(f, "{}", rounded + 0.0)
    }
}

/// Text as it may stand between tags and in attributes; characters that XML forbids are replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' | '\r' => f.write_str(" ")?,
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                _ => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_an_element() {
        let escaped = Escaped("<script>\"a\" & 'b'\u{0}\n</script>").to_string();
        assert_eq!(escaped, "&lt;script&gt;&quot;a&quot; &amp; 'b'\u{fffd} &lt;/script&gt;");
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!(
            [1.0, 0.5, 1.0 / 3.0, -0.001].map(|x| Px(x).to_string()),
            ["1", "0.5", "0.33", "0"]
        );
    }
}
