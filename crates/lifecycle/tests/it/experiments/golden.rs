//! Our sequential statistics against those of `SciPy`, confseq and ssrm-test; the script beside the
//! file in `tests/golden` made the numbers.

use bist_lifecycle::experiment::{Cuped, Moments, SampleRatio, TMixture};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/experiments.json")).unwrap()
}

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn the_evidence_and_the_interval_are_those_of_scipy_integrated_over_the_effects() {
    for case in golden()["t_mixture"].as_array().unwrap() {
        let mixture = TMixture::with_precision(case["precision"].as_f64().unwrap());
        let (values, level) = (numbers(&case["values"]), case["level"].as_f64().unwrap());
        for step in case["steps"].as_array().unwrap() {
            let count = usize::try_from(step["count"].as_u64().unwrap()).unwrap();
            let moments: Moments = values[..count].iter().copied().collect();
            let expected = step["log_e_value"].as_f64().unwrap();
            let actual = mixture.log_e_value(&moments, 0.0);
            // The integration is exact to about 1e-12.
            assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
            let Some(expected) = step["half_width"].as_f64() else { continue };
            let actual = mixture.half_width(&moments, level).unwrap();
            assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
        }
    }
}

#[test]
fn with_many_values_the_interval_is_the_normal_mixture_of_confseq() {
    for case in golden()["normal_mixture"].as_array().unwrap() {
        let [count, tightest_at, level, bound] =
            ["count", "tightest_at", "level", "bound"].map(|name| case[name].as_f64().unwrap());
        let mut moments = Moments::default();
        while moments.count() < 100_000 {
            moments.push(if moments.count() % 2 == 0 { 1.0 } else { -1.0 });
        }
        let half = TMixture::tightest_at(tightest_at, level).half_width(&moments, level).unwrap();
        // Student's t with n degrees of freedom is the normal distribution but for a share of t^2 / n.
        assert!((half * count / bound - 1.0).abs() < 1e-3, "{} is not {bound}", half * count);
    }
}

#[test]
fn bayes_factors_of_sample_ratios_are_those_of_ssrm_test() {
    for case in golden()["sample_ratio"].as_array().unwrap() {
        let whole = |row: &Value| -> Vec<u64> {
            row.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
        };
        let weights: Vec<u32> = whole(&case["weights"])
            .into_iter()
            .map(|weight| u32::try_from(weight).unwrap())
            .collect();
        let mut ratio = SampleRatio::new(&weights);
        let expected = numbers(&case["log_bayes_factors"]);
        for (units, expected) in case["units"].as_array().unwrap().iter().zip(expected) {
            ratio.push(&whole(units));
            let actual = ratio.log_e_value();
            assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
        }
    }
}

#[test]
fn values_less_their_covariate_are_those_of_scipy() {
    for case in golden()["cuped"].as_array().unwrap() {
        let mut cuped = Cuped::default();
        let pairs = numbers(&case["values"]).into_iter().zip(numbers(&case["covariates"]));
        for ((value, covariate), expected) in pairs.zip(numbers(&case["adjusted"])) {
            let actual = cuped.adjust(value, covariate);
            assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
        }
        let expected = case["variance_removed_share"].as_f64().unwrap();
        assert!((cuped.variance_removed_share() - expected).abs() < 1e-12);
    }
}
