// Events of a real QEMU as they come, in a page that is never loaded again.

import { join } from 'node:path';

import type { Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, openCommand, seesSession, sendAndReturn } from '../support/pages.ts';

async function stopAndContinue(page: Page): Promise<void> {
  for (const command of ['stop', 'cont']) {
    await openCommand(page, 'vm', command);
    await sendAndReturn(page);
  }
}

async function execute(page: Page, console: Console, command: string): Promise<void> {
  const reply = await page.request.post(console.api('sessions/vm/execute'), {
    headers: { origin: console.url.slice(0, -1) },
    data: { execute: command },
    timeout: 60_000,
  });
  expect(reply.status()).toBe(200);
}

test('stop and cont by form, STOP and RESUME without a reload', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  await stopAndContinue(page);
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  // While the page is looked at, too.
  await execute(page, console, 'stop');
  await expect(eventRows(page, 'STOP')).toHaveCount(2);
  expect(await page.evaluate(() => 'loadedOnce' in window)).toBe(true);
});

test('filters by name, and says what is wrong with a filter', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await execute(page, console, 'stop');
  await execute(page, console, 'cont');
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  const filter = page.getByRole('combobox', { name: 'Filter by name' });
  await filter.fill('ST*');
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await expect(eventRows(page, 'RESUME')).toHaveCount(0);
  await expect(page).toHaveURL(/names=ST%2A/);
  await filter.fill('STOP, RESUME');
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await filter.fill('STOP,,RESUME');
  await expect(page.getByText('name 2 of the event filter is empty')).toBeVisible();
  await expect(filter).toHaveAttribute('aria-invalid', 'true');
  // The address is a link to the same filter.
  await page.goto(`${console.url}events?session=vm&names=RESUME`);
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await expect(eventRows(page, 'STOP')).toHaveCount(0);
  await expect(page.getByLabel('Session', { exact: true })).toHaveValue('vm');
});

test('pause counts what comes, resume shows it, clear forgets it', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await execute(page, console, 'stop');
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await page.getByRole('button', { name: 'Pause' }).click();
  await execute(page, console, 'cont');
  await expect(page.getByRole('button', { name: 'Resume 1 new' })).toBeVisible();
  await expect(eventRows(page, 'RESUME')).toHaveCount(0);
  await page.getByRole('button', { name: 'Resume 1 new' }).click();
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(page.getByText('Cleared. Events appear here as they happen.')).toBeVisible();
});

test('a row opens to the whole event, by click and by key', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await execute(page, console, 'stop');
  await execute(page, console, 'cont');
  await eventRows(page, 'STOP').click();
  const detail = page.getByRole('region', { name: 'Event detail' });
  await expect(detail.getByRole('heading', { name: 'STOP' })).toBeVisible();
  await expect(detail.getByRole('treeitem', { name: /^timestamp/ })).toBeVisible();
  await eventRows(page, 'STOP').focus();
  await page.keyboard.press('ArrowUp');
  await expect(detail.getByRole('heading', { name: 'RESUME' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(detail).toBeHidden();
});

test('events of before the page was opened are there', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await execute(page, console, 'stop');
  await page.goto(`${console.url}events`);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
});

test('a flood of events leaves the page alive and its memory bounded', async ({ fake, serve, page, directory }) => {
  // Each event is a frame that the browser reports to the test as well.
  test.setTimeout(180_000);
  const flood = { flood: { event: 'FLOOD', count: 110_000 } };
  const endpoint = await fake({ rules: { begin: [flood, { return: {} }] } });
  // With a journal, so that a page that is behind misses nothing.
  const console = await serve({ vm: endpoint }, ['--data-dir', join(directory, 'state')]);
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await execute(page, console, 'begin');
  await expect(page.getByText('100,000 rows, 10,000 older dropped')).toBeVisible({ timeout: 150_000 });
  // Only what is in sight is drawn.
  expect(await page.getByRole('table', { name: 'Events' }).getByRole('row').count()).toBeLessThan(100);
  await page.getByRole('combobox', { name: 'Filter by name' }).fill('NOTHING');
  await expect(page.getByText('0 rows')).toBeVisible();
});
