//! Bulletins on this machine.

use bist_feeds::{BulletinFiles, Content, Piece, Provider, Scope, Validators, Wanted};
use bist_market::Interval;
use jiff::Timestamp;
use jiff::civil::date;
use tempfile::TempDir;

use super::{TABLE, zipped};

fn plan(files: &BulletinFiles) -> Result<Vec<Piece>, String> {
    let day = date(2025, 10, 30);
    let wanted = Wanted {
        symbols: Vec::new(),
        from: day,
        to: day,
        interval: Interval::Daily,
        series: Vec::new(),
        from_index: None,
    };
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
    let files = BulletinFiles::new(vec![path(""), path("thb202510311.csv")]);
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
    let files = BulletinFiles::new(vec![path.clone()]);
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
