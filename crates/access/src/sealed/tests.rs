//! What was changed from outside is refused, whatever it was.

use jiff::ToSpan as _;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

struct Scene {
    rng: ChaCha20Rng,
    key: MasterKey,
    sealed: SealedSecrets,
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

/// Two secrets, the second of which has its second value.
fn scene() -> Scene {
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    let key = MasterKey::generate(&mut rng);
    let mut sealed = SealedSecrets::default();
    let kap = name("kap");
    sealed.add(&key, &kap, &Secret::new("old"), AT, &mut rng).unwrap();
    sealed.add(&key, &name("evds"), &Secret::new("s3cr3t"), AT, &mut rng).unwrap();
    sealed.rotate(&key, &kap, &Secret::new("new"), AT, &mut rng).unwrap();
    Scene { rng, key, sealed }
}

#[test]
fn a_value_comes_back_and_a_rotation_counts() {
    let Scene { mut rng, key, mut sealed } = scene();
    assert_eq!(sealed.check(&key), Ok(()));
    assert_eq!(sealed.value(&key, &name("evds")).unwrap().expose(), "s3cr3t");
    assert_eq!(sealed.value(&key, &name("kap")).unwrap().expose(), "new");
    let known: Vec<(&str, u64)> =
        sealed.secrets.iter().map(|s| (s.entry.name.as_str(), s.entry.revision)).collect();
    assert_eq!(known, [("evds", 1), ("kap", 2)]);

    let (evds, value) = (name("evds"), Secret::new("x"));
    let exists = SecretsError::Exists { name: evds.clone(), revision: 1 };
    assert_eq!(sealed.add(&key, &evds, &value, AT, &mut rng), Err(exists));
    let none = SecretsError::NoSuchSecret(name("tcmb"));
    assert_eq!(sealed.rotate(&key, &name("tcmb"), &value, AT, &mut rng), Err(none.clone()));
    assert_eq!(sealed.remove(&key, &name("tcmb"), &mut rng), Err(none.clone()));
    assert_eq!(sealed.value(&key, &name("tcmb")), Err(none));
    assert_eq!(sealed.remove(&key, &evds, &mut rng), Ok(()));
    assert_eq!(sealed.check(&key), Ok(()));
    assert_eq!(sealed.value(&key, &evds), Err(SecretsError::NoSuchSecret(evds)));
}

#[test]
fn another_key_is_told_from_damage_and_changes_nothing() {
    let Scene { mut rng, key, mut sealed } = scene();
    let other = MasterKey::generate(&mut rng);
    let before = sealed.clone();
    let (evds, value) = (name("evds"), Secret::new("x"));
    assert_eq!(sealed.check(&other), Err(SecretsError::WrongKey));
    assert_eq!(sealed.value(&other, &evds), Err(SecretsError::WrongKey));
    assert_eq!(sealed.rotate(&other, &evds, &value, AT, &mut rng), Err(SecretsError::WrongKey));
    assert_eq!(sealed.add(&other, &name("new"), &value, AT, &mut rng), Err(SecretsError::WrongKey));
    assert_eq!(sealed.remove(&other, &evds, &mut rng), Err(SecretsError::WrongKey));
    assert_eq!(sealed.rekey(&other, &key, &mut rng), Err(SecretsError::WrongKey));
    assert_eq!(sealed, before);
}

#[test]
fn a_new_master_key_opens_all_and_the_old_one_nothing() {
    let Scene { mut rng, key, mut sealed } = scene();
    let values: Vec<String> = sealed.secrets.iter().map(|s| s.sealed_value.clone()).collect();
    let new = MasterKey::generate(&mut rng);
    assert_eq!(sealed.rekey(&key, &key, &mut rng), Err(SecretsError::SameKey));
    assert_eq!(sealed.rekey(&key, &new, &mut rng), Ok(2));
    assert_eq!(sealed.check(&new), Ok(()));
    assert_eq!(sealed.check(&key), Err(SecretsError::WrongKey));
    assert_eq!(sealed.value(&new, &name("kap")).unwrap().expose(), "new");
    assert_eq!(sealed.secrets.iter().map(|s| s.sealed_value.clone()).collect::<Vec<_>>(), values);
    let mut empty = SealedSecrets::default();
    assert_eq!(empty.rekey(&key, &new, &mut rng), Ok(0));
    assert_eq!(empty, SealedSecrets::default());
}

/// The texts that are stored of `sealed`, which anybody who has the database can change.
fn texts(sealed: &mut SealedSecrets) -> Vec<&mut String> {
    let register = sealed.register.iter_mut().flat_map(|r| [&mut r.key_check, &mut r.entries]);
    let secrets = sealed.secrets.iter_mut().flat_map(|s| [&mut s.wrapped_key, &mut s.sealed_value]);
    register.chain(secrets).collect()
}

#[test]
fn every_changed_character_is_refused() {
    let Scene { key, sealed, .. } = scene();
    for index in 0..texts(&mut sealed.clone()).len() {
        for at in 0.. {
            let mut changed = sealed.clone();
            let text = texts(&mut changed).swap_remove(index);
            if at == text.len() {
                break;
            }
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            text.replace_range(at..=at, other);
            let error = changed.check(&key).unwrap_err();
            assert_ne!(error, SecretsError::WrongKey, "text {index}, character {at}");
        }
    }
}

#[test]
fn every_changed_name_revision_and_instant_is_refused() {
    let Scene { key, sealed, .. } = scene();
    let refused = |change: fn(&mut SecretEntry)| {
        let mut changed = sealed.clone();
        change(&mut changed.secrets[1].entry);
        let error = changed.check(&key).unwrap_err();
        assert!(matches!(error, SecretsError::Damaged(_)), "{error}");
        assert!(changed.value(&key, &name("kap")).is_err());
    };
    refused(|entry| entry.name = name("kaq"));
    refused(|entry| entry.name = name("evds"));
    refused(|entry| entry.revision = 1);
    refused(|entry| entry.revision = 3);
    refused(|entry| entry.set_at += 1.microsecond());
}

/// `sealed` with a change from outside, which must be noticed for the secret `of`.
#[track_caller]
fn check_noticed(scene: &Scene, of: &str, change: impl Fn(&mut SealedSecrets)) {
    let mut changed = scene.sealed.clone();
    change(&mut changed);
    assert_eq!(changed.check(&scene.key), Err(SecretsError::Damaged(name(of))));
    assert_eq!(changed.value(&scene.key, &name(of)), Err(SecretsError::Damaged(name(of))));
}

#[test]
fn two_secrets_that_were_swapped_are_refused() {
    let scene = scene();
    check_noticed(&scene, "evds", |sealed| {
        let [a, b] = &mut sealed.secrets[..] else { panic!("there are two") };
        std::mem::swap(&mut a.wrapped_key, &mut b.wrapped_key);
        std::mem::swap(&mut a.sealed_value, &mut b.sealed_value);
    });
    check_noticed(&scene, "evds", |sealed| {
        let [a, b] = &mut sealed.secrets[..] else { panic!("there are two") };
        std::mem::swap(&mut a.sealed_value, &mut b.sealed_value);
    });
    check_noticed(&scene, "kap", |sealed| {
        let [a, b] = &mut sealed.secrets[..] else { panic!("there are two") };
        std::mem::swap(&mut a.entry, &mut b.entry);
    });
}

#[test]
fn a_row_that_was_set_back_taken_out_or_brought_back_is_refused_and_can_be_replaced() {
    let mut scene = scene();
    let before = scene.sealed.clone();
    let (key, evds, kap) = (scene.key.clone(), name("evds"), name("kap"));
    let value = Secret::new("newer");
    scene.sealed.rotate(&key, &kap, &value, AT, &mut scene.rng).unwrap();
    check_noticed(&scene, "kap", |sealed| sealed.secrets[1] = before.secrets[1].clone());
    check_noticed(&scene, "evds", |sealed| drop(sealed.secrets.remove(0)));

    let mut set_back = scene.sealed.clone();
    set_back.secrets[1] = before.secrets[1].clone();
    let entry = set_back.rotate(&key, &kap, &value, AT, &mut scene.rng).unwrap();
    assert_eq!((entry.revision, set_back.check(&key)), (4, Ok(())));

    scene.sealed.remove(&key, &evds, &mut scene.rng).unwrap();
    check_noticed(&scene, "evds", |sealed| sealed.secrets.push(before.secrets[0].clone()));
    scene.sealed.secrets.push(before.secrets[0].clone());
    assert_eq!(scene.sealed.remove(&key, &evds, &mut scene.rng), Ok(()));
    assert_eq!(scene.sealed.check(&key), Ok(()));
}

#[test]
fn without_its_register_nothing_is_believed() {
    let Scene { key, mut sealed, .. } = scene();
    sealed.register = None;
    assert_eq!(sealed.check(&key), Err(SecretsError::RegisterDamaged));
    assert_eq!(sealed.value(&key, &name("kap")), Err(SecretsError::RegisterDamaged));
}
