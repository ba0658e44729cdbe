/**
 * The planner in a world of its own: API server and coordinators with all that people and bad luck do to them, and looks that are
 * older than what is looked at. Then the same with one rule of the planner broken: a check must find it, and it is the one that is named.
 * A failure prints seed and path, which `fc.assert`'s options take.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CONTROLS, findersOf } from '../../test/world/controls.js';
import { stories } from '../../test/world/events.js';
import { Story } from '../../test/world/story.js';

describe('the planner', () => {
  it('keeps all that is needed, and comes to what is described from anywhere, and then is silent', () => {
    fc.assert(
      fc.property(stories, fc.constantFrom('growing', 'fixed'), (events, storageClass) => {
        const story = new Story();
        story.world.kube.storageClass = storageClass;
        story.play(events);
        story.ends();
      }),
      { numRuns: 50 },
    );
  });

  it('does so where volumes may not grow, too, once they may', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const story = new Story();
        story.world.canVolumesGrow = false;
        story.play(events);
        story.ends();
      }),
      { numRuns: 10 },
    );
  });

  it('does so when their storage class comes back that was gone meanwhile', () => {
    fc.assert(
      fc.property(stories, stories, (before, events) => {
        const story = new Story();
        story.play(before);
        story.world.kube.storageClass = 'missing';
        // Some have a volume, some wait for one, and all are to grow.
        story.play([{ kind: 'shards', replicas: 6 }, { kind: 'settle' }, { kind: 'size', size: '20Gi' }]);
        story.play(events);
        story.world.kube.storageClass = 'growing';
        story.ends();
      }),
      { numRuns: 10 },
    );
  });

  it('deletes a cluster from any state, and keeps its volumes, on which it begins again, if it is told to', () => {
    fc.assert(
      fc.property(stories, fc.boolean(), (events, isKept) => {
        const story = new Story();
        story.play(events);
        story.deletes(isKept ? 'Retain' : 'Delete');
        if (!isKept) return expect(story.world.kube.claims.size).toBe(0);
        story.beginsAgain();
        story.ends();
      }),
      { numRuns: 20 },
    );
  });

  it('founds nothing over what is left of a cluster', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const story = new Story();
        story.play(events);
        story.losesAllLogs();
      }),
      { numRuns: 20 },
    );
  });

  it('lets go in a namespace that is deleted', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const story = new Story();
        story.play(events);
        story.losesNamespace();
      }),
      { numRuns: 20 },
    );
  });
});

describe.each(CONTROLS)('with a rule broken', (control) => {
  it(`${control.name}: is found`, () => {
    expect(findersOf(control).checks).toContain(control.found);
  });
});
