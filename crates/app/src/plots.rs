//! Plots as PNG pictures, the same on a machine with no typeface installed.
//!
//! The typeface is Inter by Rasmus Andersson and others, under the SIL Open Font License 1.1; the
//! files and how they were cut down are in `crates/app/fonts`.

use std::sync::{Arc, LazyLock};

use bist_models::explain::plot::{Colour, Dot, Dots, Drawing};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

const REGULAR: &[u8] = include_bytes!("../fonts/Inter-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../fonts/Inter-SemiBold.ttf");

static TYPEFACE: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(SEMI_BOLD.to_vec());
    fonts.set_sans_serif_family("Inter");
    Arc::new(fonts)
});

/// Pixels of a picture for one of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelRatio {
    /// As many.
    One,
    /// Twice as many in both directions, for fine screens and for print.
    Two,
}

/// Why a plot did not become a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The drawing is not a document that can be read.
    #[error("reading the drawing")]
    Svg(#[from] resvg::usvg::Error),
    /// The picture has no pixels, or too many.
    #[error("{width} x {height} pixels are not a picture")]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// The encoder refused.
    #[error("writing the picture")]
    Encoding(#[from] png::EncodingError),
}

/// The drawing as a PNG file, without transparency.
///
/// The same drawing gives the same bytes.
///
/// # Errors
///
/// [`PngError`]; none is expected of a drawing that a plot made.
pub fn png(drawing: &Drawing, ratio: PixelRatio) -> Result<Vec<u8>, PngError> {
    let ratio: u16 = match ratio {
        PixelRatio::One => 1,
        PixelRatio::Two => 2,
    };
    let options = Options {
        font_family: "Inter".to_owned(),
        fontdb: Arc::clone(&TYPEFACE),
        ..Options::default()
    };
    let tree = Tree::from_str(&drawing.svg_without_dots(), &options)?;
    let (width, height) = (drawing.width() * u32::from(ratio), drawing.height() * u32::from(ratio));
    let mut pixels = Pixmap::new(width, height).ok_or(PngError::Size { width, height })?;
    let scale = f32::from(ratio);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    paint_dots(&mut pixels, drawing.dots(), f64::from(ratio));
    encode(&pixels)
}

/// Positions within a pixel that dots are told apart by, in each direction.
const PHASES: usize = 8;

/// Pixels that are painted at a time.
const SPAN: usize = 4;

/// Numbers of a span: four a pixel.
type Span = [u8; SPAN * 4];

/// A dot as coverage of pixels, 0 to 255, the same for the four numbers of a pixel, row by row.
struct Stamp {
    spans_a_row: usize,
    coverage: Vec<Span>,
}

/// Paints the dots in their order. A path for each of forty thousand dots takes a tenth of a second;
/// a copy of one of 64 stamps takes a hundredth of that.
fn paint_dots(pixels: &mut Pixmap, dots: &Dots, ratio: f64) {
    let radius = dots.radius * ratio;
    let stamps: Vec<Stamp> =
        (0..PHASES * PHASES).map(|i| Stamp::new(radius, i % PHASES, i / PHASES)).collect();
    for Dot { x, y, colour } in &dots.dots {
        let (left, phase_x) = place(x * ratio - radius);
        let (top, phase_y) = place(y * ratio - radius);
        stamps[phase_y * PHASES + phase_x].paint(pixels, [left, top], dots.colours[*colour]);
    }
}

/// The pixel that holds `edge`, and the phase within it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within a picture of some thousand pixels"
)]
fn place(edge: f64) -> (usize, usize) {
    let eighths = (edge * PHASES as f64).round().max(0.0) as usize;
    (eighths / PHASES, eighths % PHASES)
}

