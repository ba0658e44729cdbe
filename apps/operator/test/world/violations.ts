/** What the planner must never do: found by the check of this name. */
export class Violation extends Error {
  constructor(
    readonly check: string,
    detail: string,
  ) {
    super(`${check}: ${detail}`);
  }
}

/** By the API server or the coordinators, as the real ones would: the round ends, and another begins. */
export class Refused extends Error {}

/** By the API server, and again whenever it is asked. */
export class Forbidden extends Refused {}
