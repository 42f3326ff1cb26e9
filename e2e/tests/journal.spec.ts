// Events that outlive the console, and a journal that cannot be written.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, signIn, test } from '../support/fixtures.ts';
import { connectNow, eventRows, seesSession } from '../support/pages.ts';

test('after a restart events go on: none twice, none lost', async ({ durable: console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('stop');
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await console.stop();
  await expect(page.getByText('No connection to the console.')).toBeVisible();
  await console.start();
  await connectNow(page);
  await expect(page.getByText('No connection to the console.')).toHaveCount(0);
  await expect(async () => {
    expect(await console.execute('cont')).toEqual({});
  }).toPass();
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await expect(page.getByText(/started anew|missing/)).toHaveCount(0);
  // A page that is opened now sees the same.
  await page.reload();
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
});

test('after a crash the page says that events may be missing', async ({ durable: console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('stop');
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await console.kill();
  await console.start();
  await connectNow(page);
  await expect(async () => {
    expect(await console.execute('cont')).toEqual({});
  }).toPass();
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await expect(page.getByText(/^Events may be missing: up to [\d,]+ numbers, seq \d+ to \d+$/)).toHaveCount(1);
});

test('a journal that cannot be written is said on every page', async ({ serve, vm, directory, page }) => {
  const state = join(directory, 'state');
  // A directory where the file should be.
  mkdirSync(join(state, 'journal.sqlite3'), { recursive: true });
  const console = await serve({ vm }, ['--data-dir', state]);
  await signIn(page, console);
  const notice = page.getByRole('region', { name: 'State of the console' });
  await expect(notice).toContainText('The journal cannot be written: ');
  await expect(notice).toContainText('on record in memory only');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(notice).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await expect(notice).toHaveCount(0);
});

test('a disk that fills up is said within half a minute, and that it is over', async ({ serve, vm, directory, page }) => {
  const console = await serve({ vm }, ['--data-dir', join(directory, 'state')], { full: true });
  await page.clock.install();
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  const notice = page.getByRole('region', { name: 'State of the console' });
  const ready = async (): Promise<number> => (await fetch(`${console.url}readyz`)).status;

  console.fillDisk();
  await console.execute('stop');
  await expect.poll(ready).toBe(503);
  await expect(notice).toHaveCount(0);
  await page.clock.fastForward(31_000);
  await expect(notice).toContainText('The journal cannot be written: ');
  // The console goes on, from memory.
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);

  console.fillDisk(false);
  await console.execute('cont');
  await expect.poll(ready, { timeout: 20_000 }).toBe(200);
  await page.clock.fastForward(31_000);
  await expect(notice).toHaveCount(0);
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
});
