//! Trees that learned elsewhere serve here as they are, and are judged on what they have not seen.

use bist_lifecycle::{FittedModel, GivenTrees, GivenTreesError, TrainError, spec_of_given};
use bist_lifecycle::{TrainingSpec, evaluate_paths};
use bist_market::Calendar;
use bist_models::{FeatureMatrix, FittedForecaster as _, FittedGbdt, Gbdt, Objective, Panel};
use jiff::civil::Date;

use crate::panels::{Recipe, sessions, spec, train};

const RECIPE: Recipe = Recipe { symbols_count: 8, days_count: 700, strength: 0.25, seed: 11 };

/// The day until which the trees may know prices.
fn cut() -> Date {
    sessions(RECIPE.days_count)[400]
}

/// Trees that another program might have made: over the columns in another order, from the rows whose
/// outcome was known on the day of the cut.
fn trees(panel: &Panel, objective: Objective) -> FittedGbdt {
    let known = &panel.known;
    let names: Vec<String> = known.features.names().iter().rev().cloned().collect();
    let columns = (0..names.len()).rev().map(|j| known.features.column(j).to_vec()).collect();
    let features = FeatureMatrix::from_columns(names, columns).unwrap();
    let rows: Vec<usize> = (0..known.keys.len())
        .filter(|&row| panel.targets.known_on[row].is_some_and(|day| day <= cut()))
        .collect();
    let rows: Vec<usize> =
        rows.into_iter().filter(|&row| known.keys[row].day >= sessions(30)[29]).collect();
    let params = bist_models::GbdtParams { objective, ..spec(7).members.gbdt };
    let returns = panel.targets.step_returns.last().unwrap();
    Gbdt { params, seed: 3 }.fit_trees(&features, returns, &rows, &[]).unwrap()
}

fn given(panel: &Panel, trees: &FittedGbdt) -> GivenTrees {
    GivenTrees::new(trees, cut(), panel.known.features.names()).unwrap()
}

#[test]
fn trees_that_learned_elsewhere_are_judged_on_later_days_and_serve_as_they_are() {
    let panel = RECIPE.panel();
    let theirs = trees(&panel, Objective::Regression);
    let spec = spec_of_given(&panel, given(&panel, &theirs), 7).unwrap();
    let trained = train(&panel, &spec).unwrap();

    let record = &trained.evaluation;
    assert!(record.folds.iter().all(|fold| fold.layout.test_from > cut()), "{:?}", record.folds);
    assert!(trained.forecasts.warm_up.iter().all(|forecast| forecast.day > cut()));
    assert!(
        record.rank_ic.estimate.unwrap().low > 0.0,
        "the driver is found: {:?}",
        record.rank_ic
    );
    assert_eq!(record.protocol.given_trees_known_until, Some(cut()));
    assert!(record.caveats.iter().any(|caveat| caveat.text.contains("learned elsewhere")));
    assert_eq!(record.members.len(), 1);

    // What serves is what they answer, over columns in another order.
    let names = theirs.feature_names().to_vec();
    let features = &panel.known.features;
    let last = panel.known.keys.len() - 1;
    let row: Vec<f64> = names
        .iter()
        .map(|name| features.value(last, features.column_index(name).unwrap()))
        .collect();
    let explained = trained.model.explain(&panel, last, Calendar::bist()).unwrap().unwrap();
    let answer = explained.forecast.expected_log_return - trained.model.drift;
    assert_eq!(answer.to_bits(), theirs.predict_row(&row).to_bits());

    // The same again, also from a record in which the trees are named only.
    let mut again: TrainingSpec =
        serde_json::from_value(serde_json::to_value(&spec).unwrap()).unwrap();
    assert_eq!(again, spec);
    let refused = train(&panel, &again).unwrap_err();
    assert_eq!(refused, TrainError::NoGivenTrees);
    let model = FittedModel::from_bytes(&trained.model.to_bytes()).unwrap();
    let named = again.members.given.as_mut().unwrap();
    assert_eq!(named.attach(theirs), Err(GivenTreesError::OtherTrees));
    named.attach(model.members.gbdt).unwrap();
    let trained_again = train(&panel, &again).unwrap();
    assert_eq!(trained_again.model.to_bytes(), trained.model.to_bytes());
    assert_eq!(trained_again.evaluation, trained.evaluation);
}

