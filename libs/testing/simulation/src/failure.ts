/** What a simulation throws when a check fails: the report names the seed and the command that replays it. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  readonly check: string;

  constructor(check: string, what: string) {
    super(`${check}: ${what}`);
    this.check = check;
  }
}

/** What a person asked for cannot be done: a sentence for them, and no fault of the simulation. */
export class Misuse extends RangeError {}

/** `7` or `1..200`. */
export function parseSeeds(text: string): { readonly first: number; readonly last: number } {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text);
  if (match === null) throw new Misuse(`seeds must be a number or a range such as 1..200, not '${text}'`);
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (last < first) throw new Misuse(`the range ${text} is empty`);
  return { first, last };
}
