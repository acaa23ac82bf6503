//! Colours of the plots: the tokens of the web app, in both themes and both palettes.

use std::fmt;

/// The ground that a plot stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Light marks on a dark ground.
    Dark,
    /// Dark marks on a white ground.
    Light,
}

/// How up and down are told apart by colour; a sign or a word always says it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// Green and red.
    Standard,
    /// Blue and orange, for readers who do not tell green from red.
    ColourBlind,
}

/// A colour of the sRGB space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// Red, 0 to 255.
    pub red: u8,
    /// Green, 0 to 255.
    pub green: u8,
    /// Blue, 0 to 255.
    pub blue: u8,
}

impl Colour {
    /// The colour written `#rrggbb`, from those six digits.
    pub(super) const fn rgb(hex: u32) -> Self {
        let [_, red, green, blue] = hex.to_be_bytes();
        Self { red, green, blue }
    }

    /// Relative luminance, 0 for black to 1 for white, by the definition of WCAG 2.2.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// Contrast ratio with another colour, 1 to 21, by the definition of WCAG 2.2.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The colour at `share` of the way to another, 0 to 1, each channel by itself.
    pub(super) fn towards(self, other: Self, share: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two numbers of 0 to 255"
        )]
        let channel = |from: u8, to: u8| {
            (f64::from(from) + (f64::from(to) - f64::from(from)) * share.clamp(0.0, 1.0)).round()
                as u8
        };
        Self {
            red: channel(self.red, other.red),
            green: channel(self.green, other.green),
            blue: channel(self.blue, other.blue),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

/// Steps of the scale from low to high values.
pub(super) const SCALE_STEPS: usize = 24;

/// What each colour is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens {
    /// Behind everything.
    pub(super) surface: Colour,
    /// Behind every second row, and of empty cells.
    pub(super) raised: Colour,
    /// Grid lines; decoration only.
    pub(super) line: Colour,
    /// Outlines and marks that carry meaning, and dots without a value.
    pub(super) outline: Colour,
    pub(super) text: Colour,
    pub(super) muted: Colour,
    pub(super) accent: Colour,
    /// What is to be noticed beside `accent`.
    pub(super) warn: Colour,
    pub(super) up: Colour,
    pub(super) down: Colour,
    /// Text on `up`, `down` or `accent`.
    pub(super) on_fill: Colour,
    /// Low, middle and high values of a feature; told apart by lightness or hue by readers who do
    /// not tell green from red.
    scale: [Colour; 3],
}

impl Tokens {
    pub(super) const fn of(theme: Theme, palette: Palette) -> Self {
        let (up, down) = match (theme, palette) {
            (Theme::Dark, Palette::Standard) => (0x2c_c295, 0xff_7a80),
            (Theme::Dark, Palette::ColourBlind) => (0x63_b0ff, 0xff_a552),
            (Theme::Light, Palette::Standard) => (0x03_694b, 0xb8_1d28),
            (Theme::Light, Palette::ColourBlind) => (0x0a_5cb8, 0xa3_4a00),
        };
        let (up, down) = (Colour::rgb(up), Colour::rgb(down));
        match theme {
            Theme::Dark => Self {
                surface: Colour::rgb(0x12_1821),
                raised: Colour::rgb(0x1a_2230),
                line: Colour::rgb(0x26_3141),
                outline: Colour::rgb(0x66_778c),
                text: Colour::rgb(0xe8_eef5),
                muted: Colour::rgb(0x9f_adbd),
                accent: Colour::rgb(0x79_b0ff),
                warn: Colour::rgb(0xe8_b84a),
                up,
                down,
                on_fill: Colour::rgb(0x0b_0f15),
                scale: [Colour::rgb(0x3f_8cff), Colour::rgb(0xb9_7fe8), Colour::rgb(0xff_c14a)],
            },
            Theme::Light => Self {
                surface: Colour::rgb(0xff_ffff),
                raised: Colour::rgb(0xea_eff5),
                line: Colour::rgb(0xd3_dbe5),
                outline: Colour::rgb(0x74_8398),
                text: Colour::rgb(0x0e_1a2a),
                muted: Colour::rgb(0x4d_5b6c),
                accent: Colour::rgb(0x0b_57c9),
                warn: Colour::rgb(0x7d_5200),
                up,
                down,
                on_fill: Colour::rgb(0xff_ffff),
                scale: [Colour::rgb(0x1f_6fe0), Colour::rgb(0x8a_3fa0), Colour::rgb(0xc9_6a00)],
            },
        }
    }

