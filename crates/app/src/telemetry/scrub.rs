//! Takes out of a text what must be nowhere: secrets, tokens, codes, e-mail addresses, values of bodies
//! and of queries (docs/LOGGING.md).
//!
//! What is kept of an error passes through here whoever has written it, for a message may hold what its
//! writer did not know of. Better a word too few than a secret.

/// Words that say that what follows them is a secret.
const SECRET_WORDS: [&str; 24] = [
    "apikey",
    "auth",
    "authorization",
    "basic",
    "bearer",
    "code",
    "cookie",
    "credential",
    "credentials",
    "csrf",
    "dsn",
    "invitation",
    "key",
    "otp",
    "parola",
    "passwd",
    "password",
    "pin",
    "secret",
    "session",
    "sifre",
    "şifre",
    "token",
    "totp",
];

/// What behind the word of a secret is one as well.
const ID: &str = "id";

/// A word of so many letters and digits, both among them, is taken for a token.
const TOKEN_CHARS_MIN: usize = 16;

/// The same of one with hyphens in it.
const HYPHENATED_CHARS_MIN: usize = 24;

/// A word of so many letters is taken for a token without any digit.
const LETTERS_MAX: usize = 40;

/// Digits of a one-time code.
const CODE_DIGITS: usize = 6;

/// `text` without what must be nowhere, at most `chars_max` characters of it.
pub(crate) fn scrub(text: &str, chars_max: usize) -> String {
    // What is far beyond the end need not be looked at; no word is cut in two, for half a token is none.
    let begin = match text.char_indices().nth(chars_max.saturating_mul(2)) {
        Some((end, _)) => text[..end].rsplit_once(char::is_whitespace).map_or("", |(kept, _)| kept),
        None => text,
    };
    let mut scrubbed = String::with_capacity(begin.len());
    for (i, line) in unquoted(begin).split('\n').enumerate() {
        if i > 0 {
            scrubbed.push('\n');
        }
        scrub_line(line, &mut scrubbed);
    }
    if scrubbed.chars().count() > chars_max {
        scrubbed = scrubbed.chars().take(chars_max).collect();
        scrubbed.push('…');
    }
    scrubbed
}

/// `text` with a mark in the place of what stands between double quotes: values, as programs print them.
fn unquoted(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in text.chars() {
        match c {
            '"' if !is_quoted => {
                is_quoted = true;
                kept.push_str("[value]");
            }
            '"' if !is_escaped => is_quoted = false,
            _ if !is_quoted => kept.push(c),
            _ => {}
        }
        is_escaped = is_quoted && c == '\\' && !is_escaped;
    }
    kept
}

/// What the words before one say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nothing.
    Nothing,
    /// The word of a secret, such as `token`; behind a mark its value may follow.
    Named,
    /// That it is a secret, as after `token:` or `token =`.
    Announced,
}

fn scrub_line(line: &str, to: &mut String) {
    let mut before = Before::Nothing;
    for piece in line.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let lower = word.to_lowercase();
        if lower.starts_with("cookie:") || lower.starts_with("set-cookie:") {
            to.push_str("[cookie]");
            return;
        }
        if !word.is_empty() {
            before = scrub_word_after(before, word, to);
        }
        to.push_str(&piece[word.len()..]);
    }
}

/// Scrubs `word`, of which the words before say this; what is said of the next one.
fn scrub_word_after(before: Before, word: &str, to: &mut String) -> Before {
    let value = word.trim_start_matches([':', '=']);
    let has_mark = value.len() < word.len();
    let is_announced = before == Before::Announced || (before == Before::Named && has_mark);
    let name = word.trim_matches(is_mark);
    if name.is_empty() {
        // Marks only, as between `token` and its value.
        to.push_str(word);
        return if is_announced { Before::Announced } else { Before::Nothing };
    }
    if is_announced && !is_secret_word(name) {
        to.push_str(&word[..word.len() - value.len()]);
        to.push_str("[secret]");
    } else {
        to.push_str(&scrub_word(word));
    }
    if announces_secret(word) {
        Before::Announced
    } else if is_secret_word(name) {
        Before::Named
    } else {
        Before::Nothing
    }
}

/// Whether a secret is to be expected after `word`, as after `password:`, `token=` or `Bearer`.
fn announces_secret(word: &str) -> bool {
    let ends = word.ends_with([':', '=']);
    let name = word.trim_matches(is_mark);
    let is_scheme = ["bearer", "basic"].iter().any(|scheme| name.eq_ignore_ascii_case(scheme));
    is_scheme || (ends && is_secret_word(name))
}

/// Whether `name` is one of [`SECRET_WORDS`], or ends with one behind a hyphen, an underscore or small
/// letters; or is the id of one, such as `sessionId`.
fn is_secret_word(name: &str) -> bool {
    let (before, last) = last_word(name);
    let last = last.to_lowercase();
    if last == ID {
        let before = before.trim_end_matches(|c: char| !c.is_alphanumeric());
        return !before.is_empty() && is_secret_word(before);
    }
    if SECRET_WORDS.contains(&last.as_str()) {
        return true;
    }
    // In capitals or small letters alone, or of two words such as `apiKey`.
    let whole = name.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    SECRET_WORDS.contains(&whole.to_lowercase().as_str())
}

