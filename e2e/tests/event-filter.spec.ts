// The filter of the events page: by name, by expression, by a click, and kept.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, seesSession } from '../support/pages.ts';

const where = (page: Page): Locator => page.getByRole('combobox', { name: 'Where' });
const names = (page: Page): Locator => page.getByRole('combobox', { name: 'Filter by name' });
const rows = (page: Page): Locator => page.getByRole('table', { name: 'Events' }).locator('[data-row]');

/** An endpoint that sends these events when it is asked to `go`. */
const sending = (...events: object[]): object => ({
  rules: { go: [...events.map((event) => ({ event })), { return: {} }] },
});

const job = (id: string, status: string): object => ({ name: 'JOB_STATUS_CHANGE', data: { id, status } });

test('an expression filters what is there and what comes, and its fault has a column', async ({ fake, serve, page }) => {
  const endpoint = await fake(sending(job('a', 'created'), job('b', 'created'), job('a', 'concluded')));
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('go');
  await expect(rows(page)).toHaveCount(3);
  await where(page).fill('@.data.id == "a" && @.data.status != "created"');
  await expect(rows(page)).toHaveCount(1);
  await expect(where(page)).not.toHaveAttribute('aria-invalid');
  await console.execute('go');
  await expect(rows(page)).toHaveCount(2);
  // One that is wrong does not apply, and the page says what does.
  await where(page).fill('@.data.id = "a"');
  await expect(page.getByText('`=` is no operator: write `==`, at column 11')).toBeVisible();
  await expect(where(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByText('“Where” is not valid: @.data.id == "a" && @.data.status != "cr… still applies.')).toBeVisible();
  await expect(rows(page)).toHaveCount(2);
  // The address is a link to the same.
  await where(page).fill('@.data.id == "b"');
  await page.reload();
  await expect(rows(page)).toHaveCount(2);
  await expect(where(page)).toHaveValue('@.data.id == "b"');
});

test('names, fields and values are completed from the schema, by the keyboard', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  const schema = page.waitForResponse((answer) => answer.url().endsWith('/schema'));
  await names(page).focus();
  await (await schema).finished();
  await names(page).pressSequentially('job_st');
  await expect(page.getByRole('option', { name: 'JOB_STATUS_CHANGE' })).toBeVisible();
  await names(page).press('ArrowDown');
  await names(page).press('Enter');
  await expect(names(page)).toHaveValue('JOB_STATUS_CHANGE');
  await where(page).focus();
  await where(page).press('ArrowDown');
  const option = (name: string | RegExp): Locator => page.getByRole('option', { name });
  await expect(option(/^@\.data\.status enum: /)).toBeVisible();
  await where(page).pressSequentially('@.data.st');
  await where(page).press('ArrowDown');
  await expect(option(/^@\.data\.status/)).toHaveAttribute('aria-selected', 'true');
  await where(page).press('Enter');
  await where(page).pressSequentially(' == "conc');
  await expect(option('"concluded"')).toBeVisible();
  await where(page).press('Escape');
  await expect(option('"concluded"')).toBeHidden();
  await where(page).press('ArrowDown');
  await where(page).press('ArrowUp');
  await where(page).press('Enter');
  await expect(where(page)).toHaveValue('@.data.status == "concluded"');
  await expect(page.getByRole('listbox', { name: 'Where: suggestions' })).toBeHidden();
});

test('counts narrow by a click, and a name is excluded from its detail', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  for (const command of ['stop', 'cont', 'stop']) await console.execute(command);
  await page.getByRole('link', { name: 'Only STOP 2 events' }).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(names(page)).toHaveValue('STOP');
  await expect(page.getByRole('img', { name: /^2 events in the last / })).toBeVisible();
  await names(page).fill('');
  await eventRows(page, 'STOP').first().click();
  await page.getByRole('link', { name: 'Exclude this name' }).click();
  await expect(where(page)).toHaveValue('@.event != "STOP"');
  await expect(rows(page)).toHaveCount(1);
});

test('filters are kept by name and as recent ones, and deleted', async ({ console, page }) => {
  await signIn(page, console);
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await names(page).fill('BLOCK_JOB_*');
  await page.getByText('Filters', { exact: true }).click();
  await page.getByLabel('Save this filter as').fill('block jobs');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.keyboard.press('Escape');
  await names(page).fill('');
  await page.reload();
  await page.getByText('Filters', { exact: true }).click();
  await page.getByRole('link', { name: 'block jobs' }).click();
  await expect(names(page)).toHaveValue('BLOCK_JOB_*');
  await page.getByText('Filters', { exact: true }).click();
  await page.getByRole('button', { name: 'Delete the filter block jobs' }).click();
  await expect(page.getByRole('link', { name: 'block jobs' })).toHaveCount(0);
});

test('what is shown is a file, and a file is looked at without the console', async ({ fake, serve, page, directory }) => {
  const big = '18446744073709551615';
  const endpoint = await fake(sending({ name: 'BIG', data: { n: 1 } }, job('a', 'created')));
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('go');
  await expect(rows(page)).toHaveCount(2);
  await page.getByText('File', { exact: true }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export what is shown (NDJSON)' }).click();
  const path = join(directory, 'events.ndjson');
  await (await download).saveAs(path);
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^\{"session":"vm","seq":1,"received":"[0-9T:.-]+Z","event":\{.*"event":"BIG"/);

  const other = `{"seq":5,"received":"2026-01-01T00:00:00.000000Z","event":{"event":"OTHER","data":{"n":${big}}}}\n`;
  const open = page.getByLabel('Open a file of events (NDJSON)');
  await open.setInputFiles({ name: 'other.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(other) });
  await expect(page.getByText('Events of the file other.ndjson, not of the console.')).toBeVisible();
  await expect(rows(page)).toHaveCount(1);
  await where(page).fill(`@.data.n == ${big} && match(@.event, "OTH.*")`);
  await expect(eventRows(page, 'OTHER')).toHaveCount(1);
  await page.getByRole('button', { name: 'Close the file' }).click();
  await where(page).fill('');
  await expect(rows(page)).toHaveCount(2);
  await page.getByText('File', { exact: true }).click();
  await open.setInputFiles({ name: 'none.ndjson', mimeType: 'text/plain', buffer: Buffer.from('{}\nx') });
  await expect(page.getByText(/^none\.ndjson: line 1: missing field `event`/)).toBeVisible();
});
