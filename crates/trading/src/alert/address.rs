//! Where somebody is told.

use serde::{Deserialize, Serialize};

use super::Channel;

/// Where somebody is told, by a channel that leads out of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "snake_case", deny_unknown_fields)]
pub enum ChannelAddress {
    /// A mail.
    Email {
        /// To whom.
        address: String,
    },
    /// A message of the bot.
    Telegram {
        /// The number of the chat with it.
        chat_id: i64,
    },
    /// A signed request.
    Webhook {
        /// To which address.
        url: String,
    },
}

impl ChannelAddress {
    /// By which channel.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email { .. } => Channel::Email,
            Self::Telegram { .. } => Channel::Telegram,
            Self::Webhook { .. } => Channel::Webhook,
        }
    }
}
