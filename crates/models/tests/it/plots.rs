//! Plots through their public face: what is refused, what a page may hold, what readers see.

use bist_models::explain::plot::{
    Beeswarm, BeeswarmFeature, Canvas, ColouredBy, Contribution, Dependence, Direction, Drawing,
    Force, Heading, Importance, ImportanceBars, Interaction, Language, LimeBars, LimeWeight,
    OptimisationHistory, Palette, Parallel, ParallelCoordinates, Parameter, ParetoFront, PlotError,
    Scale, Slice, SlicedParameter, Theme, TrialValue, Unit, Waterfall,
};

const CANVAS: Canvas = Canvas {
    width: 800,
    height: 500,
    theme: Theme::Dark,
    palette: Palette::Standard,
    language: Language::Turkish,
};

const LONG: &str = "20 günlük ortalama hacmin 252 günlük ortalamasına oranı 1,8 kat: olağandışı";

fn heading() -> Heading {
    Heading { title: "THYAO".to_owned(), subtitle: "10 iş günü".to_owned() }
}

fn contributions(effects: &[f64]) -> Vec<Contribution> {
    let labels = ["14 günlük RSI 71: aşırı alım", LONG, "<b>\"A\" & B</b>", "Perşembe"];
    labels
        .into_iter()
        .cycle()
        .zip(effects)
        .map(|(label, &effect)| Contribution { label: label.to_owned(), effect })
        .collect()
}

fn waterfall(effects: &[f64], forecast: f64) -> Waterfall {
    Waterfall {
        heading: heading(),
        unit: Unit::LogReturn,
        axis_label: "Log getiri".to_owned(),
        base: 0.0003,
        contributions: contributions(effects),
        forecast,
        shown_max: 3,
    }
}

fn force(effects: &[f64], forecast: f64) -> Force {
    let Waterfall { heading, unit, base, contributions, shown_max, .. } =
        waterfall(effects, forecast);
    Force { heading, unit, base, contributions, forecast, shown_max }
}

/// A number in -1..1 from a fixed sequence.
fn wobble(i: usize) -> f64 {
    (i as f64 * 12.9898).sin() * 43_758.545 % 1.0
}

fn beeswarm(rows_count: usize, features_count: usize) -> Beeswarm {
    let feature = |k: usize| BeeswarmFeature {
        label: format!("özellik {k}"),
        effects: (0..rows_count).map(|i| wobble(i * 7 + k) * 0.01 / (k + 1) as f64).collect(),
        values: (0..rows_count)
            .map(|i| if i % 10 == 0 { f64::NAN } else { wobble(i * 7 + k) })
            .collect(),
    };
    Beeswarm {
        heading: heading(),
        unit: Unit::LogReturn,
        axis_label: String::new(),
        features: (0..features_count).map(feature).collect(),
        shown_max: 4,
    }
}

fn parameter(scale: Scale) -> Parameter {
    Parameter { label: LONG.to_owned(), unit: Unit::Plain, scale }
}

