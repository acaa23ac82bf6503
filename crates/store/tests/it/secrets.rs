//! Secrets: stored as they were sealed, all of them or none.

use bist_access::{AuditAction, MasterKey, SealedSecrets, Secret, SecretName, SecretsError};
use bist_store::{AuditNote, Store, StoreError};
use jiff::Timestamp;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::{audit, store};

#[derive(Debug, thiserror::Error)]
enum ChangeError {
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

/// A master key, a new one, and random numbers.
fn keys() -> (MasterKey, MasterKey, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    (MasterKey::generate(&mut rng), MasterKey::generate(&mut rng), rng)
}

/// What is put on record of a change.
fn note() -> AuditNote {
    AuditNote::new(AuditAction::SecretSet, "secret:test".to_owned(), [])
}

async fn add(store: &Store, key: &MasterKey, rng: &mut ChaCha20Rng, text: &str) {
    let add = |sealed: &mut SealedSecrets| {
        let value = Secret::new(format!("value of {text}"));
        sealed.add(key, &name(text), &value, Timestamp::UNIX_EPOCH, rng)?;
        Ok::<_, ChangeError>(((), note()))
    };
    store.change_secrets(&audit(store).await, add).await.unwrap();
}

#[tokio::test]
async fn secrets_are_stored_as_they_were_sealed() {
    let (store, folder) = store().await;
    let (key, new, mut rng) = keys();
    assert_eq!(store.sealed_secrets().await.unwrap(), SealedSecrets::default());
    for text in ["kap", "evds"] {
        add(&store, &key, &mut rng, text).await;
    }
    let sealed = store.sealed_secrets().await.unwrap();
    assert_eq!(sealed.check(&key), Ok(()));
    assert_eq!(sealed.value(&key, &name("evds")).unwrap().expose(), "value of evds");

    let rekey = |sealed: &mut SealedSecrets| {
        Ok::<_, ChangeError>((sealed.rekey(&key, &new, &mut rng)?, note()))
    };
    assert_eq!(store.change_secrets(&audit(&store).await, rekey).await.unwrap(), 3);
    store.close().await;
    let store = folder.open().await;
    let sealed = store.sealed_secrets().await.unwrap();
    assert_eq!((sealed.check(&new), sealed.secrets.len()), (Ok(()), 3));

    let remove = |sealed: &mut SealedSecrets| {
        sealed.remove(&new, &name("kap"), &mut rng)?;
        Ok::<_, ChangeError>(((), note()))
    };
    store.change_secrets(&audit(&store).await, remove).await.unwrap();
    let sealed = store.sealed_secrets().await.unwrap();
    assert_eq!((sealed.check(&new), sealed.secrets.len()), (Ok(()), 2));
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_everything_as_it_was() {
    let (store, _folder) = store().await;
    let (key, new, mut rng) = keys();
    add(&store, &key, &mut rng, "evds").await;
    let before = store.sealed_secrets().await.unwrap();
    let changed = store
        .change_secrets(&audit(&store).await, |sealed| {
            sealed.rekey(&key, &new, &mut rng)?;
            Err::<((), AuditNote), ChangeError>(SecretsError::NoSuchSecret(name("kap")).into())
        })
        .await;
    assert!(matches!(changed, Err(ChangeError::Secrets(SecretsError::NoSuchSecret(_)))));
    assert_eq!(store.sealed_secrets().await.unwrap(), before);
}

/// A trigger fails the last write of the transaction, after all data keys were written anew.
#[tokio::test]
async fn a_rekey_that_is_cut_off_leaves_all_under_the_old_key() {
    let (store, folder) = store().await;
    let (key, new, mut rng) = keys();
    for text in ["evds", "kap"] {
        add(&store, &key, &mut rng, text).await;
    }
    let before = store.sealed_secrets().await.unwrap();
    folder.raw().await.cut("secret_register").await;
    let rekey = |sealed: &mut SealedSecrets| {
        Ok::<_, ChangeError>((sealed.rekey(&key, &new, &mut rng)?, note()))
    };
    let error = store.change_secrets(&audit(&store).await, rekey).await.unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert_eq!(store.sealed_secrets().await.unwrap(), before);
    assert_eq!(before.check(&key), Ok(()));
}

#[tokio::test]
async fn what_was_changed_in_the_database_is_refused() {
    let (store, folder) = store().await;
    let (key, _, mut rng) = keys();
    for text in ["evds", "kap"] {
        add(&store, &key, &mut rng, text).await;
    }
    let mut raw = folder.raw().await;
    // Each is undone by the next, which finds everything as it was.
    let sound = store.sealed_secrets().await.unwrap();
    for change in [
        "UPDATE secrets SET sealed_value = (SELECT sealed_value FROM secrets WHERE name = 'kap'),
                            wrapped_key = (SELECT wrapped_key FROM secrets WHERE name = 'kap')",
        "UPDATE secrets SET revision = 2",
        "UPDATE secrets SET set_at_us = 1",
        "UPDATE secrets SET name = name || 's'",
        "DELETE FROM secrets WHERE name = 'kap'",
        "DELETE FROM secret_register",
        "UPDATE secret_register SET entries = key_check",
        "UPDATE secret_register SET key_check = entries",
    ] {
        raw.execute(change).await.unwrap();
        let error = store.sealed_secrets().await.unwrap().check(&key).unwrap_err();
        assert_ne!(error, SecretsError::WrongKey, "{change}");
        let undo = |sealed: &mut SealedSecrets| {
            *sealed = sound.clone();
            Ok::<_, ChangeError>(((), note()))
        };
        store.change_secrets(&audit(&store).await, undo).await.unwrap();
    }
    assert_eq!(sound.check(&key), Ok(()));
    for change in
        ["UPDATE secrets SET revision = -1", "UPDATE secrets SET name = 'K' WHERE name = 'kap'"]
    {
        raw.execute(change).await.unwrap();
        let error = store.sealed_secrets().await.unwrap_err().to_string();
        assert!(error.starts_with("the database holds an impossible value"), "{error}");
        raw.execute("UPDATE secrets SET revision = 1").await.unwrap();
    }
}

#[tokio::test]
async fn what_is_sealed_together_with_a_change_of_access_is_kept_with_it_or_not_at_all() {
    let (store, _folder) = store().await;
    let (key, _, mut rng) = keys();
    add(&store, &key, &mut rng, "before").await;
    let before = store.sealed_secrets().await.unwrap();
    let audit = audit(&store).await;
    for is_kept in [false, true] {
        let mut change = store.change_access().await.unwrap();
        let seal = |sealed: &mut SealedSecrets| {
            let value = Secret::new("value");
            sealed.add(&key, &name("with"), &value, Timestamp::UNIX_EPOCH, &mut rng)?;
            Ok::<_, ChangeError>(())
        };
        change.change_secrets(seal).await.unwrap();
        if is_kept {
            change.commit(&audit, vec![note()]).await.unwrap();
            let sealed = store.sealed_secrets().await.unwrap();
            assert_eq!(sealed.value(&key, &name("with")).unwrap().expose(), "value");
            assert_eq!(sealed.check(&key), Ok(()));
        } else {
            // As when the process dies in between.
            drop(change);
            assert_eq!(store.sealed_secrets().await.unwrap(), before);
        }
    }
}