/// What is before the last word of `name`, and that word: `access` and `Token` of `accessToken`.
fn last_word(name: &str) -> (&str, &str) {
    let mut begin = 0;
    let (mut previous, mut chars) = (None::<char>, name.char_indices().peekable());
    while let Some((at, c)) = chars.next() {
        let follows_small = previous.is_some_and(|c| !c.is_uppercase());
        let is_first_of_word = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        if !c.is_alphanumeric() {
            begin = at + c.len_utf8();
        } else if c.is_uppercase() && (follows_small || is_first_of_word) {
            begin = at;
        }
        previous = Some(c);
    }
    name.split_at(begin)
}

const fn is_mark(c: char) -> bool {
    matches!(
        c,
        ':' | '=' | ',' | ';' | '.' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '\'' | '`'
    )
}

/// A word without blanks, with marks in the place of what must be nowhere.
fn scrub_word(word: &str) -> String {
    if word.contains("://") {
        return scrub_url(word);
    }
    if word.contains('@') || word.to_ascii_lowercase().contains("%40") {
        return "[e-mail]".to_owned();
    }
    if let Some((path, query)) = word.split_once('?')
        && !query.trim_matches(is_mark).is_empty()
    {
        return format!("{}?[query]", scrub_pieces(path));
    }
    let announced = word.match_indices(['=', ':']).map(|(at, _)| word.split_at(at + 1)).find(
        |(name, value)| {
            is_secret_word(&name[..name.len() - 1]) && !value.trim_matches(is_mark).is_empty()
        },
    );
    if let Some((name, _)) = announced {
        return format!("{}[secret]", scrub_pieces(name));
    }
    scrub_pieces(word)
}

/// An address: where it leads to is kept, who asks there and what for is not. What stands before and
/// behind it is a word as any.
fn scrub_url(word: &str) -> String {
    let Some((before, rest)) = word.split_once("://") else { return scrub_pieces(word) };
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let (before, scheme) = before.split_at(before.trim_end_matches(is_of_scheme).len());
    let before_shown = scrub_word(before);
    if announces_secret(before) {
        return format!("{before_shown}[secret]");
    }
    let (before_query, query) = match rest.split_once(['?', '#']) {
        Some((before, _)) => (before, "?[query]"),
        None => (rest, ""),
    };
    let (host, path) = match before_query.find('/') {
        Some(at) => before_query.split_at(at),
        None => (before_query, ""),
    };
    let (credentials, host) = match host.rsplit_once('@') {
        Some((_, host)) => ("[secret]@", host),
        None => ("", host),
    };
    let (host, behind) = host.split_at(host.find([',', ';', ')']).unwrap_or(host.len()));
    let path = [behind, path].concat();
    let path = if path.contains('@') { "/[e-mail]".to_owned() } else { scrub_word(&path) };
    format!("{before_shown}{}://{credentials}{host}{path}{query}", scrub_pieces(scheme))
}

/// Marks in the place of what looks like a token or a code, piece by piece of a path or a list.
fn scrub_pieces(word: &str) -> String {
    let mut scrubbed = String::with_capacity(word.len());
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '+' | '%' | '~');
    let mut rest = word;
    while !rest.is_empty() {
        let piece_len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(piece_len);
        scrubbed.push_str(shown(piece));
        let mark_len = after.find(is_part).unwrap_or(after.len());
        scrubbed.push_str(&after[..mark_len]);
        rest = &after[mark_len..];
    }
    scrubbed
}

/// `piece`, or the mark that takes its place.
fn shown(piece: &str) -> &str {
    let length = piece.chars().count();
    let has_digit = piece.contains(|c: char| c.is_ascii_digit());
    let has_letter = piece.contains(char::is_alphabetic);
    if length == CODE_DIGITS && piece.bytes().all(|byte| byte.is_ascii_digit()) {
        return "[digits]";
    }
    let least = if piece.contains('-') { HYPHENATED_CHARS_MIN } else { TOKEN_CHARS_MIN };
    let is_token = (length >= least && has_digit && has_letter)
        || (length > LETTERS_MAX && !piece.contains(['_', '-']));
    if is_token { "[token]" } else { piece }
}

