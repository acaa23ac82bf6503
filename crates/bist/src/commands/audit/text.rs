//! The audit, told on a terminal.

use bist_access::AuditVerification;
use jiff::Timestamp;

use super::Row;

/// What came of going over all records.
pub(super) fn verification(of: &AuditVerification) -> String {
    let AuditVerification { records_count, erased_count, span, root, kept_roots_count, broken } =
        of;
    let mut text = match broken {
        None => format!("the audit is as it was written, {records_count} records\n"),
        Some(broken) => format!("the audit is not what was written: {broken}\n"),
    };
    if let Some((first, last)) = span {
        text.push_str(&format!(
            "from            {}\nto              {}\n",
            time(*first),
            time(*last)
        ));
    }
    if *erased_count > 0 {
        text.push_str(&format!("erased          personal parts of {erased_count} records\n"));
    }
    text.push_str(&format!("compared with   roots that were kept: {kept_roots_count}\n"));
    text.push_str(&format!("root            {root}\n"));
    text
}

/// Records, one a line, with their particulars below.
pub(super) fn list(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "there is no such record".to_owned();
    }
    let widest = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
    let (action, actor) = (widest(|row| &row.action), widest(|row| &row.actor));
    let mut text = String::new();
    for row in rows {
        let Row { seq, at, subject, details, .. } = row;
        text.push_str(&format!(
            "{seq:>8}  {}  {:action$}  {:actor$}  {subject}\n",
            time(*at),
            row.action,
            row.actor
        ));
        let personal = row.personal.as_ref().map(|personal| format!("  personal {personal}"));
        let personal = match (personal, row.erased) {
            (Some(personal), _) => personal,
            (None, true) => "  personal part erased".to_owned(),
            (None, false) => String::new(),
        };
        text.push_str(&format!("          {details}{personal}\n"));
    }
    text
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
