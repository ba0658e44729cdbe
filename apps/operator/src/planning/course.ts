/** What the phases of a decision add to: actions, and what people are told of them. */
import type { Action, ChosenImages, Manifest, Note, Observed, Shape } from './types.js';
import type { PlannerRules } from './rules.js';

/** What a phase says. */
export interface Part {
  readonly actions: readonly Action[];
  readonly notes: readonly Note[];
}
export const NOTHING: Part = { actions: [], notes: [] };

export const act = (action: Action, reason: string): Part => ({
  actions: [action],
  notes: [{ kind: 'doing', reason, message: action.why }],
});
export const note = (kind: Note['kind'], reason: string, message: string): Part => ({
  actions: [],
  notes: [{ kind, reason, message }],
});
export const together = (...parts: readonly Part[]): Part => ({
  actions: parts.flatMap(({ actions }) => actions),
  notes: parts.flatMap(({ notes }) => notes),
});

export interface Context {
  readonly observed: Observed;
  readonly rules: PlannerRules;
  readonly images: ChosenImages;
  readonly shape: Shape;
  /** All that there is to be, in the order in which it is made. */
  readonly wanted: readonly Manifest[];
  readonly isFounded: boolean;
}
