// Backups, and how they stand.

import type { Instant } from './vocabulary';

export interface Backup {
  name: string;
  created_at: Instant;
  size_bytes: number;
  sha256: string | null;
  rows_count: number | null;
  program_version: string | null;
  missing_artifacts_count: number | null;
  verified_at: Instant | null;
}

/** How far going back to a backup has come; after `failed` all is as before. */
export const RESTORE_STAGES = ['reading', 'backing_up', 'swapping', 'restarting', 'failed'] as const;
export type RestoreStage = (typeof RESTORE_STAGES)[number];

export interface Restoring {
  /** The name of a backup, or a moment. */
  what: string;
  stage: RestoreStage;
  since: Instant;
  /** The backup of what was there before, once it is made. */
  before: string | null;
  error: string | null;
}

/** The moments that can be gone back to by the log of SQLite that is shipped. */
export interface ShippedLog {
  /** The earliest one after which nothing is missing. */
  from: Instant;
  to: Instant;
  /** When it was last looked whether anything was written. */
  looked_at: Instant;
}

/** What is gone back to: a backup, by its name, or a moment. */
export type RestoreWish = { backup: string } | { at: Instant };

export interface Backups {
  items: Backup[];
  directory: string;
  is_enabled: boolean;
  has_identity: boolean;
  is_overdue: boolean;
  kept_daily: number;
  kept_weekly: number;
  kept_monthly: number;
  log: ShippedLog | null;
  restoring: Restoring | null;
  restored_at: Instant | null;
}
