export interface JestFileResult {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

export interface JestResult {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly JestFileResult[];
}

export declare class Tally {
  passed: number;
  failed: number;
  skipped: number;
  failures: string[];
  addCheck(name: string, succeeded: boolean): void;
  addJest(name: string, result: JestResult | undefined): void;
  summary(): string;
}
