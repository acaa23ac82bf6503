//! Random and damaged inputs of every parser, a million in all: none panics, hangs or fills the
//! memory, and what is said of an input agrees with itself.
//!
//! Each test starts itself again as a child with limits of its address space and its time. An input
//! is made of the seed and its number alone, so that the parent can make the one again at which a
//! child ended, however it ended, and keep it in a file.
//!
//! `BIST_TEST_SEED` is the seed; `BIST_FUZZ_INPUTS` is how many inputs all parsers get together.

mod archive;
mod changes;
mod checks;
mod dice;
mod floods;
mod targets;

use std::env;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use targets::Target;

/// The seed when none is given.
const SEED: u64 = 20_251_030;

/// Inputs of all parsers together when no number is given.
const INPUTS: u64 = 1_000_000;

/// The tests below.
const TARGETS_COUNT: u64 = 13;

/// The time on a processor that every child has, seconds.
const TIME_S_MAX: u64 = 60;

/// For so many inputs a child has another second.
const INPUTS_PER_S_MIN: u64 = 5_000;

/// Tells a child where to write the number of the input at hand.
const PROGRESS: &str = "BIST_FUZZ_PROGRESS";

#[test]
fn a_csv_file_is_read_or_refused() {
    fuzz(a_csv_file_is_read_or_refused, &targets::csv());
}

#[test]
fn a_table_of_actions_is_read_or_refused() {
    fuzz(a_table_of_actions_is_read_or_refused, &targets::actions_csv());
}

#[test]
fn a_bulletin_is_read_or_refused() {
    fuzz(a_bulletin_is_read_or_refused, &targets::bulletin());
}

#[test]
fn an_archive_is_read_or_refused() {
    fuzz(an_archive_is_read_or_refused, &targets::archives());
}

#[test]
fn a_chart_of_days_is_read_or_refused() {
    fuzz(a_chart_of_days_is_read_or_refused, &targets::yahoo_days());
}

#[test]
fn a_chart_of_hours_is_read_or_refused() {
    fuzz(a_chart_of_hours_is_read_or_refused, &targets::yahoo_hours());
}

#[test]
fn prices_of_is_yatirim_are_read_or_refused() {
    fuzz(prices_of_is_yatirim_are_read_or_refused, &targets::hisse_tekil());
}

#[test]
fn actions_of_is_yatirim_are_read_or_refused() {
    fuzz(actions_of_is_yatirim_are_read_or_refused, &targets::sermaye());
}

#[test]
fn series_of_evds_are_read_or_refused() {
    fuzz(series_of_evds_are_read_or_refused, &targets::evds());
}

#[test]
fn a_days_rates_are_read_or_refused() {
    fuzz(a_days_rates_are_read_or_refused, &targets::rates());
}

#[test]
fn a_page_of_announcements_is_read_or_refused() {
    fuzz(a_page_of_announcements_is_read_or_refused, &targets::kap_page());
}

#[test]
fn an_announcement_is_read_or_refused() {
    fuzz(an_announcement_is_read_or_refused, &targets::kap_detail());
}

#[test]
fn a_day_of_announcements_is_read_or_refused() {
    fuzz(a_day_of_announcements_is_read_or_refused, &targets::kap_site());
}

/// Feeds the target, by way of a child that does nothing but `test`.
fn fuzz<T: Fn()>(_test: T, target: &Target) {
    match env::var_os(PROGRESS) {
        Some(progress) => feed(target, Path::new(&progress)),
        None => watch(std::any::type_name::<T>(), target),
    }
}

/// A number that the environment may hold.
fn number(name: &str, default: u64) -> u64 {
    let Some(text) = env::var_os(name) else { return default };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("{name} is {text:?}; give a whole number"))
}

/// Inputs of each target.
fn inputs_count() -> u64 {
    number("BIST_FUZZ_INPUTS", INPUTS).div_ceil(TARGETS_COUNT)
}

fn seed() -> u64 {
    number("BIST_TEST_SEED", SEED)
}

/// Feeds the target one input after the other; the first that breaks a promise ends the process.
fn feed(target: &Target, progress: &Path) {
    let progress = File::options().write(true).open(progress).unwrap();
    let count = inputs_count();
    let corpus = target.corpus();
    // Files that are overwritten a million times are kept in memory where the system has room.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
    let began = Instant::now();
    let (mut understood_count, mut slowest) = (0_u64, (Duration::ZERO, 0));
    for index in 0..count {
        progress.write_all_at(&index.to_le_bytes(), 0).unwrap();
        let input = target.input(&corpus, seed(), index);
        let before = Instant::now();
        understood_count += u64::from((target.check)(&input, folder.path()));
        slowest = slowest.max((before.elapsed(), index));
    }
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts of a report")]
    let (per_second, share) =
        (count as f64 / seconds, 100.0 * understood_count as f64 / count as f64);
    println!(
        "fuzz: {}: {count} inputs, {per_second:.0} a second, {share:.0} % understood, the slowest took {:.1} ms (number {})",
        target.name,
        slowest.0.as_secs_f64() * 1e3,
        slowest.1
    );
    // Garbage alone would test the door only.
    assert!(understood_count * 20 >= count, "{share:.1} % of the inputs were understood");
}

/// Runs `test` again in a child, and tells at which input it ended if it did not end well.
fn watch(test: &str, target: &Target) {
    let folder = TempDir::new().unwrap();
    let progress = folder.path().join("progress");
    File::create(&progress).unwrap();
    let (_this_crate, test) = test.split_once("::").unwrap();
    let output = limited(target.memory_bytes_max)
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(PROGRESS, &progress)
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        let report = told.lines().find(|line| line.starts_with("fuzz: "));
        return println!("{}", report.expect("a child that ended well has told of it"));
    }
    let Some(index) = number_in(&progress) else {
        panic!("the child did not begin ({}): {told}", output.status);
    };
    let seed = seed();
    let path = env::temp_dir().join(format!("bist-fuzz-{}-{seed}-{index}", target.name));
    fs::write(&path, target.input(&target.corpus(), seed, index)).unwrap();
    panic!(
        "{}: input {index} of BIST_TEST_SEED={seed} ended the child ({}); it is in {}\n{told}",
        target.name,
        output.status,
        path.display()
    );
}

/// A command that limits the address space and the time on a processor of what it runs: a parser
/// that hangs is ended by a signal, however busy the machine is.
fn limited(memory_bytes_max: u64) -> Command {
    let time_s = TIME_S_MAX + inputs_count() / INPUTS_PER_S_MIN;
    // Other systems know no limit of the address space.
    let memory = if cfg!(target_os = "linux") {
        format!("ulimit -v {}; ", memory_bytes_max >> 10)
    } else {
        String::new()
    };
    let mut command = Command::new("sh");
    let script = format!("ulimit -c 0; ulimit -t {time_s}; {memory}exec \"$@\" 2>&1");
    command.args(["-c", &script, "sh"]);
    command
}

/// The number of the input at hand; `None` before the first.
fn number_in(progress: &Path) -> Option<u64> {
    fs::read(progress).unwrap().try_into().ok().map(u64::from_le_bytes)
}
