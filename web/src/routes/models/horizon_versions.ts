import { HORIZONS, type Horizon } from '../../api/schema/vocabulary';
import type { ModelSummary } from '../../api/schema/models';

/** The version of a horizon that belongs to the one shown; null where there is none. */
export interface HorizonVersion {
  horizon: Horizon;
  version: string | null;
}

/**
 * For each horizon the version that was trained nearest in time to `shown`, itself for its own:
 * those of one training run belong together.
 */
export function horizonVersions(models: ModelSummary[], shown: ModelSummary): HorizonVersion[] {
  const distance = (model: ModelSummary): number => Math.abs(Date.parse(model.trained_at) - Date.parse(shown.trained_at));
  return HORIZONS.map((horizon) => {
    if (horizon === shown.horizon) return { horizon, version: shown.version };
    const same = models.filter((model) => model.horizon === horizon);
    const nearest = same.reduce<ModelSummary | null>((best, model) => (best === null || distance(model) < distance(best) ? model : best), null);
    return { horizon, version: nearest?.version ?? null };
  });
}
