//! Our side.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use bist_lifecycle::pruner::NoPruner;
use bist_lifecycle::sampler::{CmaEsSampler, Sampler, TpeSampler};
use bist_lifecycle::study::{
    InMemoryStorage, ObjectiveFn, OptimizeSettings, Optimizer, StudyDirection, StudyStorage as _,
};
use clap::ValueEnum as _;
use jiff::Timestamp;

use super::super::side_by_side::{Measured, Stopwatch, peak_mib};
use super::Found;
use super::problems::Problem;

/// Trials after which a regret is noted, and all of a study.
const CHECKED_AT: [usize; 2] = [100, 200];

/// Prints the studies of every function with every sampler, the seeds from zero.
pub(super) fn print_quality(seeds: u64) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for &problem in Problem::value_variants() {
        let name = problem.to_possible_value().context("no function is skipped")?;
        for sampler in ["tpe", "cma-es"] {
            let mut found = Found {
                problem: name.get_name().to_owned(),
                sampler: sampler.to_owned(),
                regrets_at_100: Vec::new(),
                regrets_at_200: Vec::new(),
            };
            for seed in 0..seeds {
                let sampler: Box<dyn Sampler> = match sampler {
                    "tpe" => Box::new(TpeSampler::new(seed)),
                    _ => Box::new(CmaEsSampler::new(seed)),
                };
                let best = best_values(sampler, 200, &|trial| Ok(vec![problem.value(trial)?]))?;
                let regret = |count: usize| best[count - 1] - problem.least();
                found.regrets_at_100.push(regret(CHECKED_AT[0]));
                found.regrets_at_200.push(regret(CHECKED_AT[1]));
            }
            all.push(found);
        }
    }
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &all)?;
    writeln!(out)?;
    Ok(())
}

/// One study of so many trials in five dimensions.
pub(super) fn speed(trials: u64) -> anyhow::Result<Measured> {
    let watch = Stopwatch::start();
    let problem = Problem::ShiftedRastrigin5;
    let sampler = Box::new(TpeSampler::new(1));
    let best = best_values(sampler, trials, &|trial| Ok(vec![problem.value(trial)?]))?;
    let (wall_s, cpu_s) = watch.stop();
    let found = best.last().context("no trial")?;
    Ok(Measured {
        wall_s: vec![wall_s],
        cpu_s: cpu_s.into_iter().collect(),
        peak_mib: peak_mib().unwrap_or_default(),
        versions: BTreeMap::from([("bist".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
        found: format!("{found:.4}"),
    })
}

/// The best value after each trial of a study in memory.
fn best_values(
    sampler: Box<dyn Sampler>,
    trials: u64,
    objective: &ObjectiveFn<'_>,
) -> anyhow::Result<Vec<f64>> {
    let storage = InMemoryStorage::new();
    storage.create_study("bench", &[StudyDirection::Minimize])?;
    let study = storage.find_study("bench")?.context("it was made")?;
    let best = Mutex::new(Vec::new());
    let optimizer = Optimizer {
        storage: &storage,
        study: &study,
        sampler,
        pruner: Box::new(NoPruner),
        settings: OptimizeSettings { results_max: Some(trials), ..OptimizeSettings::default() },
        clock: &|| Timestamp::UNIX_EPOCH,
        cancelled: &AtomicBool::new(false),
    };
    optimizer.run(objective, &|progress| {
        let value = progress.best.first().and_then(|trial| trial.value());
        best.lock().unwrap_or_else(PoisonError::into_inner).extend(value);
    })?;
    Ok(best.into_inner().unwrap_or_else(PoisonError::into_inner))
}
