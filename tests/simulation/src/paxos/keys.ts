/** Few hot keys; the last two of a partition are in another order by code units than by bytes. */
const ODD_NAMES: readonly string[] = ['\uffee', '\u{1f511}'];

export function keysOfPartition(partition: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const name = ODD_NAMES[count - 1 - index] ?? `k${String(index)}`;
    return `${name}/${String(partition)}`;
  });
}
