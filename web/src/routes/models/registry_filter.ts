import type { ModelFilter } from '../../api/client';
import { MODEL_STATES } from '../../api/schema/registry';
import { HORIZONS } from '../../api/schema/vocabulary';
import { withChoices } from '../../routes';

/** The choices of an address; a word that is none of them chooses nothing. */
export function filterOf(search: string): ModelFilter {
  const query = new URLSearchParams(search);
  return {
    horizon: HORIZONS.find((one) => one === query.get('horizon')) ?? null,
    state: MODEL_STATES.find((one) => one === query.get('state')) ?? null,
  };
}

/** The address of the registry with these choices. */
export function registryPath({ horizon, state }: ModelFilter): string {
  return withChoices('/models', { horizon, state });
}
