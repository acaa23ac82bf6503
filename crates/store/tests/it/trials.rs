//! The ledger of trials: what was looked at stays looked at.

use bist_lifecycle::trial::configurations_count;
use bist_lifecycle::{HORIZON_DEFAULT, HORIZONS, Trial, TrialPurpose};
use bist_market::Origin;
use bist_store::StoreError;
use jiff::Timestamp;

use crate::store;

fn trial(spec: &str) -> Trial {
    Trial {
        at: Timestamp::UNIX_EPOCH,
        purpose: TrialPurpose::Train,
        origin: Origin::Market,
        horizon: HORIZON_DEFAULT,
        spec_sha256: spec.to_owned(),
        snapshot_hash: "00".to_owned(),
        code_version: "0.1.0".to_owned(),
    }
}

#[tokio::test]
async fn each_configuration_counts_once_however_often_it_is_looked_at() {
    let (store, _folder) = store().await;
    let count = async |origin, horizon| {
        configurations_count(&store.trials().await.unwrap(), origin, horizon)
    };
    assert_eq!(count(Origin::Market, HORIZON_DEFAULT).await, 9, "those of the development");
    store.record_trials(&[trial("a"), trial("a")]).await.unwrap();
    assert_eq!(count(Origin::Market, HORIZON_DEFAULT).await, 9);
    store
        .record_trials(&[trial("b"), Trial { origin: Origin::Sample, ..trial("c") }])
        .await
        .unwrap();
    assert_eq!(count(Origin::Market, HORIZON_DEFAULT).await, 10);
    assert_eq!(count(Origin::Sample, HORIZON_DEFAULT).await, 9);
    assert_eq!(count(Origin::Market, HORIZONS[0]).await, 9);
    assert_eq!(store.trials().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_trial_cannot_be_changed_or_removed_unseen() {
    let (store, folder) = store().await;
    store.record_trials(&[trial("a"), trial("b"), trial("c")]).await.unwrap();
    store.close().await;
    let mut raw = folder.raw().await;
    for statement in ["DELETE FROM trials", "UPDATE trials SET link = ''"] {
        let error = raw.execute(statement).await.unwrap_err();
        assert!(error.to_string().contains("trials are never"), "{error}");
    }
    // Who takes the locks off is found out by the chain.
    raw.drop_trigger("trials_are_not_removed", "trials").await;
    raw.execute("DELETE FROM trials WHERE number = 2").await.unwrap();
    raw.close().await;
    let store = folder.open().await;
    for error in
        [store.trials().await.unwrap_err(), store.record_trials(&[trial("d")]).await.unwrap_err()]
    {
        assert!(matches!(error, StoreError::LedgerBroken(2)), "{error}");
    }
}
