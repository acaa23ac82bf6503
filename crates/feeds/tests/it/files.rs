//! Files on this machine as a source like any other.

use bist_feeds::{Content, FileFormat, FileProvider, Piece, Provider, Scope, Validators, Wanted};
use jiff::Timestamp;
use jiff::civil::date;
use tempfile::TempDir;

use crate::bulletin::{TABLE, zipped};

fn plan(files: &FileProvider) -> Result<Vec<Piece>, String> {
    let day = date(2025, 10, 30);
    let wanted = Wanted::of_days(day, day);
    files.plan(&wanted, Timestamp::UNIX_EPOCH).map_err(|error| error.to_string())
}

#[tokio::test]
async fn archives_and_tables_of_a_folder_are_read_once_each() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let other = TABLE.replace("2025-10-30", "2025-10-31");
    std::fs::write(path("thb202510301.ZIP"), zipped(&[("t.csv", TABLE.as_bytes())])).unwrap();
    std::fs::write(path("thb202510311.csv"), other).unwrap();
    std::fs::write(path("note.txt"), "-").unwrap();
    let files =
        FileProvider::new(FileFormat::Bulletin, None, vec![path(""), path("thb202510311.csv")]);
    let pieces = plan(&files).unwrap();
    assert_eq!(pieces.len(), 2);
    let mut days = Vec::new();
    for piece in &pieces {
        let fetched = files.fetch(piece, &Validators::default()).await.unwrap();
        let Content::Data(batch) = fetched.content else { panic!("{:?}", fetched.content) };
        assert_eq!(batch.file, piece.key);
        days.push(batch.days[0].day);
    }
    assert_eq!(days, [date(2025, 10, 30), date(2025, 10, 31)]);
    assert_eq!(files.breaker(), None);
}

#[tokio::test]
async fn a_folder_without_bulletins_and_a_broken_file_are_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().display().to_string();
    let files = FileProvider::new(FileFormat::Bulletin, None, vec![path.clone()]);
    assert_eq!(
        plan(&files).unwrap_err(),
        format!(
            "the folder '{path}' has no .zip or .csv file; name another folder or the files themselves"
        )
    );
    let file = folder.path().join("thb.zip");
    std::fs::write(&file, &zipped(&[("t.csv", TABLE.as_bytes())])[..100]).unwrap();
    let piece = &plan(&files).unwrap()[0];
    assert_eq!(piece.scope, Scope::File(file));
    let error = files.fetch(piece, &Validators::default()).await.unwrap_err().to_string();
    assert!(error.contains("thb.zip': the ZIP archive cannot be read"), "{error}");
}

#[tokio::test]
async fn csv_and_actions_come_as_files_of_their_vendor() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        path("THYAO.csv"),
        "date,open,high,low,close\n2026-01-05,10.00,10.10,9.90,10.05\n",
    )
    .unwrap();
    let vendor = bist_market::Source::parse("vendor-b").unwrap();
    let bars = FileProvider::new(FileFormat::Csv, Some(vendor), vec![path("THYAO.csv")]);
    assert_eq!(bars.source(), vendor);
    let pieces = plan(&bars).unwrap();
    let fetched = bars.fetch(&pieces[0], &Validators::default()).await.unwrap();
    let Content::Data(batch) = fetched.content else { panic!("{:?}", fetched.content) };
    assert_eq!((batch.rows_read, batch.series[0].bars.len()), (1, 1));

    let actions = "symbol,date,kind,ratio_or_amount,price_adjust_factor\nTHYAO,2024-05-20,cash_dividend_gross,1.25,0.99\n";
    std::fs::write(path("actions.csv"), actions).unwrap();
    let actions = FileProvider::new(FileFormat::Actions, None, vec![path("actions.csv")]);
    let pieces = plan(&actions).unwrap();
    let fetched = actions.fetch(&pieces[0], &Validators::default()).await.unwrap();
    let Content::Data(batch) = fetched.content else { panic!("{:?}", fetched.content) };
    assert_eq!(batch.actions.len(), 1);
}