/// Each plot once, all with labels that try to break out.
fn every_plot(canvas: &Canvas) -> Vec<Result<Drawing, PlotError>> {
    let effects = [0.012, -0.004, 0.0003, -0.0001, 0.002];
    let forecast = 0.0003 + effects.iter().sum::<f64>();
    let bad = "<script>alert(\"1\")</script> & şğıİ₺";
    let values: Vec<f64> = (0..40).map(|i| if i % 9 == 0 { f64::NAN } else { wobble(i) }).collect();
    let known: Vec<f64> = (0..40).map(wobble).collect();
    let categories = Scale::Categories(["gbdt", bad].map(str::to_owned).to_vec());
    vec![
        waterfall(&effects, forecast).draw(canvas),
        force(&effects, forecast).draw(canvas),
        beeswarm(60, 7).draw(canvas),
        Dependence {
            heading: heading(),
            value_label: bad.to_owned(),
            value_unit: Unit::Plain,
            values: values.clone(),
            effect_label: LONG.to_owned(),
            effect_unit: Unit::LogReturn,
            effects: known.clone(),
            coloured_by: Some(ColouredBy { label: bad.to_owned(), values }),
        }
        .draw(canvas),
        ImportanceBars {
            heading: heading(),
            unit: Unit::Share,
            axis_label: bad.to_owned(),
            bars: (0..9)
                .map(|i| Importance {
                    label: format!("{bad} {i}"),
                    value: wobble(i),
                    std_dev: Some(0.1),
                })
                .collect(),
            shown_max: 5,
            note: bad.to_owned(),
        }
        .draw(canvas),
        LimeBars {
            heading: heading(),
            unit: Unit::LogReturn,
            axis_label: String::new(),
            weights: (0..5)
                .map(|i| LimeWeight { condition: bad.to_owned(), weight: wobble(i), std_dev: 0.2 })
                .collect(),
            local_r2: 0.7,
            local_forecast: 0.01,
            forecast: 0.012,
            samples: 5000,
            runs: 10,
            overlap: 0.9,
        }
        .draw(canvas),
        Interaction {
            heading: heading(),
            unit: Unit::LogReturn,
            labels: vec![bad.to_owned(); 4],
            strengths: vec![vec![0.1, 0.2, 0.3, 0.4]; 4],
        }
        .draw(canvas),
        OptimisationHistory {
            heading: heading(),
            objective: parameter(Scale::Linear),
            direction: Direction::Minimise,
            trials: (0..40)
                .map(|i| TrialValue { number: i, value: wobble(i as usize), pruned: i % 3 == 0 })
                .collect(),
        }
        .draw(canvas),
        ParallelCoordinates {
            heading: heading(),
            objective: parameter(Scale::Linear),
            direction: Direction::Maximise,
            parameters: vec![parameter(Scale::Log), parameter(categories.clone())],
            trials: (0..20)
                .map(|i| Parallel {
                    values: vec![Some(10_f64.powi(i - 10)), (i % 3 > 0).then_some(1.0)],
                    objective: f64::from(i),
                })
                .collect(),
        }
        .draw(canvas),
        Slice {
            heading: heading(),
            objective: parameter(Scale::Linear),
            parameters: [Scale::Linear, categories]
                .map(|scale| SlicedParameter {
                    parameter: parameter(scale),
                    values: (0..40).map(|i| f64::from(i % 2)).collect(),
                    objectives: known.clone(),
                    numbers: (0..40).collect(),
                })
                .to_vec(),
        }
        .draw(canvas),
        ParetoFront {
            heading: heading(),
            objectives: [parameter(Scale::Linear), parameter(Scale::Linear)],
            directions: [Direction::Minimise, Direction::Maximise],
            trials: (0..40).map(|i| [wobble(i), wobble(i + 99)]).collect(),
        }
        .draw(canvas),
    ]
}

fn canvases() -> Vec<Canvas> {
    let mut canvases = Vec::new();
    for theme in [Theme::Dark, Theme::Light] {
        for palette in [Palette::Standard, Palette::ColourBlind] {
            for language in [Language::Turkish, Language::English] {
                for (width, height) in [(320, 200), (800, 500), (1600, 1200)] {
                    canvases.push(Canvas { width, height, theme, palette, language });
                }
            }
        }
    }
    canvases
}

/// What stands in `svg` between each `open` and the next `close`.
fn between<'a>(svg: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    svg.split(open).skip(1).map(|rest| rest.split(close).next().unwrap()).collect()
}

fn number(attributes: &str, name: &str) -> f64 {
    between(attributes, &format!("{name}=\""), "\"")[0].parse().unwrap()
}

#[test]
fn an_explanation_that_does_not_add_up_is_refused() {
    let effects = [0.012, -0.004];
    let wrong = 0.0003 + 0.008 + 2e-6;
    for refused in [waterfall(&effects, wrong).draw(&CANVAS), force(&effects, wrong).draw(&CANVAS)]
    {
        let error = refused.unwrap_err();
        assert!(matches!(error, PlotError::SumDiffers { .. }), "{error}");
    }
    assert!(waterfall(&effects, 0.0083 + 5e-7).draw(&CANVAS).is_ok());
}

