//! Every place that keeps studies does the same: one suite over all three.

mod dump;
mod journal_file;
mod kills;
mod optuna;
mod suite;

use std::sync::Arc;

use bist_lifecycle::study::{InMemoryStorage, StudyStorage};
use bist_store::{JournalStorage, StudyStorageSpec};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::home::Home;

/// A place for studies that can be opened several times.
struct Place {
    open: Box<dyn Fn() -> Arc<dyn StudyStorage>>,
    /// Whether studies are there after the last handle is gone.
    is_persistent: bool,
}

impl Place {
    fn memory() -> Self {
        let storage = Arc::new(InMemoryStorage::new());
        Self {
            open: Box::new(move || Arc::<InMemoryStorage>::clone(&storage)),
            is_persistent: false,
        }
    }

    fn journal() -> Self {
        let folder = TempDir::new().unwrap();
        let open = move || {
            let path = folder.path().join("studies.log");
            Arc::new(JournalStorage::open(&path).unwrap()) as Arc<dyn StudyStorage>
        };
        Self { open: Box::new(open), is_persistent: true }
    }

    /// Each handle has its own connections, as if it were in another process.
    fn database() -> Self {
        let (home, runtime) = (Home::new(), Runtime::new().unwrap());
        let open = move || {
            let store = runtime.block_on(home.open());
            StudyStorageSpec::Database.open(&store, runtime.handle()).unwrap()
        };
        Self { open: Box::new(open), is_persistent: true }
    }
}

/// The suite as tests, for each place.
macro_rules! conformance {
    ($($place:ident => $rules:tt;)+) => { $(conformance!(@place $place $rules);)+ };
    (@place $place:ident { $($rule:ident,)+ }) => {
        mod $place {
            $(
                #[test]
                fn $rule() {
                    super::suite::$rule(&super::Place::$place());
                }
            )+
        }
    };
}

/// Every rule of the suite for every place.
macro_rules! every_rule_for {
    ($($place:ident),+) => {
        conformance! {
            $($place => {
                studies_have_a_name_of_their_own_and_an_objective,
                attributes_are_any_json_and_the_last_stays,
                parameters_of_every_kind_are_kept,
                parameters_that_do_not_fit_are_refused,
                reports_keep_what_is_no_number,
                a_trial_ends_once_with_a_value_for_each_objective,
                finished_trials_stay_as_they_are,
                waiting_trials_are_claimed_once_in_order,
                threads_claim_each_waiting_trial_once,
                threads_make_numbers_without_gap_or_duplicate,
                trials_after_returns_what_somebody_does_not_know,
                a_deleted_study_is_gone_and_its_numbers_stay_its_own,
                times_are_kept_to_the_microsecond,
                studies_do_not_mix,
                trials_that_finished_elsewhere_are_taken_over_whole,
                what_is_not_there_is_named,
                two_handles_see_what_the_other_wrote,
                studies_are_there_after_the_last_handle_is_gone,
            };)+
        }
    };
}

every_rule_for!(memory, journal, database);
