import type { ExperimentMetric } from '../../api/schema/experiments';
import { experimentWords } from '../../i18n/experiment_words';
import { say } from '../../i18n/format.svelte';
import { settings } from '../../settings.svelte';

/** A difference of a metric with its sign; of shares in percentage points. */
export function amountOf(metric: ExperimentMetric, value: number): string {
  if (metric === 'rank_ic') return say.signedNumber(value, 3);
  if (metric === 'brier') return say.signedNumber(value, 4);
  return `${say.signedNumber(100 * value, 2)} ${experimentWords(settings.language).points}`;
}
