import { expect, it } from '@jest/globals';
import { ServerWatch } from './server-watch.js';

function watched() {
  const seen = { messages: 0, pings: 0, givenUp: 0 };
  const answers: (() => void)[] = [];
  const server = {
    messages: () => seen.messages,
    ping: () => {
      seen.pings += 1;
      return new Promise<void>((resolve) => answers.push(resolve));
    },
    giveUp: () => void (seen.givenUp += 1),
  };
  return { seen, answers, watch: new ServerWatch(server, 2) };
}

it('asks nothing of a server that is heard', () => {
  const { seen, watch } = watched();
  for (let i = 0; i < 10; i += 1) {
    seen.messages += 1;
    watch.look();
  }
  expect(seen).toMatchObject({ pings: 0, givenUp: 0 });
});

it('asks a silent server at every second look, and keeps one that answers', async () => {
  const { seen, answers, watch } = watched();
  watch.look();
  for (let i = 0; i < 10; i += 1) {
    watch.look();
    answers.shift()?.();
    await Promise.resolve();
  }
  expect(seen).toMatchObject({ pings: 5, givenUp: 0 });
});

it('gives up a server that answers no ping, and begins anew', () => {
  const { seen, watch } = watched();
  for (let i = 0; i < 3; i += 1) watch.look();
  expect(seen).toMatchObject({ pings: 2, givenUp: 0 });
  watch.look();
  expect(seen.givenUp).toBe(1);
  for (let i = 0; i < 3; i += 1) watch.look();
  expect(seen).toMatchObject({ pings: 4, givenUp: 2 });
});

it('takes anything that is heard for an answer', () => {
  const { seen, watch } = watched();
  for (let i = 0; i < 3; i += 1) watch.look();
  seen.messages += 1;
  for (let i = 0; i < 3; i += 1) watch.look();
  expect(seen.givenUp).toBe(0);
});