#[test]
fn what_is_no_number_is_refused() {
    let mut plot = waterfall(&[0.012, f64::NAN], 0.0);
    assert!(matches!(plot.draw(&CANVAS), Err(PlotError::NotFinite { .. })));
    plot.contributions.clear();
    plot.forecast = plot.base;
    assert_eq!(plot.draw(&CANVAS), Err(PlotError::Empty { what: "a waterfall" }));

    let mut swarm = beeswarm(10, 2);
    swarm.features[1].effects[3] = f64::INFINITY;
    let what = "özellik 1".to_owned();
    let infinite = PlotError::NotFinite { what: what.clone(), value: f64::INFINITY };
    assert_eq!(swarm.draw(&CANVAS), Err(infinite));
    swarm.features[1].effects.pop();
    let shorter = PlotError::LengthDiffers { what, expected: 10, actual: 9 };
    assert_eq!(swarm.draw(&CANVAS), Err(shorter));
}

#[test]
fn a_logarithmic_axis_takes_only_positive_values() {
    let plot = OptimisationHistory {
        heading: heading(),
        objective: parameter(Scale::Log),
        direction: Direction::Minimise,
        trials: vec![TrialValue { number: 0, value: 0.0, pruned: false }],
    };
    assert!(matches!(plot.draw(&CANVAS), Err(PlotError::NotPositive { .. })));
}

#[test]
fn an_axis_of_categories_takes_only_their_indices() {
    let names = Scale::Categories(["gbdt", "dart"].map(str::to_owned).to_vec());
    let plot = |value: f64| {
        ParallelCoordinates {
            heading: heading(),
            objective: parameter(Scale::Linear),
            direction: Direction::Maximise,
            parameters: vec![parameter(names.clone())],
            trials: vec![Parallel { values: vec![Some(value)], objective: 1.0 }],
        }
        .draw(&CANVAS)
    };
    assert!(plot(1.0).is_ok());
    for value in [2.0, -1.0, 0.5] {
        let what = LONG.to_owned();
        assert_eq!(plot(value), Err(PlotError::NoCategory { what, value, count: 2 }));
    }
}

#[test]
fn a_size_that_is_none_is_refused() {
    for (width, height) in [(319, 500), (800, 199), (5000, 500)] {
        let refused = beeswarm(5, 2).draw(&Canvas { width, height, ..CANVAS });
        assert_eq!(refused, Err(PlotError::Size { width, height }));
    }
}

#[test]
fn a_plot_holds_nothing_that_a_strict_page_forbids() {
    for canvas in canvases() {
        for drawn in every_plot(&canvas) {
            let svg = drawn.unwrap().svg();
            for forbidden in
                ["<script", "<style", " style=", "href", "url(", " id=", "NaN", "inf\""]
            {
                assert!(!svg.contains(forbidden), "{forbidden} in {svg}");
            }
            assert_eq!(svg.matches("<svg ").count(), 1);
            assert!(
                svg.contains("role=\"img\"") && svg.contains("font-family=\"Inter, sans-serif\"")
            );
        }
    }
}

#[test]
fn a_plot_tells_its_numbers_to_those_who_do_not_see_it() {
    let drawing = waterfall(&[0.012, -0.004], 0.0083).draw(&CANVAS).unwrap();
    let svg = drawing.svg();
    assert_eq!(between(&svg, "<title>", "</title>")[0], "THYAO");
    assert_eq!(
        between(&svg, "<desc>", "</desc>"),
        [format!(
            "10 iş günü Taban: %0,03. 14 günlük RSI 71: aşırı alım: +%1,20. {LONG}: −%0,40. Tahmin: %0,83."
        )]
    );
    for drawn in every_plot(&CANVAS) {
        assert!(drawn.unwrap().description().len() > 20);
    }
}

#[test]
fn the_same_plot_has_the_same_bytes() {
    for (first, second) in every_plot(&CANVAS).into_iter().zip(every_plot(&CANVAS)) {
        assert_eq!(first.unwrap().svg(), second.unwrap().svg());
    }
}

#[test]
fn text_and_dots_stay_within_the_sheet() {
    for canvas in canvases() {
        for drawn in every_plot(&canvas) {
            let drawing = drawn.unwrap();
            let (width, height) = (f64::from(drawing.width()), f64::from(drawing.height()));
            let svg = drawing.svg();
            for attributes in between(&svg, "<text ", ">") {
                let (x, y) = (number(attributes, "x"), number(attributes, "y"));
                assert!((0.0..width).contains(&x) && (0.0..height).contains(&y), "{attributes}");
            }
            let dots = drawing.dots();
            for dot in &dots.dots {
                let inside = |at: f64, end: f64| at >= dots.radius && at + dots.radius <= end;
                assert!(inside(dot.x, width) && inside(dot.y, height), "{dot:?} of {canvas:?}");
                assert!(dot.colour < dots.colours.len());
            }
        }
    }
}

