//! An authenticator with one passkey, and the browser before it: what WebAuthn asks of both (W3C Web
//! Authentication, Level 2), written from the specification and not with the library of the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Somebody is there (section 6.1, bit 0 of the flags).
const USER_PRESENT: u8 = 0b0000_0001;

/// The public key is there (bit 6).
const ATTESTED: u8 = 0b0100_0000;

/// A passkey with its counter.
#[derive(Debug)]
pub(crate) struct Authenticator {
    key: KeyPair,
    id: Vec<u8>,
    /// How often it has signed; a test may turn it back.
    pub(crate) counter: u32,
    /// The page that the browser shows.
    pub(crate) origin: String,
    /// The host for which the passkey is made.
    pub(crate) host: String,
}

impl Authenticator {
    /// One that shows the page of the tests.
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let id = Sha256::digest(key.der_bytes()).to_vec();
        let (origin, host) = ("http://localhost:8080".to_owned(), "localhost".to_owned());
        Self { key, id, counter: 0, origin, host }
    }

    /// Makes the passkey that `options` asks for, as `navigator.credentials.create` does.
    pub(crate) fn create(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.create", options);
        // Section 6.5.1: who made the authenticator, the name of the passkey and its length, the key.
        let mut attested = [0; 16].to_vec();
        attested.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        attested.extend(&self.id);
        attested.extend(self.cose_key());
        let data = self.authenticator_data(USER_PRESENT | ATTESTED, &attested);
        // CBOR (RFC 8949): {"fmt": "none", "attStmt": {}, "authData": data}.
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend(data);
        json!({
            "id": encoded(&self.id),
            "rawId": encoded(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": {
                "attestationObject": encoded(&attestation),
                "clientDataJSON": encoded(&client_data),
                "transports": ["usb"],
            },
        })
    }

    /// Signs what `options` asks for, as `navigator.credentials.get` does.
    pub(crate) fn sign(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let client_data = self.client_data("webauthn.get", options);
        let data = self.authenticator_data(USER_PRESENT, &[]);
        let signed = [&data[..], &Sha256::digest(&client_data)[..]].concat();
        json!({
            "id": encoded(&self.id),
            "rawId": encoded(&self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": encoded(&data),
                "clientDataJSON": encoded(&client_data),
                "signature": encoded(&self.key.sign(&signed).unwrap()),
                "userHandle": null,
            },
        })
    }

    /// What the browser says of the page and the challenge (section 5.8.1).
    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["public_key"]["challenge"];
        assert!(challenge.is_string(), "{options}");
        let data = json!({"type": kind, "challenge": challenge, "origin": self.origin});
        data.to_string().into_bytes()
    }

    /// Section 6.1: for whom, the flags, the counter, and what follows.
    fn authenticator_data(&self, flags: u8, rest: &[u8]) -> Vec<u8> {
        let host = Sha256::digest(self.host.as_bytes());
        [&host[..], &[flags], &self.counter.to_be_bytes(), rest].concat()
    }

    /// The public key as COSE (RFC 9053): {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.der_bytes();
        assert_eq!((point[0], point.len()), (4, 65), "an uncompressed point of P-256");
        let (x, y) = point[1..].split_at(32);
        [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y].concat()
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
