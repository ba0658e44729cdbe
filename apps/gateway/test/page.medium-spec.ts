/**
 * The page in a real browser, over a gateway with fixed scenes: what people see, and what their screen readers are told.
 * RINGLEADER_SCREENSHOTS=docs/images has the pictures of the documents taken anew.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import type { PartitionView } from '@ringleader/contracts';
import { locateChromium, workspaceRoot } from '@ringleader/testing-servers';
import type { AxeResults } from 'axe-core';
import { launch } from 'puppeteer-core';
import type { Browser, Page, SerializedAXNode } from 'puppeteer-core';
import { ClusterEvents } from '../src/cluster/cluster-events.js';
import { TestTokens } from './support/tokens.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness, HarnessOptions } from './support/gateway-harness.js';
import { historyUntil, sceneOf } from './support/page-scenes.js';
import type { SceneName } from './support/page-scenes.js';

const SCENES: readonly SceneName[] = ['healthy', 'one-down', 'moving'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where the pictures always tell the same time. */
const NOW = Date.parse('2026-11-26T12:00:00Z');
const WAIT = { timeout: 100_000 };

const chromium = await locateChromium(process.env);
/** Without a browser nothing can be tested, and whoever reads the results is to know. */
// eslint-disable-next-line no-restricted-properties -- a browser cannot be had everywhere
const withBrowser = chromium.program === null ? describe.skip : describe;
if (chromium.program === null)
  process.stderr.write(`NOT TESTED: the page of the gateway. ${chromium.reason}\n`);

let scene: SceneName = 'healthy';
let gateway: GatewayHarness;
let secured: GatewayHarness;
let browser: Browser;
let events: ClusterEvents;
let looks = 0;
const newEvents = (): ClusterEvents =>
  new ClusterEvents({
    intervalMs: 50,
    sources: {
      cluster: () => sceneOf(scene, NOW).cluster,
      moves: () => sceneOf(scene, NOW).moves,
      load: () => sceneOf(scene, NOW + looks++).load,
    },
  });

/** The ring cannot be had so often. */
let ringRefusals = 0;
const partitions = (): PartitionView[] => {
  if (ringRefusals === 0) return [...sceneOf(scene, NOW).partitions];
  ringRefusals -= 1;
  throw new OperationalError('OVERLOADED', 'Not now');
};

const SHOWN: HarnessOptions = {
  partitions: { partitions },
  history: { items: historyUntil(NOW) },
  events: { stream: (client, lastEventId) => events.stream(client, lastEventId) },
};

/** What went wrong on a page that nobody saw. */
interface OpenPage {
  readonly page: Page;
  readonly troubles: readonly string[];
}

async function open(which: SceneName): Promise<OpenPage> {
  scene = which;
  const page = await browser.newPage();
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (message) => troubles.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(gateway.url)) troubles.push(`asks ${request.url()}`);
  });
  await page.setViewport({ width: 1_280, height: 900 });
  await prefer(page, 'light');
  await page.goto(gateway.url);
  for (const shown of ['#ring path', '#members tr', '#rate path']) await untilShown(page, shown);
  return { page, troubles };
}

const prefer = (page: Page, scheme: 'light' | 'dark'): Promise<void> =>
  page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: scheme },
    { name: 'prefers-reduced-motion', value: 'reduce' },
  ]);
const untilShown = (page: Page, selector: string): Promise<unknown> => page.waitForSelector(selector, WAIT);
const untilText = (page: Page, selector: string, text: string): Promise<unknown> => {
  const [where, what] = [selector, text].map((each) => JSON.stringify(each));
  return page.waitForFunction(`document.querySelector(${where}).textContent.includes(${what})`, WAIT);
};
const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(selector, (nodes) =>
    nodes.map((node) => (node as unknown as { innerText: string }).innerText.trim().replace(/\s+/g, ' ')),
  );

/** Everything that the accessibility tree has of this role, by its name. */
async function namesOf(page: Page, role: string): Promise<string[]> {
  const names: string[] = [];
  const walk = (node: SerializedAXNode): void => {
    if (node.role === role) names.push(node.name ?? '');
    node.children?.forEach(walk);
  };
  const root = await page.accessibility.snapshot({ interestingOnly: false });
  if (root !== null) walk(root);
  return names;
}

const openDetails = (page: Page, isOpen: boolean): Promise<unknown> =>
  page.evaluate(`document.querySelectorAll('details').forEach((one) => (one.open = ${isOpen}))`);

async function violationsOf(page: Page): Promise<unknown[]> {
  await openDetails(page, true);
  await untilShown(page, '#partitions tr');
  // A script of the test, not of the page, whose policy would not let it in.
  await page.evaluate(AXE);
  const results = (await page.evaluate('axe.run(document)')) as AxeResults;
  return results.violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ target }) => target.join(' ')) }));
}