#[test]
fn bars_are_as_long_as_their_numbers() {
    let svg = waterfall(&[0.012, -0.004], 0.0083).draw(&CANVAS).unwrap().svg();
    let widths: Vec<f64> = between(&svg, "<rect ", "/>")
        .into_iter()
        .filter(|rect| rect.contains("#2cc295") || rect.contains("#ff7a80"))
        .map(|rect| number(rect, "width"))
        .collect();
    let [up, down] = widths[..] else { panic!("two bars are drawn: {widths:?}") };
    assert!((up / down - 3.0).abs() < 0.01, "{up} and {down}");
}

#[test]
fn what_has_no_row_of_its_own_is_bundled_last() {
    let effects = [0.001, 0.004, -0.003, 0.002, -0.0005, 0.0001];
    let drawing = waterfall(&effects, 0.0003 + effects.iter().sum::<f64>()).draw(&CANVAS).unwrap();
    let told = drawing.description();
    let order = ["+%0,40", "−%0,30", "+%0,20", "Diğer 3 özellik: +%0,06", "Tahmin: %0,39"];
    let places: Vec<usize> = order.iter().map(|text| told.find(text).expect(text)).collect();
    assert!(places.is_sorted(), "{told}");
}

#[test]
fn a_long_label_is_broken_and_where_it_is_elided_told_in_full() {
    let plot = waterfall(&[0.012, -0.004], 0.0083);
    let wide = plot.draw(&CANVAS).unwrap().svg();
    assert!(!wide.contains('…'), "there is room at 800 px");
    let long = Contribution { label: LONG.repeat(4), effect: 0.0 };
    let mut contributions = plot.contributions.clone();
    contributions.push(long);
    let narrow =
        Waterfall { contributions, ..plot }.draw(&Canvas { width: 320, ..CANVAS }).unwrap();
    let svg = narrow.svg();
    assert!(svg.contains('…'));
    assert!(svg.contains(&format!("<g><title>{}</title>", LONG.repeat(4))));
}

#[test]
fn every_row_of_a_beeswarm_is_a_dot_and_missing_values_are_grey() {
    let drawing = beeswarm(60, 7).draw(&CANVAS).unwrap();
    let dots = drawing.dots();
    // Four features and the sum of the three others, which has no colour either.
    assert_eq!(dots.dots.len(), 5 * 60);
    let grey = dots.colours.len() - 1;
    let greys = dots.dots.iter().filter(|dot| dot.colour == grey).count();
    assert_eq!(greys, 4 * 6 + 60);
    assert!(drawing.svg().contains("Gri: değer yok"));
}

#[test]
fn dots_of_a_beeswarm_overlap_only_where_the_row_is_too_low() {
    let drawing = beeswarm(60, 2).draw(&Canvas { width: 1600, height: 600, ..CANVAS }).unwrap();
    let dots = drawing.dots();
    let close = |i: usize, j: usize| {
        let (a, b) = (dots.dots[i], dots.dots[j]);
        (a.x - b.x).hypot(a.y - b.y) < dots.radius * 2.0 - 1e-9
    };
    let count = dots.dots.len();
    let pairs = (0..count).flat_map(|i| (0..i).map(move |j| (i, j)));
    assert_eq!(pairs.filter(|&(i, j)| close(i, j)).count(), 0);
    assert_eq!(count, 120);
}

#[test]
fn an_effect_stands_where_its_value_is() {
    let plot = Beeswarm {
        features: vec![BeeswarmFeature {
            label: "RSI".to_owned(),
            effects: vec![-0.01, 0.0, 0.02],
            values: vec![1.0, 2.0, 3.0],
        }],
        ..beeswarm(1, 1)
    };
    let drawing = plot.draw(&CANVAS).unwrap();
    let mut xs: Vec<f64> = drawing.dots().dots.iter().map(|dot| dot.x).collect();
    xs.sort_by(f64::total_cmp);
    assert!(((xs[2] - xs[1]) / (xs[1] - xs[0]) - 2.0).abs() < 1e-9, "{xs:?}");
}
