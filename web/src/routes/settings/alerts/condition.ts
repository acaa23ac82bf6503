import type { AlertCondition, AlertKind } from '../../../api/schema/personal';
import type { Horizon } from '../../../api/schema/vocabulary';

/** What a form asks about a condition; shares as percent, and an empty text for what is not chosen. */
export interface ConditionForm {
  kind: AlertKind;
  symbol: string;
  horizon: Horizon | '';
  direction: 'up' | 'down' | '';
  price: string;
  percent: number;
  multiple: number;
  sessions: number;
  score: number;
}

const FIELDS: Record<AlertKind, (keyof ConditionForm)[]> = {
  price: ['symbol', 'direction', 'price'],
  change: ['symbol', 'direction', 'percent'],
  volume_spike: ['symbol', 'multiple', 'sessions'],
  signal_change: ['symbol', 'horizon'],
  band_breach: ['symbol', 'horizon'],
  data_quality: ['symbol', 'score'],
  drift: ['horizon'],
};

/** What is asked about a condition of `kind`. */
export const fieldsOf = (kind: AlertKind): (keyof ConditionForm)[] => FIELDS[kind];

/** The condition that a form describes, with the fields of its kind and no others. */
export function conditionOf(form: ConditionForm): AlertCondition {
  const fields = fieldsOf(form.kind);
  const condition: AlertCondition = { kind: form.kind };
  if (fields.includes('symbol') && form.symbol !== '') condition.symbol = form.symbol;
  if (fields.includes('horizon') && form.horizon !== '') condition.horizon = form.horizon;
  if (fields.includes('direction') && form.direction !== '') condition.direction = form.direction;
  // A comma is how a decimal is written in Turkish.
  if (fields.includes('price')) condition.price = form.price.trim().replace(',', '.');
  if (fields.includes('percent')) condition.change_share = form.percent / 100;
  if (fields.includes('multiple')) condition.volume_multiple = form.multiple;
  if (fields.includes('sessions')) condition.sessions_count = form.sessions;
  if (fields.includes('score')) condition.score_share = form.score / 100;
  return condition;
}
