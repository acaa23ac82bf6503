//! Panics, each told once: by the hook that the process calls for every one of them, wherever it happens
//! and whoever catches it.

use std::any::Any;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

use super::MESSAGE_CHARS_MAX;
use crate::telemetry::scrub::scrub;

/// The field that says where a panic happened.
pub(super) const LOCATION: &str = "panic.location";

/// Parts of the path of a file that say which it is; what is before them differs by machine.
const PATH_PARTS: usize = 5;

/// Whether this process logs its panics.
static ARE_TOLD: AtomicBool = AtomicBool::new(false);

/// Logs every panic of this process from now on, in the place of the standard library.
///
/// That would print a text beside the log. One that goes on in the caller of a thread is the same panic and not told again.
pub fn tell_panics() {
    panic::set_hook(Box::new(tell));
    ARE_TOLD.store(true, Ordering::Relaxed);
}

/// Whether panics are logged where they happen, so that who catches one need not.
pub fn are_panics_told() -> bool {
    ARE_TOLD.load(Ordering::Relaxed)
}

fn tell(info: &PanicHookInfo<'_>) {
    let message = message_of(info.payload());
    let location = info.location().map_or_else(
        || "(unknown)".to_owned(),
        |location| format!("{}:{}", file_of(location.file()), location.line()),
    );
    tracing::error!(
        panic.location = location.as_str(),
        error = message.as_str(),
        "a panic at {location}: {message}"
    );
}

/// What a panic said, scrubbed: nobody has written it for a log, and it may print what it was given.
pub fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    scrub(text.unwrap_or("no message"), MESSAGE_CHARS_MAX)
}

/// The end of a path, without what is before the folder of the crate.
fn file_of(path: &str) -> &str {
    let begin = path.rmatch_indices(['/', '\\']).nth(PATH_PARTS - 1);
    begin.map_or(path, |(at, _)| &path[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_was_given_is_not_logged() {
        let payload = "cannot sign in with password=hunter2: Err(\"hunter3\")".to_owned();
        assert_eq!(message_of(&payload), "cannot sign in with password=[secret] Err([value])");
    }

    #[test]
    fn of_a_path_the_end_is_told() {
        assert_eq!(file_of("crates/app/src/jobs.rs"), "crates/app/src/jobs.rs");
        let elsewhere = "/opt/cargo/registry/src/index/serde-1.0.0/src/de/mod.rs";
        assert_eq!(file_of(elsewhere), "index/serde-1.0.0/src/de/mod.rs");
    }
}
