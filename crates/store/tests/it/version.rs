//! The version of the database: alike as long as nothing was committed.

use crate::home::is_on_postgres;
use crate::{audit, store};

#[tokio::test]
async fn a_version_differs_after_every_commit_of_whichever_process() {
    let (store, home) = store().await;
    let first = store.version().await.unwrap();
    // Others write to the same server of PostgreSQL, which says so once too often rather than once too
    // rarely.
    if !is_on_postgres() {
        assert_eq!(store.version().await.unwrap(), first);
    }
    let _begun = audit(&store).await;
    let own = store.version().await.unwrap();
    assert_ne!(own, first, "what this process commits");
    let mut other = home.raw().await;
    let mut last = own;
    for number in 0..20 {
        other.execute(format!("CREATE TABLE other_{number} (n BIGINT)")).await.unwrap();
        let now = store.version().await.unwrap();
        assert_ne!(now, last, "commit {number} of another process");
        last = now;
    }
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.version().await.unwrap() })
        })
        .collect();
    for asked in asked {
        let version = asked.await.unwrap();
        assert!(is_on_postgres() || version == last);
    }
    other.close().await;
    let closed = store.clone();
    store.close().await;
    assert!(closed.version().await.is_err());
}
