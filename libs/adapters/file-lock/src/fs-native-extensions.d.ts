/** The package has no types of its own. */
declare module 'fs-native-extensions' {
  /** False when another open file has the lock. On Linux an open file description's lock, on macOS `flock`. */
  export function tryLock(fd: number): boolean;
}
