import type { ModelState, StateChange } from '../../api/schema/registry';

/** Changes that were made at once: where they led, and the states that were passed through on the way. */
export interface Step {
  through: ModelState[];
  to: ModelState;
  at: string;
  by: string;
  reason: string;
}

/** The changes of a version, those of one moment with one reason as one, the first first. */
export function steps(changes: StateChange[]): Step[] {
  const made: Step[] = [];
  for (const { from, to, at, by, reason } of changes) {
    const last = made.at(-1);
    if (last !== undefined && last.at === at && last.by === by && last.reason === reason && last.to === from) {
      last.through.push(last.to);
      last.to = to;
    } else {
      made.push({ through: from === null ? [] : [from], to, at, by, reason });
    }
  }
  return made;
}

/** Whether a change was made by a command or an experiment of ours that follows a rule, not by a person. */
export function isCommand(by: string): boolean {
  return /^(bist|experiment)( |$)/.test(by);
}
