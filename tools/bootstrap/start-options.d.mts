/** What a command line of `npm start` may hold: see `ClusterOptions` of the local cluster. */
export declare const START_OPTIONS: Readonly<Record<string, { text: string; default?: number }>>;
export declare function parseStart(args: readonly string[]): object | undefined;
export declare function startHelp(): string;
