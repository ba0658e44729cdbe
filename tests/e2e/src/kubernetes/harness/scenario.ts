/** A scenario: its time line is printed while it runs, and what a person would look at when it fails. */
import { it } from '@jest/globals';
import { diagnose } from './diagnostics.js';
import { TimeLine } from './time-line.js';
import type { ClusterUnderTest } from './cluster-under-test.js';

export interface Scene {
  readonly cluster: ClusterUnderTest;
  readonly line: TimeLine;
}

const SCENARIO_MS = 1_500_000;

export function scenario(
  name: string,
  cluster: () => ClusterUnderTest,
  run: (scene: Scene) => Promise<void>,
): void {
  it(
    name,
    async () => {
      const scene = { cluster: cluster(), line: new TimeLine(name) };
      try {
        await run(scene);
        scene.line.mark('done');
      } catch (error) {
        scene.line.mark(`failed: ${String(error)}`);
        const { api, namespace, ref } = scene.cluster;
        const object = await api.get(ref).catch(() => null);
        process.stdout.write(`${await diagnose(api, namespace, object).catch(String)}\n`);
        throw error;
      }
    },
    SCENARIO_MS,
  );
}
