// The events page says what is wrong with what it was asked, offers what makes
// sense, and is found again as it was left.

import type { Locator, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, seesSession } from '../support/pages.ts';

const where = (page: Page): Locator => page.getByRole('combobox', { name: 'Where' });
const names = (page: Page): Locator => page.getByRole('combobox', { name: 'Filter by name' });
const rows = (page: Page): Locator => page.getByRole('table', { name: 'Events' }).locator('[data-row]');
const detail = (page: Page): Locator => page.getByRole('region', { name: 'Event detail' });

async function goToEvents(page: Page, console: Console): Promise<void> {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
}

/** An endpoint that sends these events when it is asked to `go`. */
const sending = (...names: string[]): object => ({
  rules: { go: [...names.map((name) => ({ event: { name } })), { return: {} }] },
});

test('a time that is none is said at its field, and so is a start', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('stop');
  await page.goto(`${console.url}events?until=garbage`);
  const until = page.getByLabel('Until', { exact: true });
  await expect(until).toHaveAttribute('aria-invalid', 'true');
  await expect(until).toHaveAccessibleDescription(/^“garbage” is no time such as /);
  await page.getByRole('link', { name: 'Show what is live' }).click();
  await expect(until).not.toHaveAttribute('aria-invalid');
  await expect(page).toHaveURL(/\/events$/);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await page.goto(`${console.url}events?since=2026-01-01T00:00:00Z`);
  await expect(until).toHaveAccessibleDescription('This page has no “since”: choose until when, and scroll back.');
  // What is chosen can be read, also on a phone.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${console.url}events?until=2026-12-31T22:58:59Z`);
  const cut = await until.evaluate((field: HTMLElement) => field.scrollWidth - field.clientWidth);
  expect(cut).toBeLessThanOrEqual(0);
});

test('a filter that is not valid is neither saved nor copied', async ({ console, page }) => {
  await goToEvents(page, console);
  await where(page).fill('@.data.id =');
  await page.getByText('Filters', { exact: true }).click();
  const buttons = [
    page.getByRole('button', { name: 'Save', exact: true }),
    page.getByRole('button', { name: 'Copy link to this filter' }),
  ];
  for (const button of buttons) {
    await expect(button).toBeDisabled();
    await expect(button).toHaveAccessibleDescription(/^The filter is not valid/);
  }
  await page.keyboard.press('Escape');
  await where(page).fill('@.data.id == "a"');
  await page.getByText('Filters', { exact: true }).click();
  for (const button of buttons) await expect(button).toBeEnabled();
});

test('suggestions come as soon as the schema does', async ({ console, page }) => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/schema', async (route) => {
    await held;
    await route.continue();
  });
  await goToEvents(page, console);
  await names(page).pressSequentially('job_st');
  const suggestion = page.getByRole('option', { name: 'JOB_STATUS_CHANGE' });
  await expect(names(page)).toHaveValue('job_st');
  await expect(suggestion).toHaveCount(0);
  release();
  await expect(suggestion).toBeVisible();
});

test('names that no event has may mean others, which are taken by a click', async ({ console, page }) => {
  await goToEvents(page, console);
  await console.execute('stop');
  await names(page).fill('stop Resume');
  await expect(page.getByText('No such event is known. Use')).toBeVisible();
  await page.getByRole('button', { name: 'STOP, RESUME' }).click();
  await expect(names(page)).toHaveValue('STOP, RESUME');
  await expect(names(page)).toBeFocused();
  await expect(page.getByText('No such event is known.')).toHaveCount(0);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
});

test('a field that no event has may mean another, which is taken by a click', async ({ console, page }) => {
  await goToEvents(page, console);
  await where(page).fill('@.data.guset == false');
  const hint = page.getByText('No such field is known: @.data.guset. Use');
  await expect(hint).toBeVisible();
  await page.getByRole('button', { name: '@.data.guest', exact: true }).click();
  await expect(where(page)).toHaveValue('@.data.guest == false');
  await expect(where(page)).toBeFocused();
  await expect(hint).toHaveCount(0);
  // It is one of other events.
  await names(page).fill('JOB_STATUS_CHANGE');
  await expect(page.getByText('No such field is known: @.data.guest.')).toBeVisible();
});

test('all names are offered when asked for', async ({ fake, serve, page }) => {
  const many = Array.from({ length: 20 }, (_, at) => `EVENT_${at}`);
  const console = await serve({ vm: await fake(sending(...many)) });
  await goToEvents(page, console);
  await console.execute('go');
  const more = page.getByRole('button', { name: 'and 8 other names' });
  await more.click();
  const fewer = page.getByRole('button', { name: 'Fewer names' });
  await expect(fewer).toBeFocused();
  await expect(fewer).toHaveAttribute('aria-expanded', 'true');
  await page.getByRole('link', { name: 'Only EVENT_9 1 event' }).click();
  await expect(rows(page)).toHaveCount(1);
  await names(page).fill('');
  await fewer.click();
  await expect(more).toHaveAttribute('aria-expanded', 'false');
});