#[test]
fn days_that_the_trees_may_have_seen_judge_nobody() {
    let panel = RECIPE.panel();
    let theirs = trees(&panel, Objective::Regression);
    let honest = spec_of_given(&panel, given(&panel, &theirs), 7).unwrap();
    let usual = TrainingSpec { walk_forward: spec(7).walk_forward, ..honest.clone() };
    let refused = train(&panel, &usual).unwrap_err();
    assert!(matches!(refused, TrainError::SeenByGivenTrees { .. }), "{refused}");
    let refused = evaluate_paths(&panel, &honest, &|_| {}).unwrap_err();
    assert!(matches!(refused, TrainError::SeenByGivenTrees { .. }), "{refused}");

    let late = sessions(RECIPE.days_count)[670];
    let late = GivenTrees::new(&theirs, late, panel.known.features.names()).unwrap();
    let refused = spec_of_given(&panel, late, 7).unwrap_err().to_string();
    assert!(refused.contains("and 40 are needed"), "{refused}");
    // Few days make fewer and not shorter blocks.
    let rather_late = sessions(RECIPE.days_count)[590];
    let rather_late = GivenTrees::new(&theirs, rather_late, panel.known.features.names()).unwrap();
    let few = spec_of_given(&panel, rather_late, 7).unwrap();
    assert_eq!(few.walk_forward.folds_count, 3);
    assert!(
        train(&panel, &few)
            .unwrap()
            .evaluation
            .folds
            .iter()
            .all(|fold| fold.layout.test_from > sessions(RECIPE.days_count)[595])
    );
}

#[test]
fn trees_that_answer_with_something_else_or_read_something_else_are_refused() {
    let panel = RECIPE.panel();
    let names = panel.known.features.names();
    let binary = trees(&panel, Objective::Binary);
    let refused = GivenTrees::new(&binary, cut(), names).unwrap_err().to_string();
    assert!(
        refused.starts_with("trained for 'binary sigmoid:1', the trees do not answer"),
        "{refused}"
    );
    let theirs = trees(&panel, Objective::Huber { alpha: 0.05 });
    let fewer: Vec<String> = names.iter().filter(|name| *name != "driver").cloned().collect();
    let refused = GivenTrees::new(&theirs, cut(), &fewer).unwrap_err().to_string();
    assert!(refused.starts_with("the trees read the feature 'driver'"), "{refused}");
    assert!(GivenTrees::new(&theirs, cut(), names).is_ok());
}

#[test]
fn a_ranking_is_a_member_whose_scores_are_returns() {
    let panel = RECIPE.panel();
    let mut spec = spec(7);
    spec.members.gbdt.objective = Objective::Lambdarank;
    (spec.members.lstm, spec.members.prophet) = (None, None);
    let trained = train(&panel, &spec).unwrap();
    let record = &trained.evaluation;
    let of_trees = record.members.iter().find(|member| member.kind == Gbdt::KIND).unwrap();
    assert!(of_trees.rank_ic.unwrap().low > 0.0, "{:?}", of_trees.rank_ic);
    // The size of the forecasts is that of returns over the horizon, and not of scores.
    let forecasts = &trained.forecasts.records;
    let spread = |value: &dyn Fn(usize) -> f64| {
        let squares: f64 = (0..forecasts.len()).map(|at| value(at).powi(2)).sum();
        (squares / forecasts.len() as f64).sqrt()
    };
    let said = spread(&|at| forecasts[at].members[0] - forecasts[at].drift);
    let came = spread(&|at| forecasts[at].learned);
    assert!((0.05..1.0).contains(&(said / came)), "{said} beside {came}");
}
