import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

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

export class Guardian {
  readonly #shell: ChildProcess;

  constructor() {
    this.#shell = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    // A guardian that is gone protects nobody, but its loss must not end the servers it stood by.
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    // Neither the shell nor its pipe keeps the owner alive.
    (this.#shell.stdin as Socket | null)?.unref();
  }

  get pid(): number | undefined {
    return this.#shell.pid;
  }

  watch(pid: number): void {
    this.#shell.stdin?.write(`add ${pid}\n`);
  }

  forget(pid: number): void {
    this.#shell.stdin?.write(`remove ${pid}\n`);
  }

  /** Ends the guardian and whatever it still watches. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) {
        resolve();
        return;
      }
      this.#shell.ref();
      this.#shell.once('exit', () => {
        resolve();
      });
      this.#shell.stdin?.end();
    });
  }
}
