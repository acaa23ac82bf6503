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

export interface Backups {
  items: Backup[];
  directory: string;
  is_enabled: boolean;
  has_identity: boolean;
  is_overdue: boolean;
  kept_daily: number;
  kept_weekly: number;
  kept_monthly: number;
}
