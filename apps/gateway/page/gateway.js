/**
 * What the page asks its gateway, with the token that somebody has typed in, where one is needed. A token is kept for this
 * tab alone, and is in no address; so events come by fetch, since an EventSource sends none.
 */
const TOKEN = 'ringleader-token';
/** Of server-sent events (the HTML standard, 9.2): a field, a colon, perhaps a space, a value. */
const FIELD = /^(\w+): ?(.*)$/;
/** What a header takes. What is copied may hold more than is seen of it. */
const SENDABLE = /^[\x21-\x7e]+$/;
/** Who has not answered by then is asked again. */
const ANSWER_MS = 10_000;

export const useToken = (token) => sessionStorage.setItem(TOKEN, token);
export const forgetToken = () => sessionStorage.removeItem(TOKEN);
export const hasToken = () => sessionStorage.getItem(TOKEN) !== null;

/** A gateway that refuses us, by the status of its answer and its reasons. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail ?? `the gateway answered ${status}`);
    this.status = status;
  }
}

async function ask(path, init) {
  const token = sessionStorage.getItem(TOKEN);
  if (token !== null && !SENDABLE.test(token))
    throw new Refused(401, 'What was typed in is no token: it has characters that no token has');
  const headers = { ...init.headers, ...(token !== null && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(path, { ...init, headers });
  if (answer.ok) return answer;
  const { detail } = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, detail);
}

export async function fetchJson(path) {
  const signal = AbortSignal.timeout(ANSWER_MS);
  return (await ask(path, { headers: { Accept: 'application/json' }, signal })).json();
}

/**
 * Events until `close` is called on what is returned, or the connection is lost: then `onLost` is told why, once. After
 * `lastEventId` only what is news.
 */
export function follow(path, lastEventId, { onOpen, onEvent, onLost }) {
  const ended = new AbortController();
  const headers = {
    Accept: 'text/event-stream',
    ...(lastEventId !== '' && { 'Last-Event-ID': lastEventId }),
  };
  const read = async () => {
    const { body } = await ask(path, { headers, cache: 'no-store', signal: ended.signal });
    onOpen();
    let unread = '';
    for await (const text of textsOf(body)) {
      const blocks = (unread + text).split('\n\n');
      unread = blocks.pop();
      for (const block of blocks) {
        const event = eventIn(block);
        if (event.data !== undefined) onEvent(event);
      }
    }
    throw new Error('the connection has ended');
  };
  read().catch((error) => {
    if (!ended.signal.aborted) onLost(error);
  });
  return { close: () => ended.abort() };
}

/** Not every browser iterates streams. */
async function* textsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function eventIn(block) {
  const event = {};
  for (const line of block.split('\n')) {
    const [, field, value] = FIELD.exec(line) ?? [];
    if (field !== undefined) event[field] = value;
  }
  return event;
}
