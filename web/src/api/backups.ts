import { get, path, post } from './client';
import type { Backups, RestoreWish, Restoring } from './schema/backups';
import type { JobRun } from './schema/jobs';

export function backups(signal?: AbortSignal): Promise<Backups> {
  return get<Backups>(path('/admin/backups'), signal);
}

/** Asks for a backup; a server begins it within seconds. */
export function createBackup(reason: string): Promise<JobRun> {
  return post<JobRun>(path('/admin/backups'), { reason });
}

/** Asks for the newest backup to be restored beside and looked at. */
export function tryBackup(reason: string): Promise<JobRun> {
  return post<JobRun>(path('/admin/backups/drill'), { reason });
}

/** Goes back to what is wished, which is typed once more; the server begins anew by that. */
export function restore(wish: RestoreWish, confirmation: string, reason: string): Promise<Restoring> {
  return post<Restoring>(path('/admin/backups/restore'), { ...wish, confirmation, reason });
}
