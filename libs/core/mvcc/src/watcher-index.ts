/**
 * Who follows which keys: from a key to the watchers that must hear of its change, at the cost of these and not of all.
 * Watchers of single keys stand in a map. Ranges stand in a tree by where they begin, and each node knows the farthest end
 * below it: what ends before a key, and what begins behind it, is passed over whole (an interval tree: Cormen et al.,
 * Introduction to Algorithms, 14.3). Watchers of equal ranges share a node.
 *
 * The tree is a treap (Seidel and Aragon, 1996). Its priorities come from a fixed sequence: nothing here is drawn at random.
 */
import { compareKeys } from '@ringleader/primitives';
import { type KeyRange, isBeforeEnd } from './key-range.js';

interface RangeNode<Watcher> {
  readonly start: string;
  /** Empty is "behind all keys", as in a range. */
  readonly end: string;
  readonly watchers: Set<Watcher>;
  readonly priority: number;
  left: RangeNode<Watcher> | null;
  right: RangeNode<Watcher> | null;
  /** The farthest end of this node and all below it. */
  farthest: string;
}

type Tree<Watcher> = RangeNode<Watcher> | null;

export class WatcherIndex<Watcher extends KeyRange> {
  readonly #single = new Map<string, Set<Watcher>>();
  readonly #ranges = new Map<string, RangeNode<Watcher>>();
  #root: Tree<Watcher> = null;
  #size = 0;
  #lastPriority = 1;

  /** How many watchers there are. */
  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    const watchers = watcher.rangeEnd === null ? this.#ofKey(watcher.key) : this.#ofRange(watcher);
    if (watchers.has(watcher)) return;
    watchers.add(watcher);
    this.#size += 1;
  }

  /** False where it was not here. */
  delete(watcher: Watcher): boolean {
    const { key, rangeEnd } = watcher;
    const node = rangeEnd === null ? undefined : this.#ranges.get(nameOf(key, rangeEnd));
    const watchers = rangeEnd === null ? this.#single.get(key) : node?.watchers;
    if (watchers?.delete(watcher) !== true) return false;
    this.#size -= 1;
    if (watchers.size > 0) return true;
    if (node === undefined) this.#single.delete(key);
    else {
      this.#ranges.delete(nameOf(node.start, node.end));
      this.#root = without(this.#root, node);
    }
    return true;
  }

  /** Each watcher of the key once. None may be added or deleted meanwhile. */
  visit(key: string, visitor: (watcher: Watcher) => void): void {
    const single = this.#single.get(key);
    if (single !== undefined) for (const watcher of single) visitor(watcher);
    visitRanges(this.#root, key, visitor);
  }

  #ofKey(key: string): Set<Watcher> {
    let watchers = this.#single.get(key);
    if (watchers === undefined) this.#single.set(key, (watchers = new Set()));
    return watchers;
  }

  #ofRange({ key, rangeEnd }: Watcher): Set<Watcher> {
    const end = rangeEnd ?? '';
    const name = nameOf(key, end);
    let node = this.#ranges.get(name);
    if (node === undefined) {
      const priority = this.#nextPriority();
      const watchers = new Set<Watcher>();
      node = { start: key, end, watchers, priority, left: null, right: null, farthest: end };
      this.#ranges.set(name, node);
      this.#root = withNode(this.#root, node);
    }
    return node.watchers;
  }

  /** Marsaglia's xorshift: looks random enough to keep the tree flat. */
  #nextPriority(): number {
    let x = this.#lastPriority;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (this.#lastPriority = x);
  }
}

/** Unambiguous: the length of the first part stands in front. */
const nameOf = (start: string, end: string): string => `${start.length} ${start}${end}`;

function visitRanges<Watcher>(tree: Tree<Watcher>, key: string, visitor: (watcher: Watcher) => void): void {
  if (tree === null || !isBeforeEnd(tree.farthest, key)) return;
  visitRanges(tree.left, key, visitor);
  if (compareKeys(tree.start, key) > 0) return;
  if (isBeforeEnd(tree.end, key)) for (const watcher of tree.watchers) visitor(watcher);
  visitRanges(tree.right, key, visitor);
}

function compareNodes<Watcher>(a: RangeNode<Watcher>, b: RangeNode<Watcher>): number {
  return compareKeys(a.start, b.start) || compareKeys(a.end, b.end);
}

function withNode<Watcher>(tree: Tree<Watcher>, node: RangeNode<Watcher>): RangeNode<Watcher> {
  if (tree === null) return node;
  if (node.priority > tree.priority) {
    [node.left, node.right] = split(tree, node);
    return measured(node);
  }
  if (compareNodes(node, tree) < 0) tree.left = withNode(tree.left, node);
  else tree.right = withNode(tree.right, node);
  return measured(tree);
}

function without<Watcher>(tree: Tree<Watcher>, node: RangeNode<Watcher>): Tree<Watcher> {
  if (tree === null) return null;
  if (tree === node) return merge(tree.left, tree.right);
  if (compareNodes(node, tree) < 0) tree.left = without(tree.left, node);
  else tree.right = without(tree.right, node);
  return measured(tree);
}

/** What stands before the node, and what stands behind it. */
function split<Watcher>(
  tree: Tree<Watcher>,
  node: RangeNode<Watcher>,
): [before: Tree<Watcher>, behind: Tree<Watcher>] {
  if (tree === null) return [null, null];
  if (compareNodes(tree, node) < 0) {
    const [before, behind] = split(tree.right, node);
    tree.right = before;
    return [measured(tree), behind];
  }
  const [before, behind] = split(tree.left, node);
  tree.left = behind;
  return [before, measured(tree)];
}

/** All of the first stands before all of the second. */
function merge<Watcher>(before: Tree<Watcher>, behind: Tree<Watcher>): Tree<Watcher> {
  if (before === null || behind === null) return before ?? behind;
  if (before.priority > behind.priority) {
    before.right = merge(before.right, behind);
    return measured(before);
  }
  behind.left = merge(before, behind.left);
  return measured(behind);
}

function measured<Watcher>(node: RangeNode<Watcher>): RangeNode<Watcher> {
  let { end: farthest } = node;
  for (const child of [node.left, node.right]) {
    if (child !== null && isBefore(farthest, child.farthest)) ({ farthest } = child);
  }
  node.farthest = farthest;
  return node;
}

/** Of two ends. */
const isBefore = (a: string, b: string): boolean => a !== '' && (b === '' || compareKeys(a, b) < 0);
