import type { ExplainedFeature, Explanation } from '../api/schema/explanations';

/** A feature whose value can be changed. */
export type ChangeableFeature = ExplainedFeature & { value: number };

/** The strongest features whose values can be changed. */
export function changeable(explanation: Pick<Explanation, 'items'>, most: number): ChangeableFeature[] {
  return explanation.items.filter((item): item is ChangeableFeature => item.value !== null).slice(0, most);
}

/** The values that differ from those of the explanation; text that is no number changes nothing. */
export function changes(fields: Pick<ChangeableFeature, 'feature' | 'value'>[], typed: Record<string, number | null | undefined>): Record<string, number> {
  return Object.fromEntries(
    fields.flatMap(({ feature, value }) => {
      const wanted = typed[feature];
      return wanted === null || wanted === undefined || !Number.isFinite(wanted) || wanted === value ? [] : [[feature, wanted]];
    }),
  );
}
