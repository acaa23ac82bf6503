//! The audit: each change puts itself on record, in the transaction in which it is made.

use bist_access::{
    AccountId, Actor, AuditAction, AuditDetails, AuditEntry, AuditHead, AuditKey, AuditPersonal,
    AuditRecord, AuditRoot, AuditVerification, AuditVerifier,
};
use jiff::Timestamp;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::access_change::AccessChange;
use crate::columns::{count, impossible, instant_us, signed};
use crate::db::{AssertSqlSafe, Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

/// Columns of a record.
const COLUMNS: &str = "seq, at_us, actor, action, subject, details, about, personal, salt, \
                       personal_mac, request_id, mac";

/// Records that are read at a time when all are gone over.
const RECORDS_AT_A_TIME: i64 = 4096;

/// What puts a change on record: who makes it, when, and the key of the chain.
///
/// A function of [`Store`] that changes what people answer for takes one.
#[derive(Clone, Debug)]
pub struct Audit {
    /// What continues the chain.
    pub key: AuditKey,
    /// By whom.
    pub actor: Actor,
    /// The request that asks for it.
    pub request_id: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What is put on record of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditNote {
    /// What is done.
    pub action: AuditAction,
    /// To what: a kind and a name, such as `model:ensemble-0123`.
    pub subject: String,
    /// With which particulars; nothing personal and no secret.
    pub details: AuditDetails,
    /// What may be forgotten.
    pub personal: Option<AuditPersonal>,
}

impl AuditNote {
    /// A note without a personal part.
    pub fn new<const N: usize>(
        action: AuditAction,
        subject: String,
        details: [(&'static str, serde_json::Value); N],
    ) -> Self {
        Self { action, subject, details: details.into(), personal: None }
    }
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// An action, or its noun alone.
    pub action: Option<String>,
    /// By whom, as it is written in the record.
    pub actor: Option<String>,
    /// To what, as it is written in the record.
    pub subject: Option<String>,
    /// About this person.
    pub about: Option<AccountId>,
    /// Those before this place.
    pub before: Option<u64>,
}

impl Store {
    /// The records that `filter` wants, at most `limit`, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn audit_records(
        &self,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM audit_log
             WHERE ($1 IS NULL OR at_us >= $1) AND ($2 IS NULL OR at_us < $2)
               AND ($3 IS NULL OR action = $3 OR substr(action, 1, length($3) + 1) = $3 || '.')
               AND ($4 IS NULL OR actor = $4) AND ($5 IS NULL OR subject = $5)
               AND ($6 IS NULL OR seq < $6) AND ($7 IS NULL OR about = $7)
             ORDER BY seq DESC LIMIT $8"
        );
        query(AssertSqlSafe(text))
            .bind(filter.from.map(Timestamp::as_microsecond))
            .bind(filter.until.map(Timestamp::as_microsecond))
            .bind(&filter.action)
            .bind(&filter.actor)
            .bind(&filter.subject)
            .bind(filter.before.map(signed))
            .bind(filter.about.as_ref().map(AccountId::as_str))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?
            .iter()
            .map(record)
            .collect()
    }

    /// Whether everything was replaced by a backup since `root` was that of the newest record: the chain
    /// does not go on from there, or a restore is on record after it. It costs little to ask.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn was_replaced_since(&self, root: &AuditRoot) -> Result<bool, StoreError> {
        let row = query(
            "SELECT (SELECT mac FROM audit_log WHERE seq = $1) AS mac,
                    (SELECT MIN(seq) FROM audit_log WHERE seq > $1 AND action = $2) AS restored_seq",
        )
        .bind(signed(root.seq))
        .bind(AuditAction::BackupRestored.as_str())
        .fetch_one(&self.reader)
        .await?;
        let mac: Option<String> = row.try_get("mac")?;
        let restored_seq: Option<i64> = row.try_get("restored_seq")?;
        let goes_on = root.seq == 0 || mac.as_ref() == Some(&root.mac);
        Ok(!goes_on || restored_seq.is_some())
    }

    /// Where the chain ends; `None` before there is a key. Whether it is sound is for who has the key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn audit_head(&self) -> Result<Option<AuditHead>, StoreError> {
        head(&mut self.reader.acquire().await?).await
    }

    /// Puts on record what changes nothing here, such as something that is given away.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or the chain cannot be continued.
    pub async fn put_on_record(&self, audit: &Audit, note: AuditNote) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        append(&mut transaction, audit, vec![note]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Goes over the whole chain as it is at one moment, whoever else writes meanwhile, and over
    /// `kept_roots`, which must be in it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or holds something that was never a record.
    pub async fn verify_audit(
        &self,
        key: &AuditKey,
        kept_roots: &[AuditRoot],
    ) -> Result<AuditVerification, StoreError> {
        let mut view = self.reader.begin().await?;
        let mut verifier = AuditVerifier::new(key, kept_roots);
        let text = format!("SELECT {COLUMNS} FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2");
        let mut after = i64::MIN;
        loop {
            let rows = query(AssertSqlSafe(text.as_str()))
                .bind(after)
                .bind(RECORDS_AT_A_TIME)
                .fetch_all(&mut *view)
                .await?;
            for row in &rows {
                verifier.look_at(&record(row)?);
            }
            let Some(last) = rows.last() else { break };
            after = last.try_get("seq")?;
        }
        Ok(verifier.finish(head(&mut view).await?.as_ref()))
    }
}

impl AccessChange {
    /// Puts on record that the person behind `account` is forgotten, and takes the personal part out of
    /// every record about them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or the chain cannot be continued.
    pub(crate) async fn forget_in_audit(
        &mut self,
        audit: &Audit,
        account: &AccountId,
    ) -> Result<(), StoreError> {
        let note = AuditNote::new(AuditAction::UserErased, format!("user:{account}"), []);
        append(self.connection(), audit, vec![note]).await?;
        query(
            "UPDATE audit_log SET personal = NULL, salt = NULL
             WHERE about = $1 AND personal IS NOT NULL",
        )
        .bind(account.as_str())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

/// Continues the chain by `notes`, in their order, within a transaction that holds the lock for
/// writing.
///
/// # Errors
///
/// [`StoreError::AuditBroken`] when the end of the chain is not what was written there, and the
/// others when the database fails.
pub(crate) async fn append(
    connection: &mut Connection,
    audit: &Audit,
    notes: Vec<AuditNote>,
) -> Result<(), StoreError> {
    if notes.is_empty() {
        return Ok(());
    }
    let Audit { key, actor, request_id, at } = audit;
    let end = head(connection).await?.filter(|head| head.is_sound(key));
    let mut end = end.ok_or(StoreError::AuditBroken)?;
    for AuditNote { action, subject, details, personal } in notes {
        let (actor, request_id) = (actor.clone(), request_id.clone());
        let entry = AuditEntry { at: *at, actor, action, subject, details, personal, request_id };
        let (record, next) = end.append(key, entry, &mut UnwrapErr(SysRng));
        insert(connection, &record).await?;
        end = next;
    }
    query("UPDATE audit_head SET records_count = $1, last_mac = $2, mac = $3 WHERE id = 1")
        .bind(signed(end.records_count))
        .bind(&end.last_mac)
        .bind(&end.mac)
        .execute(connection)
        .await?;
    Ok(())
}

/// Begins a chain, of which there must be none.
pub(crate) async fn begin_chain(
    connection: &mut Connection,
    key: &AuditKey,
) -> Result<(), StoreError> {
    let is_there = query("SELECT 1 FROM audit_head UNION ALL SELECT 1 FROM audit_log LIMIT 1")
        .fetch_optional(&mut *connection)
        .await?;
    if is_there.is_some() {
        return Err(StoreError::AuditBroken);
    }
    let AuditHead { records_count, last_mac, mac } = AuditHead::empty(key);
    query("INSERT INTO audit_head (id, records_count, last_mac, mac) VALUES (1, $1, $2, $3)")
        .bind(signed(records_count))
        .bind(last_mac)
        .bind(mac)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert(connection: &mut Connection, record: &AuditRecord) -> Result<(), StoreError> {
    let text = format!(
        "INSERT INTO audit_log ({COLUMNS})
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    );
    query(AssertSqlSafe(text))
        .bind(signed(record.seq))
        .bind(record.at.as_microsecond())
        .bind(&record.actor)
        .bind(&record.action)
        .bind(&record.subject)
        .bind(&record.details)
        .bind(&record.about)
        .bind(&record.personal)
        .bind(&record.salt)
        .bind(&record.personal_mac)
        .bind(&record.request_id)
        .bind(&record.mac)
        .execute(connection)
        .await?;
    Ok(())
}

async fn head(connection: &mut Connection) -> Result<Option<AuditHead>, StoreError> {
    let row = query("SELECT records_count, last_mac, mac FROM audit_head WHERE id = 1")
        .fetch_optional(connection)
        .await?;
    let head = row.map(|row| {
        Ok::<_, StoreError>(AuditHead {
            records_count: count(&row, "records_count")?,
            last_mac: row.try_get("last_mac")?,
            mac: row.try_get("mac")?,
        })
    });
    head.transpose()
}

fn record(row: &Row) -> Result<AuditRecord, StoreError> {
    let seq: i64 = row.try_get("seq")?;
    let read = || {
        Ok::<_, StoreError>(AuditRecord {
            seq: count(row, "seq")?,
            at: instant_us(row.try_get("at_us")?)?,
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            subject: row.try_get("subject")?,
            details: row.try_get("details")?,
            about: row.try_get("about")?,
            personal: row.try_get("personal")?,
            salt: row.try_get("salt")?,
            personal_mac: row.try_get("personal_mac")?,
            request_id: row.try_get("request_id")?,
            mac: row.try_get("mac")?,
        })
    };
    // A value of another kind than was ever written was put there from outside.
    read().map_err(|error| impossible(format!("record {seq} of the audit: {error}")))
}
