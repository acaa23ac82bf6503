import type { ParamAxis, ParamValue } from '../../api/schema/studies';
import { axisOf, choiceAxis, type Axis } from '../../charts/axis';
import { MISSING } from '../../i18n/format';

/** How the value of a parameter reads; `number` writes one in the language of the reader. */
export function paramText(value: ParamValue | undefined, number: (value: number) => string): string {
  if (value === null || value === undefined) return MISSING;
  return typeof value === 'number' ? number(value) : String(value);
}

/** The axis on which a parameter is drawn. */
export function drawnAxis(param: ParamAxis, ticksMax: number): Axis {
  if (param.choices !== null) return choiceAxis(param.choices.length);
  return axisOf(param.low, param.high, param.log, ticksMax, param.kind === 'int');
}

/** What stands at a place of the axis of a parameter, as people see it. */
export function axisText(param: ParamAxis, value: number, number: (value: number) => string): string {
  if (param.choices !== null) return paramText(param.choices[Math.round(value)], number);
  return number(param.kind === 'int' ? Math.round(value) : value);
}
