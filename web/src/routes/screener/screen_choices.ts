import type { Query } from '../../api/client';

/** The numbers that are asked about in percent. */
export const isPercent = (field: string): boolean => field.endsWith('_share') || field === 'probability_up';

/** The numbers that can have bounds, in the order of the server. */
export const FIELDS = [
  'close',
  'change_1_share',
  'change_5_share',
  'change_21_share',
  'change_63_share',
  'change_126_share',
  'change_252_share',
  'turnover_try',
  'turnover_multiple',
  'volume_multiple',
  'volatility_20_share',
  'rsi_14',
  'adx_14',
  'over_mean_20_share',
  'over_mean_50_share',
  'over_mean_200_share',
  'from_high_252_share',
  'from_low_252_share',
  'quality_share',
  'expected_return_share',
  'probability_up',
] as const;

/** Bounds of a number, as the server takes them. */
export interface Bounds {
  field: string;
  min: number | null;
  max: number | null;
}

/** What is wanted. */
export interface ScreenChoices {
  q: string | null;
  sector: string | null;
  action: string | null;
  skill: string | null;
  sort: string;
  bounds: Bounds[];
}

const SORT_DEFAULT = '-composite';

function bound(text: string): number | null {
  return text === '' ? null : Number(text);
}

/** The bounds of the parameter `where`, such as `rsi_14:30..70,close:5..`. */
function boundsOf(text: string): Bounds[] {
  const seen = new Set<string>();
  const bounds = text.split(',').flatMap((part) => {
    const [, field = '', low = '', high = ''] = /^([a-z0-9_]+):([-0-9.]*?)\.\.([-0-9.]*)$/.exec(part) ?? [];
    const [min, max] = [bound(low), bound(high)];
    const isSane = FIELDS.some((known) => known === field) && !seen.has(field) && (min !== null || max !== null);
    if (!isSane || [min, max].some((value) => Number.isNaN(value)) || (min !== null && max !== null && min > max)) return [];
    seen.add(field);
    return [{ field, min, max }];
  });
  return bounds;
}

/** The choices in the address; what makes no sense there is left out. */
export function screenChoices(search: string): ScreenChoices {
  const query = new URLSearchParams(search);
  const sort = query.get('sort') ?? SORT_DEFAULT;
  const sorted = sort.replace(/^-/, '');
  const isKnown = ['symbol', 'composite', ...FIELDS].includes(sorted);
  const action = query.get('action');
  const skill = query.get('skill_shown');
  return {
    q: query.get('q') || null,
    sector: query.get('sector') || null,
    action: action !== null && ['buy', 'sell', 'hold'].includes(action) ? action : null,
    skill: skill === 'true' || skill === 'false' ? skill : null,
    sort: isKnown ? sort : SORT_DEFAULT,
    bounds: boundsOf(query.get('where') ?? ''),
  };
}

/** The same as the server takes them; the address has the same names. */
export function screenQuery({ q, sector, action, skill, sort, bounds }: ScreenChoices): Record<string, string | null> & Query {
  const where = bounds.map(({ field, min, max }) => `${field}:${min ?? ''}..${max ?? ''}`).join(',');
  return { q, sector, action, skill_shown: skill, sort, where: where === '' ? null : where };
}

/** Bounds of `field` from what was typed; null where there are none, or the lower is above the upper. */
export function typedBounds(field: string, min: string, max: string): Bounds | null {
  const scale = isPercent(field) ? 100 : 1;
  const parsed = [min, max].map((text) => {
    const plain = text.trim().replace(',', '.');
    return plain === '' ? null : Number((Number(plain) / scale).toPrecision(12));
  });
  const [low = null, high = null] = parsed;
  if (!FIELDS.some((known) => known === field) || (low === null && high === null)) return null;
  if (parsed.some((value) => value !== null && !Number.isFinite(value))) return null;
  return low !== null && high !== null && low > high ? null : { field, min: low, max: high };
}
