// The events page says what is in force, what is left out, and from when rows
// are.

import type { Locator, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, seesSession } from '../support/pages.ts';

const where = (page: Page): Locator => page.getByRole('combobox', { name: 'Where' });
const names = (page: Page): Locator => page.getByRole('combobox', { name: 'Filter by name' });
const rows = (page: Page): Locator => page.getByRole('table', { name: 'Events' }).locator('[data-row]');

async function goToEvents(page: Page, console: Console, query = ''): Promise<void> {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.goto(`${console.url}events${query}`);
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
}

async function openFile(page: Page, text: string): Promise<void> {
  const open = page.getByLabel('Open a file of events (NDJSON)');
  if (!(await open.isVisible())) await page.getByText('File', { exact: true }).click();
  await open.setInputFiles({ name: 'some.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(text) });
}

test('what is valid of a filter applies, and what is not is said; Escape leaves the text', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('stop');
  await console.execute('cont');
  await page.goto(`${console.url}events?names=STOP&where=%40.data.n+%3D`);
  await expect(rows(page)).toHaveCount(1);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  const said = page.getByText('“Where” is not valid: not applied.');
  await expect(said).toBeVisible();
  await where(page).press('Escape');
  await where(page).press('Escape');
  await expect(where(page)).toHaveValue('@.data.n =');
  await names(page).fill('RESUME');
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
  await where(page).fill('');
  await expect(said).toBeHidden();
});

test('the past is said to be no live list, and leads back', async ({ console, page }) => {
  await goToEvents(page, console, '?until=2030-01-01T00:00:00Z');
  await expect(page.getByText(/^The log until 20(29|30)-.*, not live\.$/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveAttribute('title', /Until/);
  await page.getByRole('link', { name: 'Show what is live' }).click();
  await expect(page).toHaveURL(/\/events$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(page.getByText('Cleared, and paused.')).toBeVisible();
});

test('what is wished for is no loss, and what is mistyped has a hint', async ({ console, page }) => {
  await goToEvents(page, console);
  await console.disconnect('vm');
  await expect(page.getByText('Disconnected by an operator', { exact: true })).toBeVisible();
  await expect(page.locator('.table .lost')).toHaveCount(0);
  await console.connect('vm');
  await expect(page.getByText('Connected to the endpoint')).toBeVisible();
  await names(page).fill('STPO');
  await page.getByRole('button', { name: 'STOP', exact: true }).click();
  await expect(names(page)).toHaveValue('STOP');
  await where(page).fill('data.id == 1');
  await expect(where(page)).toHaveAccessibleDescription('a path begins with `@`: write `@.data`, at column 1');
});

test('what a monitor sent is opened, with the dates of its events', async ({ console, page }) => {
  await goToEvents(page, console);
  const stop = '{"timestamp": {"seconds": 1700000000, "microseconds": 2}, "event": "STOP"}';
  await openFile(page, `{"QMP": {"capabilities": []}}\r\n{"return": {}}\r\n${stop}\r\n`);
  await expect(page.getByText('2 lines are no events, but other messages: they were skipped.')).toBeVisible();
  await expect(eventRows(page, 'STOP').getByRole('cell').first()).toHaveText(/^2023-11-1[45] \d\d:\d\d:20\.000$/);
  await expect(page.getByRole('img', { name: /^1 event in .* until 2023-11-/ })).toBeVisible();
  // What is cut off at its end is opened without that.
  await openFile(page, `${stop}\n${stop}\n${stop.slice(0, 40)}`);
  await expect(page.getByText(/1 line could not be read, and was left out: line 3: EOF while parsing/)).toBeVisible();
  await expect(eventRows(page, 'STOP')).toHaveCount(2);
  await openFile(page, stop);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  // It is still open when one comes back to the page.
  await page.getByRole('link', { name: 'Commands', exact: true }).click();
  await expect(page.getByLabel('Search commands')).toBeVisible();
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page.getByText('Events of the file some.ndjson, not of the console.')).toBeVisible();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  // Also in a narrow window.
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(eventRows(page, 'STOP').getByText('2023-11-1')).toBeInViewport();
  await page.setViewportSize({ width: 1280, height: 800 });
  await openFile(page, '[{"event": "STOP"}]');
  await expect(page.getByText('line 1: each line must be one JSON object')).toBeVisible();
  await openFile(page, '');
  await expect(page.getByText('The file has no events.')).toBeVisible();
});

test('excluding a value that events were filtered by replaces the condition', async ({ console, page }) => {
  await goToEvents(page, console, '?where=%40.event+%3D%3D+%22STOP%22');
  await console.execute('stop');
  await eventRows(page, 'STOP').click();
  await page.getByRole('link', { name: 'Exclude this name' }).click();
  await expect(where(page)).toHaveValue('@.event != "STOP"');
});
