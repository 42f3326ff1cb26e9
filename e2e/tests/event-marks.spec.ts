// Gaps, and when the endpoint was lost and regained, in their places between
// the events: after a reload, after a lost connection, and in a file.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { connectNow, eventRows, seesSession } from '../support/pages.ts';
import { Way } from '../support/way.ts';

const table = (page: Page): Locator => page.getByRole('table', { name: 'Events' });
const regained = (page: Page): Locator => table(page).getByText('Connected to the endpoint');

/** All rows but the head, newest first. */
async function sees(page: Page, rows: RegExp[]): Promise<void> {
  await expect(table(page).getByRole('row')).toHaveText([/^Time/, ...rows]);
}

const LOST = /The connection to the endpoint was lost/;
const REGAINED = /Connected to the endpoint/;

/** Sends the event A when asked to `go`, and hangs up when asked to `end`. */
const flighty = {
  rules: { go: [{ event: { name: 'A' } }, { return: {} }], end: [{ return: {} }, 'close' as const] },
};

/** Signs in, and opens the events page when the session runs. */
async function openEvents(page: Page, console: Console): Promise<void> {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
}

/** The console's own word for it, as pages may not hear of it. */
async function connected(page: Page, console: Console, times: number): Promise<void> {
  await expect(async () => {
    const answer = await page.request.get(console.api('sessions/vm'), { headers: console.authorization });
    expect(await answer.json()).toMatchObject({ state: 'running', counters: { connections: times } });
  }).toPass({ timeout: 20_000 });
}

test('after a reload they are where they were, once', async ({ fake, serve, page }) => {
  const console = await serve({ vm: await fake(flighty) });
  await openEvents(page, console);
  await console.execute('go');
  await console.execute('end');
  await expect(regained(page)).toHaveCount(1);
  await console.execute('go');
  const all = [/A/, REGAINED, LOST, /A/];
  await sees(page, all);
  await page.reload();
  await sees(page, all);
  // Whatever comes is told as before.
  await console.execute('end');
  await expect(regained(page)).toHaveCount(2);
  await sees(page, [REGAINED, LOST, ...all]);
  await page.reload();
  await sees(page, [REGAINED, LOST, ...all]);
  // The log has what was before, and nothing of it twice.
  await page.getByRole('button', { name: 'Show older events' }).click();
  await expect(page.getByText('The log begins here.')).toBeVisible();
  await sees(page, [REGAINED, LOST, ...all, REGAINED]);
});

test('a session without events tells of its endpoint, and a filter says that nothing passes', async ({
  fake,
  serve,
  page,
}) => {
  const console = await serve({ vm: await fake(flighty) });
  await openEvents(page, console);
  await expect(page.getByText('No events yet. They appear here as they happen.')).toBeVisible();
  await console.execute('end');
  await expect(regained(page)).toHaveCount(1);
  await page.reload();
  await sees(page, [REGAINED, LOST]);
  await expect(page.getByText('No events yet. They appear here as they happen.')).toBeVisible();
  await page.getByRole('combobox', { name: 'Filter by name' }).fill('NOTHING');
  await expect(page.getByText('No events yet that pass this filter.')).toBeVisible();
  // All of the log was asked then, and it tells nothing twice.
  await expect(page.getByText('The log begins here.')).toBeVisible();
  await sees(page, [REGAINED, LOST, REGAINED]);
});

test('what happened while nobody heard of it is between the events of that time', async ({ fake, serve, page }) => {
  const console = await serve({ vm: await fake(flighty) });
  const way = await Way.of(page);
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('go');
  await console.execute('end');
  await expect(regained(page)).toHaveCount(1);
  await way.cut();
  await console.execute('go');
  await console.execute('end');
  await connected(page, console, 3);
  await console.execute('go');
  await way.heal();
  const all = [/A/, REGAINED, LOST, /A/, REGAINED, LOST, /A/];
  await sees(page, all);
  await page.reload();
  await sees(page, all);
});

test('a gap and the end of the console are there after a reload', async ({ durable, page }) => {
  await signIn(page, durable);
  await seesSession(page, 'vm', 'running');
  await durable.execute('stop');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await durable.kill();
  await durable.start();
  await connectNow(page);
  await connected(page, durable, 1);
  await durable.execute('cont');
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await expect(table(page).getByText(/^Events may be missing/)).toHaveCount(1);
  await page.reload();
  await sees(page, [/RESUME/, REGAINED, /Events may be missing/, /STOP/]);
});

test('a file has them, and shows them when it is read back', async ({ fake, serve, page, directory }) => {
  const console = await serve({ vm: await fake(flighty) });
  await openEvents(page, console);
  await console.execute('go');
  await console.execute('end');
  await expect(regained(page)).toHaveCount(1);
  await console.execute('go');
  await expect(eventRows(page, 'A')).toHaveCount(2);
  await page.getByText('File', { exact: true }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export what is shown (NDJSON)' }).click();
  const path = join(directory, 'events.ndjson');
  await (await download).saveAs(path);
  const text = await readFile(path, 'utf8');
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ event, link }) => (event === undefined ? link : 'event'))).toMatchObject([
    'event',
    { running: false, cause: expect.any(String) as unknown },
    { running: true },
    'event',
  ]);
  const gaps = '{"session":"vm","gap":{"from":4,"to":9}}\n{"session":"vm","not_loaded":{"from":10,"to":19}}\n';
  const open = page.getByLabel('Open a file of events (NDJSON)');
  const file = { name: 'kept.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(text + gaps) };
  await open.setInputFiles(file);
  await expect(page.getByText('Events of the file kept.ndjson, not of the console.')).toBeVisible();
  await sees(page, [/10 events not loaded/, /Up to 6 events missing/, /A/, REGAINED, LOST, /A/]);
});

test('of a file that is too long the newest are shown, and how many are not', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  const lines = Array.from({ length: 100_003 }, (_, at) => `{"seq":${at},"event":{"event":"N${at % 3}"}}\n`);
  await page.getByText('File', { exact: true }).click();
  const buffer = Buffer.from(lines.join(''));
  const open = page.getByLabel('Open a file of events (NDJSON)');
  await open.setInputFiles({ name: 'long.ndjson', mimeType: 'application/x-ndjson', buffer });
  await expect(page.getByText('100,000 rows, 3 older dropped')).toBeVisible();
  await expect(table(page).getByRole('row').nth(1).getByRole('cell').nth(2)).toHaveText('100002');
});
