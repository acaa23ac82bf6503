import type { ModelSummary } from '../../api/schema/models';
import type { Figure, ModelDifference } from '../../api/schema/model_difference';
import type { Interval } from '../../charts/forest';

/** The versions that may stand beside `shown`: the others that look as far ahead, the newest first. */
export function comparable(versions: ModelSummary[], shown: ModelSummary): ModelSummary[] {
  return versions.filter((one) => one.horizon === shown.horizon && one.version !== shown.version);
}

/**
 * Which of the `comparable` versions stands beside `shown` until the reader chooses: the champion;
 * beside the champion itself the one before it. Null where there is no other.
 */
export function usualOther(others: ModelSummary[], shown: ModelSummary): string | null {
  const trainedAt = Date.parse(shown.trained_at);
  const other =
    others.find((one) => one.state === 'champion') ?? others.find((one) => Date.parse(one.trained_at) < trainedAt) ?? others[0];
  return other?.version ?? null;
}

/** What has to be known before the figures are set side by side. */
export type Caution = 'horizons' | 'test_days' | 'bars' | 'same_artifact';

export function cautions(difference: ModelDifference): Caution[] {
  const found: Caution[] = difference.same_artifact ? ['same_artifact'] : [];
  if (difference.lineage.some(({ field }) => field === 'spec.horizon')) found.push('horizons');
  if (!difference.same_test_days) found.push('test_days');
  if (!difference.same_bars) found.push('bars');
  return found;
}

/** A figure as it is drawn; null where it has no interval. */
export function drawn(figure: Figure | null): Interval | null {
  if (figure === null || figure.interval === null) return null;
  const [low, high] = figure.interval;
  return { value: figure.value, low, high };
}

/** The value of a field as it reads; null where the version has none. `number` writes one for the reader. */
export function fieldText(value: unknown, number: (value: number) => string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return number(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
