//! The probability of a rise: what the trees of the outlook say, made to mean what it says.

use std::ops::Range;

use bist_models::{
    CalibrationMethod, ProbabilityCalibration, ProbabilityError, SelectedCalibration,
};

use crate::evaluation::FoldLayout;
use crate::evaluation::OutOfFold;

/// The calibration in force, and what the ones before it said.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibratedDirection {
    /// Learned from all records.
    pub(crate) in_force: SelectedCalibration,
    /// The probability of a rise for each record, by what was known before its block began.
    pub(crate) out_of_fold: Vec<f64>,
}

/// Calibrates the probabilities of `records`, those of each fold by what was known of the blocks
/// before it when it began, and all together for the forecasts to come. The method is chosen each
/// time by [`ProbabilityCalibration::select`]; where there are too few blocks to choose by, the
/// trees are believed as they are.
///
/// # Errors
///
/// [`ProbabilityError`] when the price rose in all records or in none.
pub(crate) fn calibrate(
    warm_up: &[OutOfFold],
    records: &[OutOfFold],
    layouts: &[FoldLayout],
) -> Result<CalibratedDirection, ProbabilityError> {
    let all = warm_up.iter().chain(records);
    let labelled: Vec<&OutOfFold> = all.filter(|record| record.outlook.rose.is_some()).collect();
    let scores: Vec<f64> = labelled.iter().map(|record| record.outlook.said.up_share).collect();
    let outcomes: Vec<bool> =
        labelled.iter().map(|record| record.outlook.rose == Some(true)).collect();
    let blocks = blocks(&labelled, layouts);

    // The calibration of each fold knows the blocks that lie before its own.
    let of_folds: Vec<ProbabilityCalibration> = layouts
        .iter()
        .map(|layout| {
            let earlier = blocks.partition_point(|block| {
                labelled.get(block.start).is_some_and(|first| first.day < layout.test_from)
            });
            let known = blocks[..earlier].last().map_or(0, |block| block.end);
            let (scores, outcomes) = (&scores[..known], &outcomes[..known]);
            ProbabilityCalibration::select(scores, outcomes, &blocks[..earlier])
                .map_or_else(|_| identity(), |selected| selected.calibration)
        })
        .collect();
    let out_of_fold = records
        .iter()
        .map(|record| of_folds[record.fold].apply(record.outlook.said.up_share))
        .collect();
    let in_force = ProbabilityCalibration::select(&scores, &outcomes, &blocks)?;
    Ok(CalibratedDirection { in_force, out_of_fold })
}

/// Where the blocks lie among the labelled records: that before the first fold, and the folds. Left
/// out of each are the records whose outcome was not known when the next block began.
fn blocks(labelled: &[&OutOfFold], layouts: &[FoldLayout]) -> Vec<Range<usize>> {
    let begins = layouts.iter().map(|layout| layout.test_from);
    let mut start = 0;
    let mut blocks = Vec::with_capacity(layouts.len() + 1);
    for next in begins.map(Some).chain([None]) {
        let end = next
            .map_or(labelled.len(), |next| labelled.partition_point(|record| record.day < next));
        let known = next.map_or(end, |next| {
            start + labelled[start..end].partition_point(|record| record.known_on < next)
        });
        if known > start {
            blocks.push(start..known);
        }
        start = end;
    }
    blocks
}

fn identity() -> ProbabilityCalibration {
    ProbabilityCalibration::fit(CalibrationMethod::Identity, &[0.5], &[true])
        .expect("the identity learns nothing")
}
