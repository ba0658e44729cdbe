/**
 * One running cluster for all scenarios of a spec file, and what they all demand of a run under load.
 */
import { expect } from '@jest/globals';
import { startLocalCluster } from '@ringleader/tool-local-cluster';
import type { LocalClusterHandle, LocalClusterOptions } from '@ringleader/tool-local-cluster';
import { underLoad } from './under-load.js';
import type { LoadFindings } from './under-load.js';

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
  async survive(name: string, fault: (cluster: LocalClusterHandle) => Promise<void>): Promise<LoadFindings> {
    const findings = await underLoad({
      name,
      url: this.url,
      seed: this.seed,
      fault: () => fault(this.cluster),
      recovered: () => this.cluster.untilHealthy(),
    });
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

  /** `kill -9`, and waits until its supervisor has started it again. */
  async killAndWait(member: string): Promise<void> {
    const previous = await this.cluster.signal(member, 'SIGKILL');
    await this.cluster.untilRestarted(member, previous);
  }

  dispose(): Promise<void> {
    return this.cluster.dispose();
  }
}
