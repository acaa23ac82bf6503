import type { Instant } from '../../api/schema/vocabulary';
import type { SourceStatus } from '../../api/schema/quality';

/** The sources that were asked with success after the last check: what they brought is not counted yet. */
export function uncheckedSources(sources: Pick<SourceStatus, 'source' | 'last_success_at'>[], checkedAt: Instant | null): string[] {
  const checked = checkedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(checkedAt);
  return sources
    .filter((source) => source.last_success_at !== null && Date.parse(source.last_success_at) > checked)
    .map((source) => source.source);
}
