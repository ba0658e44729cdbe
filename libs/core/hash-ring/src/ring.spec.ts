import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HashRing, VIRTUAL_NODES_PER_WEIGHT, buildRing } from './ring.js';
import { xxh64 } from './xxh64.js';

interface KnownRing {
  nodes: string[];
  points: [string, string][];
}

const known = JSON.parse(
  readFileSync(new URL('../../../testing/fixtures/known-answers/ring.json', import.meta.url), 'utf8'),
) as {
  envoy_ring_hash: KnownRing & { lookups_hash_to_node: Record<string, string>; hostname_ring: KnownRing };
};

function envoyRing(nodes: readonly string[]): HashRing {
  const points = nodes.flatMap((node, member) =>
    [0, 1].map((i) => ({ hash: xxh64(`${node}_${i}`), member })),
  );
  return new HashRing(points, nodes);
}

describe('HashRing', () => {
  const envoy = known.envoy_ring_hash;

  it.each([
    ['by address', envoy],
    ['by host name', envoy.hostname_ring],
  ])("has the points of Envoy's ring hash, %s", (_name, { nodes, points }) => {
    const ring = envoyRing(nodes);
    expect(ring.points.map(({ hash, member }) => [hash.toString(), nodes[member]])).toEqual(points);
  });

  it("finds the owners that Envoy's ring hash finds", () => {
    const ring = envoyRing(envoy.nodes);
    for (const [hash, node] of Object.entries(envoy.lookups_hash_to_node)) {
      expect([hash, envoy.nodes[ring.owner(BigInt(hash))!]]).toEqual([hash, node]);
    }
  });

  it('has no owner when it is empty', () => {
    expect(buildRing([]).owner(5n)).toBeUndefined();
  });
});

describe('buildRing', () => {
  const members = fc
    .uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 })
    .map((ids) => ids.map((id) => ({ id, weight: 0.1 })));
  const hashes = fc.bigInt(0n, 2n ** 64n - 1n);

  it('gives each member virtual nodes by its weight', () => {
    const ring = buildRing([
      { id: 'a', weight: 1 },
      { id: 'b', weight: 2.5 },
      { id: 'c', weight: 0.0001 },
    ]);
    const counts = [0, 1, 2].map((member) => ring.points.filter((point) => point.member === member).length);
    expect(counts).toEqual([VIRTUAL_NODES_PER_WEIGHT, 2.5 * VIRTUAL_NODES_PER_WEIGHT, 1]);
  });

  it('walks over every member once, in the order of their points', () => {
    fc.assert(
      fc.property(members, hashes, (list, hash) => {
        const ring = buildRing(list);
        const clockwise = [
          ...ring.points.filter((point) => point.hash >= hash),
          ...ring.points.filter((point) => point.hash < hash),
        ];
        expect([...ring.walk(hash)]).toEqual([...new Set(clockwise.map((point) => point.member))]);
      }),
    );
  });

  it('does not depend on the order of the members', () => {
    fc.assert(
      fc.property(members, hashes, (list, hash) => {
        const reversed = list.toReversed();
        const names = [...buildRing(list).walk(hash)].map((member) => list[member]!.id);
        expect([...buildRing(reversed).walk(hash)].map((member) => reversed[member]!.id)).toEqual(names);
      }),
    );
  });

  it('changes only the arcs of a member that leaves', () => {
    fc.assert(
      fc.property(members, hashes, (list, hash) => {
        const rest = list.slice(1);
        const before = [...buildRing(list).walk(hash)].map((member) => list[member]!.id);
        const after = [...buildRing(rest).walk(hash)].map((member) => rest[member]!.id);
        expect(after).toEqual(before.filter((id) => id !== list[0]!.id));
      }),
    );
  });
});
