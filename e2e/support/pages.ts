// The console's pages as a user finds them: by roles and labels.

import type { Locator, Page } from '@playwright/test';

import type { Console } from './console.ts';
import { expect } from './fixtures.ts';

/** The row of a session on their page. */
export function sessionRow(page: Page, name: string): Locator {
  return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
}

/** Waits until the page says that the session is in this state. */
export async function seesSession(page: Page, name: string, state: string, timeout = 5_000): Promise<void> {
  await expect(sessionRow(page, name).getByRole('cell').first()).toHaveText(state, { timeout });
}

/** Opens the page of a command without loading the page anew. */
export async function openCommand(page: Page, session: string, command: string): Promise<void> {
  await page.getByRole('link', { name: 'Commands', exact: true }).click();
  await page.getByLabel('Session', { exact: true }).selectOption(session);
  await page.getByLabel('Search commands').fill(command);
  await page.getByRole('link', { name: command, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: command, exact: true })).toBeVisible();
}

/** Opens the page of a command by its address, as a link would. */
export async function goToCommand(page: Page, console: Console, session: string, command: string): Promise<void> {
  await page.goto(`${console.url}commands/${session}/${command}`);
  await expect(page.getByRole('heading', { level: 1, name: command, exact: true })).toBeVisible();
}

/** Presses Send. */
export async function send(page: Page): Promise<void> {
  await page.getByRole('form', { name: 'Command' }).getByRole('button', { name: 'Send' }).click();
}

/** Where the reply is shown. */
export function reply(page: Page): Locator {
  return page.getByRole('region', { name: 'Reply' });
}

/** Sends the command and waits until it returned. */
export async function sendAndReturn(page: Page): Promise<void> {
  await send(page);
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
}

/** The rows of the events page that name this event. */
export function eventRows(page: Page, name: string): Locator {
  const table = page.getByRole('table', { name: 'Events' });
  return table.getByRole('row').filter({ has: page.getByRole('cell', { name, exact: true }) });
}

/** Does not wait for the page's next attempt to reach the console. */
export async function connectNow(page: Page): Promise<void> {
  // It may have made the attempt by itself meanwhile.
  const button = page.getByRole('button', { name: 'Connect now' });
  const connected = page.getByText('Connected', { exact: true });
  await expect(async () => {
    if (await button.isVisible()) await button.click({ timeout: 500 });
    await expect(connected).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 15_000 });
}