    /// Up where `value` is at least zero.
    pub(super) const fn of_sign(&self, value: f64) -> Colour {
        if value < 0.0 { self.down } else { self.up }
    }

    /// The colour at `share` of the scale, 0 low to 1 high.
    pub(super) fn scale_at(&self, share: f64) -> Colour {
        let [low, middle, high] = self.scale;
        if share < 0.5 {
            low.towards(middle, share * 2.0)
        } else {
            middle.towards(high, share * 2.0 - 1.0)
        }
    }

    /// The scale in [`SCALE_STEPS`] steps, and behind them the colour of what has no value.
    pub(super) fn scale_colours(&self) -> Vec<Colour> {
        let step = |i: usize| self.scale_at(i as f64 / (SCALE_STEPS - 1) as f64);
        (0..SCALE_STEPS).map(step).chain([self.outline]).collect()
    }
}

/// Where in [`Tokens::scale_colours`] a share of the scale stands; NaN is without a value.
pub(super) fn scale_step(share: f64) -> usize {
    if share.is_nan() {
        return SCALE_STEPS;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between zero and the last step"
    )]
    let step = (share.clamp(0.0, 1.0) * (SCALE_STEPS - 1) as f64).round() as usize;
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Theme, Palette); 4] = [
        (Theme::Dark, Palette::Standard),
        (Theme::Dark, Palette::ColourBlind),
        (Theme::Light, Palette::Standard),
        (Theme::Light, Palette::ColourBlind),
    ];

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        let (black, white) = (Colour::rgb(0), Colour::rgb(0xff_ffff));
        assert!((black.contrast(white) - 21.0).abs() < 1e-12);
        // The well-known grey that just passes on white.
        let grey = Colour::rgb(0x76_7676);
        assert!((4.54..4.55).contains(&white.contrast(grey)), "{}", white.contrast(grey));
    }

    #[test]
    fn text_stands_out_from_what_is_behind_it() {
        for (theme, palette) in ALL {
            let t = Tokens::of(theme, palette);
            for ground in [t.surface, t.raised] {
                for ink in [t.text, t.muted, t.accent, t.warn, t.up, t.down] {
                    let contrast = ink.contrast(ground);
                    assert!(
                        contrast >= 4.5,
                        "{theme:?} {palette:?}: {ink} on {ground}: {contrast}"
                    );
                }
            }
            for fill in [t.up, t.down, t.accent] {
                let contrast = t.on_fill.contrast(fill);
                assert!(contrast >= 4.5, "{theme:?} {palette:?}: text on {fill}: {contrast}");
            }
        }
    }

    #[test]
    fn marks_stand_out_from_the_surface() {
        for (theme, palette) in ALL {
            let t = Tokens::of(theme, palette);
            for mark in t.scale_colours() {
                let contrast = mark.contrast(t.surface);
                assert!(contrast >= 3.0, "{theme:?}: {mark} on the surface: {contrast}");
            }
        }
    }

    #[test]
    fn shares_of_the_scale_become_steps() {
        assert_eq!([0.0, 0.5, 1.0, 7.0].map(scale_step), [0, 12, 23, 23]);
        assert_eq!(scale_step(f64::NAN), SCALE_STEPS);
        assert_eq!(
            Tokens::of(Theme::Dark, Palette::Standard).scale_colours().len(),
            SCALE_STEPS + 1
        );
    }
}
