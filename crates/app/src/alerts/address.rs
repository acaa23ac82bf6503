//! Whether an address is one of its channel.

use std::net::IpAddr;

use bist_access::Outside;
use bist_trading::alert::ChannelAddress;
use lettre::Address;
use reqwest::Url;

/// Characters of an address.
const CHARS_MAX: usize = 1_000;

/// Refuses what is no address, with what to do.
pub(super) fn check(address: &ChannelAddress, outside: &Outside) -> Result<(), String> {
    match address {
        ChannelAddress::Email { address } => mail(address).map(drop),
        ChannelAddress::Telegram { chat_id: 0 } => {
            Err("chat_id is 0; write to the bot first, and give the number of that chat".to_owned())
        }
        ChannelAddress::Telegram { .. } => Ok(()),
        ChannelAddress::Webhook { url } => webhook(url, outside).map(drop),
    }
}

/// The address of a mail box.
pub(super) fn mail(text: &str) -> Result<Address, String> {
    let wanted = "give an address of a mail box such as ayse@example.com";
    if text.len() > 254 {
        return Err(format!("it is longer than 254 bytes; {wanted}"));
    }
    text.parse().map_err(|_| format!("it is no address of a mail box; {wanted}"))
}

/// The address of a webhook: encrypted, or within a network that the operator has named.
pub(super) fn webhook(text: &str, outside: &Outside) -> Result<Url, String> {
    let wanted = "give one such as https://example.com/alerts";
    if text.chars().count() > CHARS_MAX {
        return Err(format!("it is longer than {CHARS_MAX} characters; {wanted}"));
    }
    let url: Url = text.parse().map_err(|_| format!("it is no address; {wanted}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("it holds a user name or a password; {wanted}"));
    }
    let host = url.host_str().ok_or_else(|| format!("it names no host; {wanted}"))?;
    // A host that is an address is not looked up, so that it is judged here.
    let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    if let Some(literal) = literal
        && !outside.allows(literal)
    {
        return Err(format!("{literal} is not of the public Internet; {wanted}"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if literal.is_some_and(|literal| outside.is_named(literal)) => Ok(url),
        _ => Err(format!("it does not begin with https://; {wanted}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_url(text: &str, expected: Result<(), &str>) {
        let outside = Outside::and(vec!["127.0.0.0/8".parse().unwrap()]);
        let actual = webhook(text, &outside).map(drop);
        let begins = |actual: &str, expected: &str| actual.starts_with(expected);
        match (&actual, expected) {
            (Ok(()), Ok(())) => {}
            (Err(actual), Err(expected)) if begins(actual, expected) => {}
            _ => panic!("{text}: {actual:?}"),
        }
    }

    #[test]
    fn a_webhook_is_encrypted_and_outside_or_within_a_named_network() {
        check_url("https://example.com/alerts?x=1", Ok(()));
        check_url("http://127.0.0.1:8000/", Ok(()));
        check_url("http://example.com/", Err("it does not begin with https://"));
        check_url("http://localhost/", Err("it does not begin with https://"));
        check_url("ftp://example.com/", Err("it does not begin with https://"));
        check_url("https://a:b@example.com/", Err("it holds a user name"));
        check_url("https://10.0.0.1/", Err("10.0.0.1 is not of the public Internet"));
        check_url("https://[::1]/", Err("::1 is not of the public Internet"));
        // Other ways to write an address are read as browsers read them.
        check_url("https://0x0a000001/", Err("10.0.0.1 is not of the public Internet"));
        check_url("https://169.254.169.254/", Err("169.254.169.254 is not"));
        check_url("example.com", Err("it is no address"));
    }
}
