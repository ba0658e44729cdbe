/** What a server is called: names of the configuration are held against those that the client gives. */

/** nats-server's own, where a URL has none. */
const PORT = '4222';

/** As the client calls it: without a scheme, in lower case, and always with its port. */
export function serverAddress(url: string): string {
  const address = url.replace(/^\w+:\/\//, '');
  // The port is read from a scheme that has no port of its own, which would be left out.
  const { port } = new URL(`nats://${address}`);
  return `${new URL(`http://${address}`).hostname}:${port || PORT}`;
}
