export interface StartOption {
  /** As in `--shards <n>`. */
  readonly flags: string;
  readonly text: string;
  readonly default?: number;
}

export type StartOptionName =
  'shards' | 'gateways' | 'coordinators' | 'nats' | 'port' | 'data' | 'ephemeral' | 'timeout';

export declare const START_OPTIONS: Readonly<Record<StartOptionName, StartOption>>;
export declare function asksForHelp(args: readonly string[]): boolean;
export declare function startHelp(): string;
