// A console behind a proxy, under a path of its own.

import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, goToCommand, seesSession, sendAndReturn } from '../support/pages.ts';

test('every page works under a base path', async ({ serve, vm, page }) => {
  const console = await serve({ vm }, ['--base-path', '/lab/qmp']);
  expect(console.url).toMatch(/\/lab\/qmp\/$/);
  await signIn(page, console);
  await expect(page).toHaveURL(console.url);
  await expect(page).toHaveTitle('Sessions · QMP Console');
  await seesSession(page, 'vm', 'running');

  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page).toHaveURL(`${console.url}events`);
  await expect(page.getByRole('link', { name: 'Events', exact: true })).toHaveAttribute('aria-current', 'page');
  await console.execute('stop');
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await page.getByRole('combobox', { name: 'Filter by name' }).fill('RESUME');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${console.url}events?names=RESUME`);

  await page.getByRole('link', { name: 'Commands', exact: true }).click();
  await page.getByLabel('Search commands').fill('query-status');
  await page.getByRole('link', { name: 'query-status', exact: true }).click();
  await expect(page).toHaveURL(`${console.url}commands/vm/query-status`);
  await sendAndReturn(page);
  await page.goBack();

  // By its address, as a link would.
  await goToCommand(page, console, 'vm', 'cont');
  await sendAndReturn(page);
  await page.getByRole('link', { name: 'QMP Console' }).click();
  await expect(page).toHaveURL(console.url);
  await seesSession(page, 'vm', 'running');
  await page.goto(`${console.url}nowhere/at/all`);
  await page.getByRole('link', { name: 'All sessions' }).click();
  await expect(page).toHaveURL(console.url);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(console.url);
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});