/// `message` without what differs from one time to the next: numbers, names with digits in them, and
/// what stands between single quotes.
pub(crate) fn sameness(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let mut same = String::with_capacity(first.len());
    for (i, part) in first.split('\'').enumerate() {
        if i % 2 == 1 {
            same.push_str("'#'");
            continue;
        }
        let mut rest = part;
        while !rest.is_empty() {
            let word_len = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let (word, after) = rest.split_at(word_len);
            let differs = word.contains(|c: char| c.is_ascii_digit());
            same.push_str(if differs { "#" } else { word });
            let mark_len = after.find(char::is_alphanumeric).unwrap_or(after.len());
            same.push_str(&after[..mark_len]);
            rest = &after[mark_len..];
        }
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(scrub(text, 500), expected);
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        for text in [
            "the store failed: no such table: bars",
            "retraining failed and is begun again at 2026-11-24T12:15:00Z: train: 3 of 12 folds",
            "a panic at crates/app/src/jobs.rs:41:9: index out of bounds: the len is 3",
            "the artefact models/ensemble-0123456789ab.json cannot be read",
            "THYAO has 1500 bars, 0.953 accepted",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn what_follows_the_word_of_a_secret_goes() {
        check("password=hunter2 of bist", "password=[secret] of bist");
        check("the password: hunter2", "the password: [secret]");
        check("x-csrf-token: abc", "x-csrf-token: [secret]");
        check("Authorization: Bearer abc.def", "Authorization: Bearer [secret]");
        check("SMTP_PASSWORD=geheim", "SMTP_PASSWORD=[secret]");
        check("{user:ayse,password:geheim}", "{user:ayse,password:[secret]");
        check("cookie: a=b; c=d", "[cookie]");
        check("parola: gizli", "parola: [secret]");
    }

    #[test]
    fn blanks_around_the_mark_hide_no_secret() {
        check("token = hunter2 of bist", "token = [secret] of bist");
        check("the password : hunter2", "the password : [secret]");
        check("the password  :  hunter2", "the password  :  [secret]");
        check("secret =hunter2", "secret =[secret]");
        check("password\t=\thunter2\tof", "password\t=\t[secret]\tof");
        check("dbPassword := hunter2", "dbPassword := [secret]");
        check("the token was lost = never", "the token was lost = never");
    }

    #[test]
    fn names_in_capitals_and_small_letters_are_known() {
        check("accessToken=abc", "accessToken=[secret]");
        check("clientSecret: x", "clientSecret: [secret]");
        check("{dbPassword=x,n=1}", "{dbPassword=[secret]");
        check("sessionId=12 session_id: 12", "sessionId=[secret] session_id: [secret]");
        check(
            "apiKey = x, APIKey=x, API_KEY=x",
            "apiKey = [secret] APIKey=[secret] API_KEY=[secret]",
        );
        check("request_id: 12, monkey: x, tokens: 3", "request_id: 12, monkey: x, tokens: 3");
    }

    #[test]
    fn around_an_address_nothing_is_shown_that_would_not_be_without_it() {
        check("user=ayse@example.com,base=https://x/", "[e-mail]https://x/");
        check("password=hunter2,base=https://x/", "password=[secret]https://x/");
        check("https://x/,password=hunter2", "https://x/,password=[secret]");
        check("https://x,password=hunter2", "https://x,password=[secret]");
        check("dsn=https://publickey@x/1", "dsn=[secret]");
        check("(https://x:8080/a)", "(https://x:8080/a)");
    }

    #[test]
    fn tokens_codes_and_addresses_of_people_go() {
        check("no bist_0Aq-7Zr_4kXw9mPbT2vNcLd8sYhGfJe5u in force", "no [token] in force");
        check("0abc-1def-2ghj-3kmn-4pqr-5stv-6wxy", "[token]");
        check("of 4f1c9e2b7a6d5c3b8e0f1a2b3c4d5e6f", "of [token]");
        check("(QWxhZGRpbjpvcGVuIHNlc2FtZQ12/abc)", "([token]/abc)");
        check("the 482193 was wrong", "the [digits] was wrong");
        check("mail to ayse@example.com failed", "mail to [e-mail] failed");
        check("of ayse%40example.com", "of [e-mail]");
    }

    #[test]
    fn queries_credentials_and_quoted_values_go() {
        check("GET /api/v1/bars?symbol=THYAO failed", "GET /api/v1/bars?[query] failed");
        check("https://u:p@example.com/a?k=v#x", "https://[secret]@example.com/a?[query]");
        check("Err(Error(\"hunter2 \\\" more\"))", "Err(Error([value]))");
        check("invalid type: string \"hunter2", "invalid type: string [value]");
    }

    #[test]
    fn a_long_text_is_cut_and_no_token_with_it() {
        assert_eq!(scrub("aaaa bbbb cccc", 9), "aaaa bbbb…");
        assert_eq!(scrub("aaa 4f1c9e2b7a6d5c3b8e0f1a2b3c4d5e6f", 20), "aaa [token]");
    }

    #[test]
    fn what_differs_from_time_to_time_makes_no_other_group() {
        let same = "job # of '#' failed after #.# s at #-#-#";
        assert_eq!(sameness("job 17 of 'THYAO' failed after 1.5 s at 2026-11-24T12"), same);
        assert_eq!(sameness("job 2 of 'A b' failed after 10.25 s at 2026-12-24T13\nmore"), same);
        assert_ne!(sameness("job 2 of 'A b' was lost after 10.25 s at 2026-12-24T13"), same);
    }
}
