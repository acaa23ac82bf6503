//! Experiments: what was declared, forecast and seen stays as it was.

use bist_lifecycle::HORIZON_DEFAULT;
use bist_lifecycle::experiment::{
    DeclaredExperiment, ExperimentDesign, Exposure, Metric, Mode, Outcome,
};
use bist_store::{ExposureRecord, Store, StoreError};
use bist_trading::ReturnInterval;
use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::home::{Home, Raw};
use crate::store;

const DAY: Date = date(2026, 11, 20);

fn declared() -> DeclaredExperiment {
    let design = ExperimentDesign {
        id: "autumn".to_owned(),
        horizon: HORIZON_DEFAULT,
        champion: "old".to_owned(),
        challengers: vec!["new".to_owned()],
        mode: Mode::Shadow,
        metric: Metric::RankIc,
        error_level: 0.05,
        days_min: 60,
        days_max: 500,
        improvement_min: 0.0,
        guardrails: Vec::new(),
        covariate: None,
        missing_share_max: 0.01,
        watch_days: 0,
    };
    design.declare().unwrap()
}

/// Puts an experiment down without versions that it compares.
async fn put_down(home: &Home) -> Raw {
    let mut raw = home.raw().await;
    let design = declared();
    let (digest, document) = (design.design_sha256(), serde_json::to_string(&design).unwrap());
    let insert = format!(
        "INSERT INTO experiments (id, horizon, state, declared_at_us, declared_by, reason,
                                  design_sha256, document)
         VALUES ('autumn', '5', 'running', 0, 'ayse', 'a test', '{digest}', '{document}')"
    );
    raw.execute(insert).await.unwrap();
    raw
}

fn exposure(unit: &str, arm: &str) -> ExposureRecord {
    ExposureRecord {
        exposure: Exposure {
            experiment: "autumn".to_owned(),
            unit: unit.to_owned(),
            day: DAY,
            arm: arm.to_owned(),
            expected_log_return: 0.1 + 0.2,
            probability_up: 0.6,
            interval_80: ReturnInterval { low: -0.1, high: 0.3 },
            covariate: Some(0.02),
        },
        moment: DAY.to_string(),
        snapshot_hash: "00".to_owned(),
        made_at: Timestamp::UNIX_EPOCH,
    }
}

fn outcome(unit: &str, arm: &str) -> Outcome {
    Outcome {
        experiment: "autumn".to_owned(),
        unit: unit.to_owned(),
        day: DAY,
        arm: arm.to_owned(),
        known_on: DAY,
        log_return: Some(0.3),
        return_after_costs: None,
    }
}

async fn log(store: &Store, exposures: &[ExposureRecord]) -> u64 {
    store.log_exposures(exposures).await.unwrap()
}

#[tokio::test]
async fn forecasts_and_outcomes_are_added_once_and_never_changed() {
    let (store, folder) = store().await;
    let both = [exposure("THYAO", "old"), exposure("THYAO", "new")];
    assert_eq!(log(&store, &both).await, 0, "there is no such experiment");
    let mut raw = put_down(&folder).await;
    assert_eq!(log(&store, &both).await, 2);
    assert_eq!(log(&store, &both).await, 0);
    assert_eq!(store.exposures("autumn").await.unwrap(), [both[1].clone(), both[0].clone()]);

    // Of a day on which one arm spoke of other bars, the other is not added.
    assert_eq!(log(&store, &[exposure("GARAN", "old")]).await, 1);
    let later = ExposureRecord { snapshot_hash: "01".to_owned(), ..exposure("GARAN", "new") };
    assert_eq!(log(&store, &[later]).await, 0);
    assert_eq!(log(&store, &[exposure("GARAN", "new")]).await, 1);

    let outcomes = [outcome("THYAO", "old"), outcome("THYAO", "new")];
    let add = async || store.log_outcomes(&outcomes, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((add().await, add().await), (2, 0));
    let open = store.open_exposures("autumn").await.unwrap();
    let open: Vec<_> = open.iter().map(|open| open.exposure.unit.as_str()).collect();
    assert_eq!(open, ["GARAN", "GARAN"]);

    for (statement, told) in [
        (
            "UPDATE experiment_exposures SET probability_up = 1",
            "forecasts of experiments are never",
        ),
        ("DELETE FROM experiment_exposures", "forecasts of experiments are never"),
        ("UPDATE experiment_outcomes SET log_return = 1", "outcomes of experiments are never"),
        ("DELETE FROM experiment_outcomes", "outcomes of experiments are never"),
        ("UPDATE experiments SET document = '{}'", "designs of experiments are never"),
        ("DELETE FROM experiments", "experiments are never removed"),
    ] {
        let error = raw.execute(statement).await.unwrap_err();
        assert!(error.to_string().contains(told), "{statement}: {error}");
    }
    let end = "UPDATE experiments SET state = 'stopped', concluded_at_us = 0, concluded_by = 'a',
               conclusion = 'b'";
    raw.execute(end).await.unwrap();
    let error = raw.execute(end).await.unwrap_err();
    assert!(error.to_string().contains("conclusions of experiments are never"), "{error}");
    assert_eq!(log(&store, &[exposure("AKBNK", "old")]).await, 0, "it is over");
}

#[tokio::test]
async fn a_rule_that_was_changed_after_it_was_declared_is_refused() {
    let (store, folder) = store().await;
    let mut raw = put_down(&folder).await;
    let record = store.running_experiment(HORIZON_DEFAULT).await.unwrap().unwrap();
    assert_eq!(record.experiment, declared());
    raw.drop_trigger("designs_are_not_changed", "experiments").await;
    let change = "UPDATE experiments SET document = REPLACE(document, '0.05', '0.25')";
    raw.execute(change).await.unwrap();
    let refused = [
        store.running_experiment(HORIZON_DEFAULT).await.unwrap_err(),
        store.experiment("autumn").await.unwrap_err(),
        store.experiments(None).await.unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(&error, StoreError::ExperimentChanged(id) if id == "autumn"), "{error}");
    }
}
