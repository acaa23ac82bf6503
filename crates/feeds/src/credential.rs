//! The key of a service, which may be given anew while the program runs.

use std::sync::{Arc, PoisonError, RwLock};

use bist_access::Secret;

/// The key of a service, or its `user:password`, if it has one; all clones share it.
#[derive(Clone, Debug, Default)]
pub struct Credential(Arc<RwLock<Option<Secret>>>);

impl Credential {
    /// The one in use from now on.
    pub fn set(&self, secret: Secret) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(secret);
    }

    /// The one in use.
    pub fn get(&self) -> Option<Secret> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl From<Secret> for Credential {
    fn from(secret: Secret) -> Self {
        Self(Arc::new(RwLock::new(Some(secret))))
    }
}

/// The same key, wherever it is kept.
impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_that_of_all_clones() {
        let credential = Credential::default();
        let of_the_provider = credential.clone();
        assert_eq!(of_the_provider.get(), None);
        credential.set(Secret::new("s3cr3t"));
        assert_eq!(of_the_provider.get(), Some(Secret::new("s3cr3t")));
        assert!(!format!("{of_the_provider:?}").contains("s3cr3t"));
    }
}
