import { describe, expect, it } from '@jest/globals';
import { pauseUnlessAborted } from './index.js';

/** None of these waits may come to its end. */
const FOREVER_MS = 2 ** 31 - 1;

describe('a pause unless aborted', () => {
  it('says that its time has passed', async () => {
    const startedAt = performance.now();
    expect(await pauseUnlessAborted(20, new AbortController().signal)).toBe(true);
    // Timers count whole milliseconds.
    expect(performance.now() - startedAt).toBeGreaterThan(18);
  });

  it('ends at once when it is aborted, and says so, whatever the reason', async () => {
    for (const reason of [undefined, new Error('stop'), 'Ctrl-C']) {
      const stop = new AbortController();
      const passed = pauseUnlessAborted(FOREVER_MS, stop.signal);
      stop.abort(reason);
      expect(await passed).toBe(false);
    }
  });

  it('does not begin where it is aborted already', async () => {
    expect(await pauseUnlessAborted(FOREVER_MS, AbortSignal.abort())).toBe(false);
  });

  it('passes on what is not the abort, be it aborted meanwhile', async () => {
    for (const signal of [new AbortController().signal, AbortSignal.abort()]) {
      const pause = pauseUnlessAborted('a while' as unknown as number, signal);
      await expect(pause).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});