async function takePicture(page: Page, which: SceneName): Promise<void> {
  const folder = process.env['RINGLEADER_SCREENSHOTS'];
  if (folder === undefined) return;
  await openDetails(page, false);
  const path = join(resolve(workspaceRoot(), folder), `page-${which}.png`) as `${string}.png`;
  const height = (await page.evaluate('document.body.getBoundingClientRect().height')) as number;
  await page.screenshot({ path, clip: { x: 0, y: 0, width: 1_280, height: Math.ceil(height) } });
}

const tokens = new TestTokens();

withBrowser('the page', () => {
  beforeAll(async () => {
    events = newEvents();
    secured = await startGateway({ ...SHOWN, authenticator: tokens.authenticator });
    gateway = await startGateway(SHOWN);
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await launch({ executablePath: chromium.program ?? '', pipe: true, args });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await secured.close();
  });

  it('shows the OpenAPI document, with nothing from elsewhere and nothing that its policy forbids', async () => {
    const page = await browser.newPage();
    const troubles: string[] = [];
    page.on('pageerror', (error) => troubles.push(String(error)));
    page.on('console', (message) => troubles.push(message.text()));
    page.on('request', (request) => {
      if (!/^data:/.test(request.url()) && !request.url().startsWith(gateway.url))
        troubles.push(request.url());
    });
    await page.goto(`${gateway.url}/docs`);
    await untilShown(page, '#operations-Cluster-getSettings');
    await page.click('#operations-Cluster-getSettings button');
    await untilShown(page, '#operations-Cluster-getSettings .responses-table');
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('asks for a token where one is needed, keeps it for its tab, and forgets it when told', async () => {
    scene = 'healthy';
    const reader = tokens.add([{ role: 'read', prefix: '' }]);
    const page = await browser.newPage();
    await page.goto(secured.url);
    const type = async (token: string): Promise<void> => {
      await untilShown(page, '#token-section:not([hidden])');
      await page.type('#token', token);
      await page.keyboard.press('Enter');
    };
    await untilText(page, '#token-reason', 'This takes a token');
    // Copied with a space of no width before it, which no header takes.
    await type(`\u200b${reader}`);
    await untilText(page, '#token-reason', 'characters that no token has');
    await page.reload();
    await untilText(page, '#token-reason', 'characters that no token has');
    await type(tokens.add([{ role: 'read', prefix: 'a/' }]));
    await untilText(page, '#token-reason', 'the cluster, which the token does not have');
    await page.evaluate(AXE);
    const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults;
    expect(violations.map(({ id }) => id)).toEqual([]);
    await type(reader);
    for (const shown of ['#ring path', '#members tr', '#rate path']) await untilShown(page, shown);
    expect(await page.$('#token-section[hidden]')).not.toBeNull();
    await page.reload();
    await untilShown(page, '#ring path');
    expect(page.url()).not.toContain('rl_');
    tokens.remove(reader);
    secured.guard.revoke([reader.split('_')[1] ?? '']);
    await untilText(page, '#token-reason', 'There is no such token');
    await type(tokens.add([{ role: 'read', prefix: '' }]));
    await page.waitForSelector('#forget:not([hidden])', WAIT);
    await page.click('#forget');
    await untilText(page, '#token-reason', 'This takes a token');
    await page.close();
  });

  it.each(SCENES)('of a cluster that is %s can be seen, heard and used by everybody', async (which) => {
    const { page, troubles } = await open(which);
    for (const scheme of ['dark', 'light'] as const) {
      await prefer(page, scheme);
      expect({ scheme, violations: await violationsOf(page) }).toEqual({ scheme, violations: [] });
    }
    expect(troubles).toEqual([]);
    await takePicture(page, which);
    await page.close();
  });

  it('tells of a healthy cluster', async () => {
    const { page } = await open('healthy');
    expect(await page.title()).toBe('Healthy: example – Ringleader');
    const [ring, rate, latency] = await namesOf(page, 'image');
    expect(ring).toMatch(
      /^Ring of 64 partitions, all with a leader: shard-1 leads \d+, shard-2 leads \d+, shard-3 leads \d+$/,
    );
    expect(rate).toMatch(/^Requests per second in the last ten minutes: now \d+, at most \d+$/);
    expect(latency).toMatch(/^Latency in milliseconds .* median [\d.]+, 99th percentile [\d.]+/);
    expect(await namesOf(page, 'heading')).toEqual([
      'Ringleader example',
      'Ring',
      'Moves',
      'Traffic',
      'Members',
    ]);
    expect(await textsOf(page, '#moves-summary')).toEqual(['Nothing moves.']);
    expect(await textsOf(page, '#connection')).toEqual(['Live']);
    expect(await textsOf(page, '#members th')).toContain('coordinator-2 (leader)');
    expect(await textsOf(page, '#announcer')).toEqual(['The cluster is healthy']);
    await page.close();
  });

  it('says aloud that a shard is down, where it is seen in words as well, and that it is back', async () => {
    const { page } = await open('healthy');
    scene = 'one-down';
    await untilText(page, '#announcer', 'The cluster is degraded: shard-2 is down');
    expect(await page.$('#announcer[role="status"]')).not.toBeNull();
    expect(await textsOf(page, '#reasons li')).toEqual(['shard-2 is down']);
    expect(await textsOf(page, '#members tr[data-key="shard/shard-2"] td:nth-child(2)')).toEqual(['■ down']);
    expect(await textsOf(page, '#shards tr[data-key="shard-2"] td:nth-child(5)')).toEqual(['0']);
    await untilText(page, '#health', 'Degraded');
    scene = 'healthy';
    await untilText(page, '#announcer', 'The cluster is healthy');
    expect(await page.$('#reasons-section[hidden]')).not.toBeNull();
    await page.close();
  });

  it('shows how far moves have come', async () => {
    const { page } = await open('moving');
    await untilShown(page, '#moves tr');
    expect(await textsOf(page, '#moves-summary')).toEqual(['4 partitions under way, 1 planned.']);
    const rows = await textsOf(page, '#moves tr');
    expect(rows).toHaveLength(5);
    expect(rows[2]).toBe(
      '23 shard-4 shard-3 balance learn 3.1 MB of 8.4 MB 12.5 MB/s 3 s shard-4 to have copied it',
    );
    expect(await namesOf(page, 'progressbar')).toContain('Partition 23, copied');
    expect((await namesOf(page, 'image'))[0]).toContain('5 moving');
    expect(await page.$$eval('#ring .moving', (arcs) => arcs.length)).toBe(5);
    await page.close();
  });

  it('is used by keyboard alone, and keeps its place while the news come in', async () => {
    const { page } = await open('moving');
    const focused = (): Promise<unknown> =>
      page.evaluate('document.activeElement.id || document.activeElement.textContent.trim()');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the cluster');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('main');
    await page.focus('#partitions-details summary');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('filter');
    await page.keyboard.type('moving');
    await untilText(page, '#partitions-shown', '5 partitions');
    expect(await textsOf(page, '#partitions th')).toEqual(['5', '11', '23', '42', '57']);
    await page.evaluate("document.querySelector('#members tr').id = 'first'");
    scene = 'one-down';
    await untilText(page, '#partitions-shown', '0 partitions');
    scene = 'moving';
    await untilText(page, '#partitions-shown', '5 partitions');
    // The same row, not another one in its place.
    expect(await page.$('#first')).not.toBeNull();
    expect(await focused()).toBe('filter');
    await page.close();
  });

  it('takes no member of another service for one that has the same id', async () => {
    const { page } = await open('namesakes');
    const rowOf = (key: string): Promise<string[]> =>
      textsOf(page, `#members tr[data-key="${key}"] :is(th, td:nth-child(-n + 3))`);
    expect(await rowOf('gateway/shard-2')).toEqual(['shard-2', '● alive', 'serving']);
    expect(await rowOf('shard/shard-2')).toEqual(['shard-2', '■ down', 'not running']);
    expect(await rowOf('gateway/coordinator-2')).toEqual(['coordinator-2', '● alive', 'serving']);
    expect(await rowOf('coordinator/coordinator-2')).toEqual([
      'coordinator-2 (leader)',
      '● alive',
      'serving',
    ]);
    expect(await textsOf(page, '#shards tr[data-key="shard-2"] td:nth-child(2)')).toEqual(['■ down']);
    await page.close();
  });

  it('leaves nothing in a cell of what was in it before', async () => {
    const { page } = await open('healthy');
    const cells = await page.evaluate(`import('/page/dom.js').then(({ setRows }) => {
      const body = document.createElement('tbody');
      const cell = { text: 'x', className: 'bad', swatch: 'shard-0', progress: { label: 'l', part: 0.5 } };
      setRows(body, [{ key: 'a', cells: [cell, 'y'] }]);
      setRows(body, [{ key: 'a', cells: ['z', cell] }]);
      return [...body.rows[0].cells].map((node) => [node.className, node.children.length, node.textContent]);
    })`);
    expect(cells).toEqual([
      ['', 1, 'z'],
      ['bad', 3, 'x'],
    ]);
    await page.close();
  });

  it('moves nothing for those who do not want to see it, and fits on a small screen', async () => {
    const { page } = await open('moving');
    const transition = "getComputedStyle(document.querySelector('#ring path')).transitionDuration";
    expect(await page.evaluate(transition)).toBe('0s');
    await page.setViewport({ width: 320, height: 640 });
    const overflow = 'document.documentElement.scrollWidth - innerWidth';
    expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
    await page.close();
  });

  it('asks for the ring again where it could not be had, though nothing else is new', async () => {
    ringRefusals = 2;
    const { page } = await open('healthy');
    expect(ringRefusals).toBe(0);
    await page.close();
  });

  it('says that the connection is lost, and comes back by itself', async () => {
    const { page } = await open('healthy');
    events.close();
    await untilText(page, '#connection', 'Connection lost');
    events = newEvents();
    await untilText(page, '#connection', 'Live');
    await page.close();
  });
});
