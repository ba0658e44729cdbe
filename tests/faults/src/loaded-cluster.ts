/**
 * One running cluster for all scenarios of a spec file, and what they all demand of a run under load.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startLocalCluster } from '@ringleader/testing-local-cluster';
import type { LocalClusterHandle, LocalClusterOptions } from '@ringleader/testing-local-cluster';
import {
  describeLoad,
  RestClient,
  underLoad,
  type LoadedRun,
  type LoadFindings,
} from '@ringleader/testing-workload';
import { readCluster } from './cluster-facts.js';

/** Known when tests run, not yet when they are declared. */
export type RunningCluster = () => LoadedCluster;

const START_MS = 240_000;

/** Starts one cluster for several kinds of scenarios, declared by these functions: a start costs as much as some of them. */
export function onOneCluster(
  options: LocalClusterOptions,
  kinds: Readonly<Record<string, (running: RunningCluster) => void>>,
): void {
  let loaded: LoadedCluster | undefined;
  const running = (): LoadedCluster => {
    if (loaded === undefined) throw new Error('the cluster has not started');
    return loaded;
  };
  beforeAll(async () => {
    loaded = await LoadedCluster.start(options);
  }, START_MS);
  afterAll(() => loaded?.dispose(), START_MS);
  for (const [title, declare] of Object.entries(kinds)) describe(title, () => declare(running));
}

export class LoadedCluster {
  private constructor(
    readonly cluster: LocalClusterHandle,
    readonly url: string,
    private readonly seed: number,
  ) {}

  static async start(options: LocalClusterOptions = {}): Promise<LoadedCluster> {
    const cluster = await startLocalCluster(options);
    const [url = ''] = await cluster.gatewayUrls();
    // Another seed for each run: a failure prints it with the history.
    return new LoadedCluster(cluster, url, Date.now() % 1_000_000);
  }

  /** Runs the load around the fault; whatever happens, these hold. */
  async survive(
    name: string,
    fault: (cluster: LocalClusterHandle) => Promise<void>,
    load: Pick<LoadedRun, 'keys' | 'timeoutMs'> = {},
  ): Promise<LoadFindings> {
    const findings = await underLoad({
      ...load,
      name,
      connect: (connections) => new RestClient(this.url, connections),
      seed: this.seed,
      fault: () => fault(this.cluster),
      recovered: () => this.cluster.untilHealthy(),
    });
    process.stdout.write(`${name}: ${describeLoad(findings)}\n`);
    const { verdict, counterexample, dishonest, ledger } = findings;
    const { seed } = this;
    expect({ seed, verdict, counterexample, dishonest, lost: ledger.violations }).toEqual({
      seed,
      verdict: 'linearizable',
      counterexample: '',
      dishonest: [],
      lost: [],
    });
    expect(ledger.acknowledged).toBeGreaterThan(0);
    return findings;
  }

  /**
   * `kill -9`, and waits until it serves again: until its supervisor has started it, and the cluster is healthy with the new
   * process. A death of which nobody has heard yet leaves the cluster healthy too.
   */
  killAndWait(...members: readonly string[]): Promise<void> {
    return this.endAndWait('SIGKILL', members);
  }

  /** As Kubernetes does when it rolls a pod, and the pod that takes its place. */
  stopAndWait(...members: readonly string[]): Promise<void> {
    return this.endAndWait('SIGTERM', members);
  }

  private async endAndWait(signal: NodeJS.Signals, members: readonly string[]): Promise<void> {
    const before = await this.starts(members);
    const pids = await Promise.all(members.map((member) => this.cluster.signal(member, signal)));
    await Promise.all(members.map((member, i) => this.cluster.untilRestarted(member, pids[i] ?? 0)));
    let after: readonly (string | undefined)[];
    do {
      await this.cluster.untilHealthy();
      after = await this.starts(members);
    } while (after.some((start, i) => start !== undefined && start === before[i]));
  }

  /** SIGSTOP of a member with all its processes. */
  async pause(member: string, ms: number): Promise<void> {
    await this.cluster.signalTree(member, 'SIGSTOP');
    await delay(ms);
    await this.cluster.signalTree(member, 'SIGCONT');
  }

  /** Undefined for what is no member: a server. */
  private async starts(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
    const { members } = await readCluster(this.url);
    return ids.map((id) => members.find((member) => member.id === id)?.startedAt);
  }

  dispose(): Promise<void> {
    return this.cluster.dispose();
  }
}