impl Stamp {
    /// A disc whose box begins at a phase of its first pixel.
    fn new(radius: f64, phase_x: usize, phase_y: usize) -> Self {
        /// Points in each direction at which a pixel is asked whether the disc holds it.
        const POINTS: usize = 8;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a dot of a few pixels"
        )]
        let side = (radius * 2.0).ceil() as usize + 1;
        let spans_a_row = side.div_ceil(SPAN);
        let middle = |phase: usize| phase as f64 / PHASES as f64 + radius;
        let (middle_x, middle_y) = (middle(phase_x), middle(phase_y));
        let held = |x: usize, y: usize, point: usize| {
            let at = |pixel: usize, k: usize| pixel as f64 + (k as f64 + 0.5) / POINTS as f64;
            let (dx, dy) = (at(x, point % POINTS) - middle_x, at(y, point / POINTS) - middle_y);
            dx * dx + dy * dy <= radius * radius
        };
        let cover = |x: usize, y: usize| {
            let count = (0..POINTS * POINTS).filter(|&point| held(x, y, point)).count();
            u8::try_from(count * 255 / (POINTS * POINTS)).expect("a share of 255")
        };
        let span = |i: usize| {
            let (x, y) = (i % spans_a_row * SPAN, i / spans_a_row);
            let covers: [u8; SPAN] = std::array::from_fn(|k| cover(x + k, y));
            std::array::from_fn(|k| covers[k / 4])
        };
        Self { spans_a_row, coverage: (0..spans_a_row * side).map(span).collect() }
    }

    /// Lays the disc over the pixels, whose corner it has at `left` and `top`.
    fn paint(&self, pixels: &mut Pixmap, [left, top]: [usize; 2], colour: Colour) {
        let (width, height) = (pixels.width() as usize, pixels.height() as usize);
        // Opaque pixels stay opaque.
        let ink = [colour.red, colour.green, colour.blue, 255];
        let ink: Span = std::array::from_fn(|k| ink[k % 4]);
        let columns = (self.spans_a_row * SPAN).min(width.saturating_sub(left));
        let rows = height.saturating_sub(top);
        let data = pixels.data_mut();
        for (y, coverage) in self.coverage.chunks_exact(self.spans_a_row).take(rows).enumerate() {
            let begin = ((top + y) * width + left) * 4;
            let (spans, rest) = data[begin..begin + columns * 4].as_chunks_mut::<{ SPAN * 4 }>();
            for (under, cover) in spans.iter_mut().zip(coverage) {
                *under = blend(under, &ink, cover);
            }
            // Only at the right edge.
            if let Some(cover) = coverage.get(spans.len()) {
                for ((under, ink), cover) in rest.iter_mut().zip(ink).zip(cover) {
                    *under = blended(*under, ink, *cover);
                }
            }
        }
    }
}

fn blend(under: &Span, over: &Span, cover: &Span) -> Span {
    std::array::from_fn(|k| blended(under[k], over[k], cover[k]))
}

/// `under` with `cover` of 255 parts of `over`, rounded.
fn blended(under: u8, over: u8, cover: u8) -> u8 {
    let (under, over, cover) = (u16::from(under), u16::from(over), u16::from(cover));
    let sum = under * (255 - cover) + over * cover + 128;
    // A division by 255, exact for what a sum of shares can be.
    ((sum + (sum >> 8)) >> 8).to_le_bytes()[0]
}