test('a session is left out, and taken in again', async ({ fake, serve, page }) => {
  const console = await serve({
    vm: await fake(sending('FIRST'), 'vm'),
    other: await fake(sending('SECOND'), 'other'),
  });
  await goToEvents(page, console);
  for (const session of ['vm', 'other']) {
    const headers = console.authorization;
    await page.request.post(console.api(`sessions/${session}/execute`), { headers, data: { execute: 'go' } });
  }
  await eventRows(page, 'SECOND').click();
  await detail(page).getByRole('link', { name: 'Exclude this session' }).click();
  await expect(eventRows(page, 'SECOND')).toHaveCount(0);
  await expect(eventRows(page, 'FIRST')).toHaveCount(1);
  await expect(page).toHaveURL(/\/events\?except=other$/);
  await page.reload();
  await expect(eventRows(page, 'FIRST')).toHaveCount(1);
  await expect(eventRows(page, 'SECOND')).toHaveCount(0);
  await page.getByRole('link', { name: 'without other: show it again' }).click();
  await expect(eventRows(page, 'SECOND')).toHaveCount(1);
  // One session alone has nothing to leave out.
  await page.getByRole('link', { name: 'Only session other 1 event' }).click();
  await eventRows(page, 'SECOND').click();
  await expect(detail(page).getByRole('link', { name: 'Only this name' })).toBeVisible();
  await expect(detail(page).getByRole('link', { name: 'Exclude this session' })).toHaveCount(0);
});

test('names that hide something, and long ones, are filtered by', async ({ fake, serve, page }) => {
  const odd = 'A\u202eB\u0007,*<img src=x onerror=alert(1)>';
  const long = 'L'.repeat(300);
  const longer = 'M'.repeat(2_000);
  const console = await serve({ vm: await fake(sending(odd, long, longer, 'A')) });
  await goToEvents(page, console);
  await console.execute('go');
  await expect(rows(page)).toHaveCount(4);
  const shown = 'A\\u202eB\\u0007,*<img src=x onerror=alert(1)>';
  await eventRows(page, shown).click();
  await expect(detail(page).getByRole('heading', { level: 2 }).first()).toHaveText(shown);
  await detail(page).getByRole('link', { name: 'Only this name' }).click();
  await expect(where(page)).toHaveValue('@.event == "A\\u202eB\\u0007,*<img src=x onerror=alert(1)>"');
  await expect(rows(page)).toHaveCount(1);
  await where(page).fill('');
  await page.getByRole('link', { name: `Only ${'L'.repeat(100)}… 1 event` }).click();
  await expect(where(page)).toHaveValue(`@.event == "${long}"`);
  await expect(rows(page)).toHaveCount(1);
  await where(page).fill('');
  await eventRows(page, longer).click();
  for (const link of ['Only this name', 'Exclude this name']) {
    await expect(detail(page).getByText(`${link}: This value is too long to filter by.`)).toBeVisible();
  }
});

test('the page is found again as it was left, in this tab', async ({ console, page }) => {
  await goToEvents(page, console);
  const events = page.getByRole('link', { name: 'Events', exact: true });
  const follow = page.getByRole('button', { name: 'Follow' });
  await names(page).fill('STOP');
  await follow.click();
  await page.getByRole('link', { name: 'Commands', exact: true }).click();
  await expect(page.getByLabel('Search commands')).toBeVisible();
  await page.reload();
  await events.click();
  await expect(names(page)).toHaveValue('STOP');
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
  await page.reload();
  await expect(names(page)).toHaveValue('STOP');
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
  // On the page itself its link leads to all of it.
  await events.click();
  await expect(names(page)).toHaveValue('');
  // By keys as by the link.
  await names(page).fill('RESUME');
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await expect(page.getByRole('heading', { level: 1, name: 'Sessions' })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await expect(names(page)).toHaveValue('RESUME');
  // The next one to sign in here finds nothing of it.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await page.goto(console.url);
  await signIn(page, console);
  await events.click();
  await expect(names(page)).toHaveValue('');
});

test('a session that is unknown is said', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('stop');
  await page.goto(`${console.url}events?session=nobody`);
  await expect(page.getByText('The console has no session of this name.')).toBeVisible();
  await expect(page.getByLabel('Session', { exact: true })).toHaveValue('nobody');
  // A file may have sessions that the console does not.
  await page.getByText('File', { exact: true }).click();
  const buffer = Buffer.from('{"session":"nobody","seq":1,"event":{"event":"OLD"}}\n');
  const open = page.getByLabel('Open a file of events (NDJSON)');
  await open.setInputFiles({ name: 'old.ndjson', mimeType: 'application/x-ndjson', buffer });
  await expect(eventRows(page, 'OLD')).toHaveCount(1);
  await page.getByLabel('Session', { exact: true }).selectOption('vm');
  await expect(page.getByText('No event of the file passes this filter.')).toBeVisible();
});
