import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { describeExit } from './child-exit.js';

/**
 * A guardian ends the processes it was told of when its owner dies, however the owner died: it reads the
 * owner's pipe, and a pipe is closed by the kernel also after `kill -9`. Servers such as PostgreSQL and
 * nats-server cannot watch a pipe themselves. It is a shell script because a shell costs 1 MB where a
 * Node process costs 40, and it runs in a session of its own so that Ctrl-C does not reach it.
 * SIGTERM first, and five seconds later SIGKILL (also for processes that are stopped by SIGSTOP).
 */
const SCRIPT = `
trap '' INT TERM HUP
pids=''
while read -r verb pid; do
  rest=''
  for p in $pids; do [ "$p" = "$pid" ] || rest="$rest $p"; done
  pids=$rest
  [ "$verb" = add ] && pids="$pids $pid"
done
[ -n "$pids" ] || exit 0
kill -TERM $pids 2>/dev/null
tries=0
while [ $tries -lt 50 ]; do
  alive=''
  for p in $pids; do kill -0 "$p" 2>/dev/null && alive="$alive $p"; done
  [ -n "$alive" ] || exit 0
  sleep 0.1
  tries=$((tries + 1))
done
kill -KILL $alive 2>/dev/null
exit 0
`;

/** One that ends sooner than this is not followed by the next one before this time has passed. */
const SHORT_LIFE_MS = 1_000;

/**
 * Looked after in turn: a guardian that ends by itself is replaced by a new one, which is told of all that still runs.
 * `replaced` is called with the reason once the new one stands.
 */
export class Guardian {
  readonly #watched = new Set<number>();
  #shell: ChildProcess;
  #startedAt = 0;
  #replacement: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(private readonly replaced: (ending: string) => void = () => undefined) {
    this.#shell = this.#start();
  }

  get pid(): number | undefined {
    return this.#shell.pid;
  }

  watch(pid: number): void {
    this.#watched.add(pid);
    this.#tell(`add ${pid}`);
  }

  forget(pid: number): void {
    this.#watched.delete(pid);
    this.#tell(`remove ${pid}`);
  }

  /** Ends the guardian and whatever it still watches. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#replacement);
    if (!hasEnded(this.#shell)) await this.#end();
    // Exit code 0: it has done its work, and was not killed before or meanwhile.
    if (this.#shell.exitCode === 0 || this.#watched.size === 0) return;
    this.#shell = this.#start();
    await this.#end();
  }

  async #end(): Promise<void> {
    const shell = this.#shell;
    shell.ref();
    const ended = new Promise<void>((resolve) => {
      const settle = (): void => {
        resolve();
      };
      shell.once('error', settle).once('exit', settle);
    });
    shell.stdin?.end();
    await ended;
  }

  #start(): ChildProcess {
    const shell = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#startedAt = performance.now();
    // That it is gone is learnt from its exit.
    shell.stdin?.on('error', () => undefined);
    shell.once('error', (error) => {
      this.#replace(error.message);
    });
    shell.once('exit', (code, signal) => {
      this.#replace(describeExit({ code, signal }));
    });
    shell.unref();
    // Neither the shell nor its pipe keeps the owner alive.
    (shell.stdin as Socket | null)?.unref();
    for (const pid of this.#watched) shell.stdin?.write(`add ${pid}\n`);
    return shell;
  }

  #replace(ending: string): void {
    if (this.#closing) return;
    const wait = performance.now() - this.#startedAt < SHORT_LIFE_MS ? SHORT_LIFE_MS : 0;
    clearTimeout(this.#replacement);
    this.#replacement = setTimeout(() => {
      this.#shell = this.#start();
      this.replaced(ending);
    }, wait);
    this.#replacement.unref();
  }

  #tell(line: string): void {
    if (!hasEnded(this.#shell)) this.#shell.stdin?.write(`${line}\n`);
  }
}

/** Or never started. */
function hasEnded(shell: ChildProcess): boolean {
  return shell.pid === undefined || shell.exitCode !== null || shell.signalCode !== null;
}
