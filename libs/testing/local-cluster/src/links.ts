/** The proxies that all connections of members go through (cuttable-starter.ts), and how a test turns them. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { LINK_STATES, Links, type LinkState, type LinkTarget } from '@ringleader/tool-local-cluster';

const controlSocket = (dataFolder: string): string => join(dataFolder, 'links.sock');

/** With the socket in the cluster's data folder by which a test turns them. */
export class TurnedLinks {
  readonly interpose: Links['interpose'];
  private readonly control = createServer((asked, answer) => {
    const [, member = '', target, state] = (asked.url ?? '').split('/');
    const wanted = LINK_STATES.find((known) => known === state);
    const isKnown = wanted !== undefined && this.links.turn(member, target as LinkTarget, wanted);
    answer.writeHead(isKnown ? 204 : 404).end();
  });

  private constructor(private readonly links: Links) {
    this.interpose = links.interpose.bind(links);
  }

  static async open(dataFolder: string): Promise<TurnedLinks> {
    const links = new TurnedLinks(await Links.open());
    await once(links.control.listen(controlSocket(dataFolder)), 'listening');
    return links;
  }

  async close(): Promise<void> {
    this.control.closeAllConnections();
    await new Promise((resolve) => this.control.close(resolve));
    await this.links.close();
  }
}

/** From another process: turns the links of a member of the cluster that runs on the data folder. */
export async function turnLinks(
  dataFolder: string,
  member: string,
  target: LinkTarget,
  state: LinkState,
): Promise<void> {
  const path = `/${member}/${target}/${state}`;
  const asked = request({ socketPath: controlSocket(dataFolder), method: 'PUT', path }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  if (answer.statusCode !== 204) throw new Error(`${member} has no link to ${target}`);
}
