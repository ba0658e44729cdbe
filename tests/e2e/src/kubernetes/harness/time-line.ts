/** What happened when, a line each, as it happens. */
export class TimeLine {
  private readonly startedAt = performance.now();

  constructor(private readonly name: string) {
    this.mark('begins');
  }

  mark(what: string): void {
    const seconds = ((performance.now() - this.startedAt) / 1_000).toFixed(1).padStart(6);
    process.stdout.write(`${this.name} ${seconds} s  ${what}\n`);
  }
}