/// The pixels, all of them opaque, as red, green and blue.
fn encode(pixels: &Pixmap) -> Result<Vec<u8>, PngError> {
    let (data, _) = pixels.data().as_chunks::<4>();
    let colours: Vec<u8> =
        data.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // A picture of forty thousand dots takes 5 ms instead of 75.
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&colours)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bist_models::explain::plot::{
        Beeswarm, BeeswarmFeature, Canvas, Contribution, Heading, Language, Palette, Theme, Unit,
        Waterfall,
    };
    use resvg::tiny_skia::Rect;
    use resvg::usvg::{Group, Node};

    use super::*;

    const CANVAS: Canvas = Canvas {
        width: 640,
        height: 420,
        theme: Theme::Dark,
        palette: Palette::Standard,
        language: Language::Turkish,
    };

    fn waterfall(title: &str, label: &str, canvas: &Canvas) -> Drawing {
        let effects = [0.0121, -0.0074, 0.0003, 0.0033];
        let contribution =
            |(i, &effect): (usize, &f64)| Contribution { label: format!("{label} {i}"), effect };
        Waterfall {
            heading: Heading { title: title.to_owned(), subtitle: String::new() },
            unit: Unit::LogReturn,
            axis_label: "10 günlük log getiri".to_owned(),
            base: 0.0003,
            contributions: effects.iter().enumerate().map(contribution).collect(),
            forecast: 0.0003 + effects.iter().sum::<f64>(),
            shown_max: 10,
        }
        .draw(canvas)
        .unwrap()
    }

    fn beeswarm() -> Drawing {
        let feature = |k: u32| BeeswarmFeature {
            label: format!("{k}. özellik"),
            effects: (0..400).map(|i| (f64::from(i * (k + 3)) * 0.37).sin() * 0.01).collect(),
            values: (0..400).map(|i| f64::from(i % 17)).collect(),
        };
        Beeswarm {
            heading: Heading { title: "Etkiler".to_owned(), subtitle: String::new() },
            unit: Unit::LogReturn,
            axis_label: String::new(),
            features: (0..5).map(feature).collect(),
            shown_max: 5,
        }
        .draw(&CANVAS)
        .unwrap()
    }

    /// Width, height and the pixels as red, green and blue.
    fn decoded(png: Vec<u8>) -> (u32, u32, Vec<[u8; 3]>) {
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        (info.width, info.height, bytes.as_chunks::<3>().0.to_vec())
    }

    fn tree(svg: &str) -> Tree {
        let fontdb = Arc::clone(&TYPEFACE);
        Tree::from_str(svg, &Options { fontdb, ..Options::default() }).unwrap()
    }

    /// The boxes of all lines of text.
    fn text_boxes(group: &Group) -> Vec<Rect> {
        let boxes = |node: &Node| match node {
            Node::Group(group) => text_boxes(group),
            Node::Text(text) => vec![text.abs_bounding_box()],
            Node::Path(_) | Node::Image(_) => Vec::new(),
        };
        group.children().iter().flat_map(boxes).collect()
    }

    #[test]
    fn a_picture_has_the_size_of_its_drawing_or_twice_that() {
        let drawing = waterfall("Nedenler", "Özellik", &CANVAS);
        let size = (drawing.width(), drawing.height());
        let (width, height, _) = decoded(png(&drawing, PixelRatio::One).unwrap());
        assert_eq!((width, height), size);
        let (width, height, pixels) = decoded(png(&drawing, PixelRatio::Two).unwrap());
        assert_eq!((width, height), (size.0 * 2, size.1 * 2));
        assert_eq!(pixels.len(), width as usize * height as usize);
    }

    #[test]
    fn the_same_drawing_has_the_same_bytes() {
        let bytes = || png(&beeswarm(), PixelRatio::One).unwrap();
        assert_eq!(bytes(), bytes());
    }

    #[test]
    fn every_line_of_text_leaves_ink() {
        let drawing = waterfall("Tahminin nedenleri", "14 günlük RSI 71: aşırı alım", &CANVAS);
        let (width, _, pixels) = decoded(png(&drawing, PixelRatio::One).unwrap());
        let background = pixels[0];
        let boxes = text_boxes(tree(&drawing.svg()).root());
        assert!(boxes.len() > 15, "{} lines", boxes.len());
        for text in boxes {
            let inside = |i: &usize| {
                let (x, y) = ((i % width as usize) as f32, (i / width as usize) as f32);
                (text.left()..text.right()).contains(&x) && (text.top()..text.bottom()).contains(&y)
            };
            let inked =
                (0..pixels.len()).filter(inside).filter(|&i| pixels[i] != background).count();
            assert!(inked > 10, "{inked} pixels at {text:?}");
        }
    }

    #[test]
    fn every_turkish_letter_has_a_glyph_of_its_own() {
        let picture =
            |title: String| png(&waterfall(&title, "Özellik", &CANVAS), PixelRatio::Two).unwrap();
        // The typeface has no Chinese; what stands for that must stand for nothing else.
        let mut seen = vec![picture("漢".to_owned()), picture(String::new())];
        for letter in "çğıiöşüÇĞIİÖŞÜ₺−²≤≥…".chars() {
            let drawn = picture(letter.to_string());
            assert!(!seen.contains(&drawn), "{letter}");
            seen.push(drawn);
        }
    }

    #[test]
    fn text_neither_leaves_the_picture_nor_covers_other_text() {
        let label = "20 günlük ortalama hacmin 252 günlük ortalamasına oranı yüksek";
        for width in [320, 640, 1200] {
            for theme in [Theme::Dark, Theme::Light] {
                let drawing = waterfall(label, label, &Canvas { width, theme, ..CANVAS });
                let boxes = text_boxes(tree(&drawing.svg()).root());
                for (i, a) in boxes.iter().enumerate() {
                    let within = a.left() >= 0.0 && a.right() <= width as f32;
                    assert!(within && a.bottom() <= drawing.height() as f32, "{a:?} at {width}");
                    // Boxes hold room above and below the letters, so lines may touch.
                    let covers = |b: &Rect| {
                        a.left() < b.right()
                            && b.left() < a.right()
                            && a.top() + 2.0 < b.bottom() - 2.0
                            && b.top() + 2.0 < a.bottom() - 2.0
                    };
                    assert!(!boxes[..i].iter().any(covers), "{a:?} covers another at {width}");
                }
            }
        }
    }

    #[test]
    fn dots_look_as_the_document_has_them() {
        let drawing = beeswarm();
        let (width, height) = (drawing.width(), drawing.height());
        let mut whole = Pixmap::new(width, height).unwrap();
        resvg::render(&tree(&drawing.svg()), Transform::default(), &mut whole.as_mut());
        let mut bare = Pixmap::new(width, height).unwrap();
        resvg::render(&tree(&drawing.svg_without_dots()), Transform::default(), &mut bare.as_mut());
        let (_, _, stamped) = decoded(png(&drawing, PixelRatio::One).unwrap());

        let differences = |other: &Pixmap| -> Vec<u8> {
            let pixels = stamped.iter().zip(other.data().as_chunks::<4>().0);
            pixels.flat_map(|(a, b)| [0, 1, 2].map(|k| a[k].abs_diff(b[k]))).collect()
        };
        let mean = |differences: &[u8]| {
            differences.iter().map(|d| f64::from(*d)).sum::<f64>() / differences.len() as f64
        };
        let (with, without) = (differences(&whole), differences(&bare));
        assert!(mean(&with) * 30.0 < mean(&without), "{} of {}", mean(&with), mean(&without));
        // Edges are counted in other parts of a pixel.
        assert!(with.iter().all(|d| *d < 64), "{:?}", with.iter().max());
    }

    #[test]
    fn a_dot_at_the_far_edge_is_cut_off() {
        let mut pixels = Pixmap::new(9, 7).unwrap();
        let red = Colour { red: 255, green: 0, blue: 0 };
        let dots = [(9.0, 7.0), (20.0, 20.0)];
        let dots = dots.map(|(x, y)| Dot { x, y, colour: 0 }).to_vec();
        paint_dots(&mut pixels, &Dots { radius: 2.5, colours: vec![red], dots }, 1.0);
        let [first, .., last] = pixels.data().as_chunks::<4>().0 else { panic!("has pixels") };
        assert_eq!((first[0], last[0]), (0, 255));
    }
}
