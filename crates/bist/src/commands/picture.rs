//! Plots as files, in SVG or PNG.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use bist_app::plots::{PixelRatio, png};
use bist_market::Origin;
use bist_models::explain::plot::{Canvas, Drawing, Language, Palette, Theme};
use clap::ValueEnum;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Ground {
    /// Dark marks on white
    Light,
    /// Light marks on dark
    Dark,
}

/// The format of a picture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Svg,
    Png,
}

impl Format {
    /// That which the ending of `path` names.
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => bail!("{} is no picture; give a file that ends in .svg or .png", path.display()),
        }
    }

    pub(super) fn write(self, drawing: &Drawing, path: &Path) -> anyhow::Result<()> {
        let bytes = match self {
            Self::Svg => drawing.svg().into_bytes(),
            Self::Png => png(drawing, PixelRatio::Two)?,
        };
        fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
    }
}

/// Where plots are drawn.
pub(super) const fn canvas(ground: Ground, language: Language) -> Canvas {
    Canvas {
        width: 960,
        height: 640,
        theme: match ground {
            Ground::Light => Theme::Light,
            Ground::Dark => Theme::Dark,
        },
        palette: Palette::Standard,
        language,
    }
}

/// Whether the data are real, in a word.
pub(super) const fn origin_word(origin: Origin, language: Language) -> &'static str {
    match origin {
        Origin::Sample => language.pick("örnek", "sample"),
        Origin::Market => language.pick("piyasa", "market"),
    }
}
