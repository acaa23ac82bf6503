//! What somebody has set for themselves, on whatever device.

use bist_access::Account;
use bist_lifecycle::HORIZON_DEFAULT;
use bist_store::Revised;
use bist_trading::UserSettings;

use crate::App;
use crate::personal::{PersonalError, done};

impl App {
    /// What `account` has set; `None` before they have set anything.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when the database fails.
    pub async fn user_settings(
        &self,
        account: &Account,
    ) -> Result<Option<Revised<UserSettings>>, PersonalError> {
        Ok(self.store.user_settings(&account.id).await?)
    }

    /// What holds for who has set nothing.
    pub fn default_settings(&self) -> UserSettings {
        UserSettings::with_horizon(HORIZON_DEFAULT)
    }

    /// Keeps what `account` sets, who has seen `revision`: zero before anything was set.
    ///
    /// # Errors
    ///
    /// [`PersonalError`] when a setting is none, it was changed meanwhile, or the database fails.
    pub async fn set_user_settings(
        &self,
        account: &Account,
        revision: u64,
        settings: UserSettings,
    ) -> Result<Revised<UserSettings>, PersonalError> {
        let value = settings.checked()?;
        let now = self.now();
        let changed = self.store.set_user_settings(&account.id, revision, &value, now).await?;
        let revision = done(changed, || PersonalError::ChangedMeanwhile(0))?;
        self.live.stir();
        Ok(Revised { value, revision, updated_at: now })
    }
}
