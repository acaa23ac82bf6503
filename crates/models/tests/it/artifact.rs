//! Fitted models as bytes.

use bist_models::{Artifact, ArtifactError};

use crate::battery::{forecasters, rows, table};

#[test]
fn a_model_survives_the_way_to_bytes_and_back() {
    let (x, y) = table(1);
    for forecaster in forecasters() {
        let fitted = forecaster.fit(&x, &y, &rows(0..200), &rows(200..250)).unwrap();
        let bytes = fitted.artifact().to_bytes();
        let artifact = Artifact::from_bytes(&bytes).unwrap();
        assert_eq!(artifact.to_bytes(), bytes);
        let read = artifact.into_forecaster();
        assert_eq!((read.kind(), read.feature_names()), (forecaster.kind(), x.features.names()));
        assert_eq!(read.predict(&x, &rows(0..300)), fitted.predict(&x, &rows(0..300)));
    }
}

#[test]
fn a_damaged_byte_anywhere_is_refused() {
    let (x, y) = table(1);
    for forecaster in forecasters() {
        let bytes = forecaster.fit(&x, &y, &rows(0..200), &[]).unwrap().artifact().to_bytes();
        // Every byte of the beginning, then one in 31: a model has many thousands.
        let places = (0..200.min(bytes.len())).chain((200..bytes.len()).step_by(31));
        for place in places {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert!(Artifact::from_bytes(&damaged).is_err(), "byte {place} of {forecaster:?}");
        }
        assert!(Artifact::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }
}

#[test]
fn what_is_not_an_artifact_is_named() {
    let error = |bytes: &[u8]| Artifact::from_bytes(bytes).unwrap_err().to_string();
    let header = "not a model artifact: the first line is not 'bist-artifact/1 sha256=...'";
    assert_eq!(error(b""), header);
    assert_eq!(error(b"tree\nversion=v4\n"), header);
    assert_eq!(error(b"bist-artifact/2 sha256=00\n{}"), header);
    let (x, y) = table(1);
    let mut bytes = forecasters()[1].fit(&x, &y, &rows(0..200), &[]).unwrap().artifact().to_bytes();
    bytes.push(b' ');
    assert!(matches!(Artifact::from_bytes(&bytes), Err(ArtifactError::Checksum { .. })));
}
