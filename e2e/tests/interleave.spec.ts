// The commands of this tab between the events, when they are asked for.

import type { Locator, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, openCommand, reply, seesSession, send, sendAndReturn } from '../support/pages.ts';

const rows = (page: Page): Locator => page.getByRole('table', { name: 'Events' }).locator('[data-row]');
const detail = (page: Page): Locator => page.getByRole('region', { name: 'Command detail' });
const toggle = (page: Page): Locator => page.getByRole('button', { name: 'Show my commands' });
const commandRow = (page: Page, name: string | RegExp): Locator => rows(page).filter({ hasText: name });

async function start(page: Page, console: Console): Promise<void> {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
}

async function sendFrom(page: Page, command: string): Promise<void> {
  await openCommand(page, 'vm', command);
  await sendAndReturn(page);
}

async function goToEvents(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
}

test('a request, the event that it caused, and its reply, in this order', async ({ console, page }) => {
  await start(page, console);
  for (const command of ['stop', 'cont']) await sendFrom(page, command);
  // Somebody else's are not the tab's.
  await console.execute('query-status');
  await goToEvents(page);
  await expect(rows(page)).toHaveCount(2);
  await expect(toggle(page)).toHaveAttribute('aria-pressed', 'false');
  await expect(toggle(page)).toHaveAttribute('title', /Only the session chooses among them/);
  await toggle(page).click();
  await expect(rows(page).locator('.name')).toHaveText([
    'Command cont returned',
    'RESUME',
    'Command cont sent',
    'Command stop returned',
    'STOP',
    'Command stop sent',
  ]);
  await expect(rows(page).first().locator('.data')).toHaveText(/^in [\d.]+ ms: \{\}$/);
  // The address has it, and names do not choose among them.
  await expect(page).toHaveURL(/\/events\?commands=true$/);
  await page.getByRole('combobox', { name: 'Filter by name' }).fill('STOP');
  await expect(rows(page)).toHaveCount(5);
  await expect(page.getByRole('link', { name: 'Only STOP 1 event' })).toBeVisible();
  await toggle(page).click();
  await expect(rows(page)).toHaveCount(1);
  await expect(page).toHaveURL(/\/events\?names=STOP$/);
  // The past has none: that is what the console keeps.
  await page.goto(`${console.url}events?commands=true&until=2020-01-01T00:00:00Z`);
  await expect(page.getByText('The log has no such event until then.')).toBeVisible();
  await expect(toggle(page)).toBeDisabled();
});

test('what the tab sends while the page is open, and what it opens to', async ({ console, page }) => {
  await start(page, console);
  const filled = encodeURIComponent('{"path":"/machine","property":"type"}');
  await page.goto(`${console.url}commands/vm/qom-get?arguments=${filled}`);
  await sendAndReturn(page);
  await openCommand(page, 'vm', 'qom-list-types');
  await sendAndReturn(page);
  await goToEvents(page);
  await toggle(page).click();
  await expect(rows(page)).toHaveCount(4);

  // By the keyboard: the rows are walked like any.
  await commandRow(page, 'Command qom-get sent').focus();
  await page.keyboard.press('Enter');
  await expect(detail(page).getByRole('heading', { level: 2 })).toHaveText('qom-get');
  await expect(detail(page).getByText(/^returned in /)).toBeVisible();
  await expect(detail(page).getByRole('tree', { name: 'Arguments' })).toContainText('property: "type"');
  await expect(detail(page).getByRole('tree', { name: 'Reply' })).toContainText('"pc-q35-');
  await expect(detail(page).getByRole('button', { name: /Filter by this/, includeHidden: true })).toHaveCount(0);

  // A long reply is where its own page has it.
  await commandRow(page, 'Command qom-list-types returned').click();
  await expect(detail(page).getByText('None.', { exact: true })).toBeVisible();
  await expect(detail(page).getByRole('tree', { name: 'Reply' })).toContainText('{"name": "');

  // The link fills in, and sends nothing.
  await commandRow(page, 'Command qom-get returned').click();
  await detail(page).getByRole('link', { name: 'Open the command with this filled in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'qom-get' })).toBeVisible();
  await expect(page.getByLabel('property', { exact: true })).toHaveValue('type');
  // They are shown still.
  await goToEvents(page);
  await expect(rows(page)).toHaveCount(4);
});

test('one on its way, one that failed, and one with a secret', async ({ fake, serve, page }) => {
  const markup = '<img src=x onerror="window.hacked=1">\u202e';
  const endpoint = await fake({
    rules: {
      [markup]: [{ event: { name: 'SEEN' } }, { error: { class: 'GenericError', desc: markup } }],
      slow: [{ event: { name: 'BEGUN' } }, { hold: { until: 'go' } }, { event: { name: 'ENDED' } }, { return: [1] }],
      go: [{ return: {} }],
      set_password: [{ return: { again: 'hunter2' } }],
    },
  });
  const console = await serve({ vm: endpoint });
  await start(page, console);
  await page.goto(`${console.url}commands/vm/${encodeURIComponent(markup)}`);
  await send(page);
  await expect(reply(page).getByRole('alert')).toBeVisible();
  await goToEvents(page);
  await toggle(page).click();
  await expect(eventRows(page, 'SEEN')).toHaveCount(1);
  const failed = rows(page).filter({ hasText: 'failed' });
  await expect(failed.locator('.name')).toHaveText('Command <img src=x onerror="window.hacked=1">\\u202e failed');
  await failed.click();
  await expect(detail(page).getByText('GenericError')).toBeVisible();
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);

  await page.goto(`${console.url}commands/vm/slow`);
  await send(page);
  await goToEvents(page);
  await expect(rows(page).first()).toContainText('BEGUN');
  await commandRow(page, 'Command slow sent').click();
  await expect(detail(page).getByText('on its way')).toBeVisible();
  await expect(detail(page).getByText('No reply yet.')).toBeVisible();
  await console.execute('go');
  await expect(detail(page).getByText(/^returned in /)).toBeVisible();
  await expect(detail(page).getByRole('tree', { name: 'Reply' })).toContainText('0: 1');
  await expect(rows(page).locator('.name')).toHaveText([
    'Command slow returned',
    'ENDED',
    'BEGUN',
    'Command slow sent',
    'SEEN',
  ]);

  const secret = encodeURIComponent('{"protocol":"vnc","password":"hunter2"}');
  await page.goto(`${console.url}commands/vm/set_password?arguments=${secret}`);
  await sendAndReturn(page);
  await goToEvents(page);
  const row = commandRow(page, 'Command set_password sent');
  await expect(row).toContainText('arguments not kept: they seem to have a secret in them');
  await row.click();
  await expect(detail(page).getByText('Not kept: they seem to have a secret in them.')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Events' })).not.toContainText('hunter2');
  const link = detail(page).getByRole('link', { name: 'Open the command with this filled in' });
  await expect(link).not.toHaveAttribute('href', /hunter2/);
});
