//! A finished plot: SVG text, and its many dots apart for whoever paints them faster.

use super::svg::{Escaped, Px, Svg};
use super::theme::Colour;

/// A dot of a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Px from the left edge to its middle.
    pub x: f64,
    /// Px from the upper edge to its middle.
    pub y: f64,
    /// Where in [`Dots::colours`] its colour stands.
    pub colour: usize,
}

/// The dots of a plot: opaque, all of one size, above everything else, painted in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dots {
    /// Px.
    pub radius: f64,
    /// The colours that occur.
    pub colours: Vec<Colour>,
    /// Every dot.
    pub dots: Vec<Dot>,
}

/// A finished plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    width: u32,
    height: u32,
    background: Colour,
    title: String,
    description: String,
    marks: Svg,
    dots: Dots,
}

/// What a drawing says of itself.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) title: String,
    /// What a reader who does not see it is told.
    pub(super) description: String,
}

impl Drawing {
    pub(super) fn new(
        [width, height]: [u32; 2],
        background: Colour,
        words: Words,
        marks: Svg,
        dots: Dots,
    ) -> Self {
        let Words { title, description } = words;
        Self { width, height, background, title, description, marks, dots }
    }

    /// Px.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Px.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Its dots, which [`Self::svg`] contains and [`Self::svg_without_dots`] does not.
    pub const fn dots(&self) -> &Dots {
        &self.dots
    }

    /// What a reader who does not see the plot is told.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The whole plot as an SVG document.
    pub fn svg(&self) -> String {
        self.document(true)
    }

    /// The plot without its dots, for a painter who paints them by itself.
    pub fn svg_without_dots(&self) -> String {
        self.document(false)
    }

    fn document(&self, with_dots: bool) -> String {
        let Self { width, height, background, .. } = self;
        let mut svg = Svg::default();
        svg.push(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"Inter, sans-serif\">"
        ));
        svg.push(format_args!("<title>{}</title>", Escaped(&self.title)));
        svg.push(format_args!("<desc>{}</desc>", Escaped(&self.description)));
        svg.rect([0.0, 0.0, f64::from(*width), f64::from(*height)], 0.0, *background);
        svg.push(format_args!("{}", self.marks.as_str()));
        if with_dots && !self.dots.dots.is_empty() {
            self.push_dots(&mut svg);
        }
        svg.push(format_args!("</svg>\n"));
        svg.as_str().to_owned()
    }

    /// Dots as round ends of lines without length, one path for neighbours of one colour: a tenth
    /// of the text that circles take.
    fn push_dots(&self, svg: &mut Svg) {
        let Dots { radius, colours, dots } = &self.dots;
        svg.push(format_args!(
            "<g fill=\"none\" stroke-linecap=\"round\" stroke-width=\"{}\">",
            Px(radius * 2.0)
        ));
        for run in dots.chunk_by(|a, b| a.colour == b.colour) {
            svg.push(format_args!("<path stroke=\"{}\" d=\"", colours[run[0].colour]));
            for dot in run {
                svg.push(format_args!("M{} {}h0", Px(dot.x), Px(dot.y)));
            }
            svg.push(format_args!("\"/>"));
        }
        svg.push(format_args!("</g>"));
    }
}
