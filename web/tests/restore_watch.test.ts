import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import { RESTORE_STAGES, type Backups, type Restoring } from '../src/api/schema/backups';
import { backupWords } from '../src/i18n/backup_words';
import { LOOK_MS, RestoreWatch, SILENCE_MS } from '../src/routes/admin/restore_watch.svelte';

class Page extends EventTarget {
  visibilityState = 'visible';
}

const NAME = 'bist-20261130T020000Z.tar.zst.age';
const restoring = (stage: Restoring['stage'], more: Partial<Restoring> = {}): Restoring => ({ what: NAME, stage, since: '2026-11-30T08:00:00Z', before: null, error: null, ...more });
const stands = (state: Restoring | null, restoredAt: string | null = null): Backups => ({ restoring: state, restored_at: restoredAt }) as Backups;

/** A watch, and what the server answers it. */
function watched() {
  let next: Backups | ApiError = stands(null);
  const ask = vi.fn(() => (next instanceof ApiError ? Promise.reject(next) : Promise.resolve(next)));
  const watch = new RestoreWatch(ask, new Page());
  const answer = async (given: Backups | ApiError): Promise<void> => {
    next = given;
    await vi.advanceTimersByTimeAsync(LOOK_MS);
  };
  return { watch, answer, ask };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('going back to a backup', () => {
  it('is watched while the server is away, until everything was restored', async () => {
    const { watch, answer, ask } = watched();
    watch.begin(restoring('backing_up'), '2026-01-01T00:00:00Z');
    await answer(stands(restoring('swapping', { before: 'b' }), '2026-01-01T00:00:00Z'));
    expect([watch.state?.stage, watch.state?.before, watch.end]).toEqual(['swapping', 'b', null]);
    await answer(new ApiError('unreachable', 0, '', null, null));
    expect([watch.isAway, watch.end]).toEqual([true, null]);
    // Another server than was asked says nothing of it.
    await answer(stands(null, '2026-01-01T00:00:00Z'));
    expect([watch.isAway, watch.end]).toEqual([false, null]);
    await answer(stands(null, '2026-11-30T08:00:05Z'));
    expect([watch.end, watch.isUnderWay, watch.state?.before]).toEqual(['restored', false, 'b']);
    const asked = ask.mock.calls.length;
    await answer(stands(null));
    expect(ask.mock.calls.length).toBe(asked);
  });
  it('ends with why it failed, and may be begun again', async () => {
    const { watch, answer } = watched();
    watch.begin(restoring('reading'), null);
    await answer(stands(restoring('failed', { error: 'the disk is full' })));
    expect([watch.end, watch.state?.error]).toEqual(['failed', 'the disk is full']);
    watch.begin(restoring('backing_up'), null);
    expect([watch.end, watch.isUnderWay]).toEqual([null, true]);
    watch.leave();
    expect(watch.isUnderWay).toBe(false);
  });
  it('that failed before the page was opened is told, and not watched', () => {
    const { watch } = watched();
    watch.begin(restoring('failed'), null);
    expect([watch.end, watch.isUnderWay]).toEqual(['failed', false]);
  });
  it('of which nobody says anything for long is said to be so', async () => {
    const { watch, answer } = watched();
    watch.begin(restoring('reading'), null);
    for (let waited = 0; waited <= SILENCE_MS; waited += LOOK_MS) await answer(stands(null));
    await answer(stands(null));
    expect(watch.end).toBe('silent');
  });
  it('is headed by what became of it, in both languages', () => {
    for (const language of ['tr', 'en'] as const) {
      const told = Object.values(backupWords(language).headings).map((heading) => heading(NAME));
      expect(new Set(told).size).toBe(4);
      for (const heading of told) expect(heading).toContain(NAME);
    }
    expect(backupWords('en').headings.failed(NAME)).toBe(`${NAME} was not restored`);
    expect(backupWords('tr').headings.failed(NAME)).toBe(`${NAME} geri yüklenemedi`);
  });
  it('has a sentence for each stage in both languages', () => {
    for (const language of ['tr', 'en'] as const) {
      for (const stage of RESTORE_STAGES) expect(backupWords(language).stages[stage], stage).toMatch(/^\p{Lu}.*\.$/u);
    }
  });
});
