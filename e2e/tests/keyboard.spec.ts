// The whole way without a mouse, the global keys, and what was missed.

import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, reply, seesSession } from '../support/pages.ts';
import { Way } from '../support/way.ts';

test('from signing in to the detail of an event by keyboard alone', async ({ console, page }) => {
  // A key at a time, through lists that are long.
  test.setTimeout(90_000);
  await page.goto(console.url);
  await expect(page.getByLabel('Token')).toBeFocused();
  await page.keyboard.type(console.token);
  await page.keyboard.press('Enter');
  await seesSession(page, 'vm', 'running');
  await expect(page.locator('#main')).toBeFocused();

  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox', { name: 'Search everything' })).toBeFocused();
  await page.keyboard.type('human monitor');
  await expect(page.getByRole('option', { selected: true })).toHaveText(/^human-monitor-command/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'human-monitor-command' })).toBeVisible();

  // From the page to its form by Tab.
  const line = page.getByLabel('command-line', { exact: true });
  await expect(line).toBeVisible();
  await expect(async () => {
    await page.keyboard.press('Tab');
    await expect(line).toBeFocused({ timeout: 50 });
  }).toPass();
  await page.keyboard.type('stop');
  await page.keyboard.press('Control+Enter');
  // What is dangerous is asked for; the answer is reached by keyboard too.
  const question = page.getByRole('dialog');
  await expect(question.or(reply(page).getByText(/^return in/)).first()).toBeVisible();
  if (await question.isVisible()) {
    await question.getByRole('button', { name: 'Send' }).focus();
    await page.keyboard.press('Enter');
  }
  await expect(reply(page).getByText(/^return in/)).toBeVisible();

  // While typing these are letters.
  await expect(line).toHaveValue('stop');
  await page.keyboard.press('Escape');
  await page.locator('#main').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
  await expect(page.locator('#main')).toBeFocused();
  const row = eventRows(page, 'STOP');
  await expect(row).toHaveCount(1);
  await expect(async () => {
    await page.keyboard.press('Tab');
    await expect(row).toBeFocused({ timeout: 50 });
  }).toPass();
  await page.keyboard.press('Enter');
  const detail = page.getByRole('region', { name: 'Event detail' });
  await expect(detail.getByRole('heading', { name: 'STOP', exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('region', { name: 'Event detail' })).toBeHidden();
});

test('g s, g c, g e go to the pages, / to the search box, ? shows the keys', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  const press = async (keys: string): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press('gc');
  await expect(page).toHaveTitle('Commands · vm · QMP Console');
  await expect(page.getByRole('link', { name: 'stop', exact: true })).toBeVisible();
  await press('/');
  await expect(page.getByLabel('Search commands')).toBeFocused();
  // There they are letters.
  await press('ge?/');
  await expect(page.getByLabel('Search commands')).toHaveValue('ge?/');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.getByLabel('Search commands').fill('stop');
  await page.keyboard.press('Enter');
  await expect(page).toHaveTitle('stop · vm · QMP Console');
  await page.locator('#main').focus();
  await press('ge');
  await expect(page).toHaveTitle('Events · QMP Console');
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
  await press('/');
  await expect(page.getByRole('combobox', { name: 'Filter by name' })).toBeFocused();
  await page.locator('#main').focus();
  await press('gs');
  await expect(page).toHaveTitle('Sessions · QMP Console');

  await press('?');
  const keys = page.getByRole('dialog', { name: 'Keys' });
  await expect(keys.getByRole('heading', { name: 'Everywhere' })).toBeVisible();
  await expect(keys.getByText('Send the command')).toBeVisible();
  // Not with a dialog open.
  await press('ge');
  await expect(keys).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(keys).toBeHidden();
  await expect(page).toHaveTitle('Sessions · QMP Console');
  await expect(page.locator('#main')).toBeFocused();
  // A page without a search box of its own searches everything.
  await press('/');
  await expect(page.getByRole('combobox', { name: 'Search everything' })).toBeFocused();
});

test('the skip link leads past the navigation, and the focus follows the page', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page.locator('#main')).toBeFocused();
  expect(page.url()).toBe(console.url);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Commands of vm' })).toBeFocused();

  await page.getByRole('link', { name: 'Events', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#main')).toBeFocused();
  await expect(page.getByRole('status').filter({ hasText: /^Events$/ })).toHaveCount(1);
  // Within a page it stays where it is.
  await page.getByRole('combobox', { name: 'Filter by name' }).focus();
  await page.keyboard.type('STOP');
  await expect(page).toHaveURL(/names=STOP/);
  await expect(page.getByRole('combobox', { name: 'Filter by name' })).toBeFocused();
});

test('after a sleep the page says what was missed', async ({ console, page }) => {
  const way = await Way.of(page);
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await way.cut();
  await expect(page.getByText('No connection to the console.')).toBeVisible();
  await console.execute('stop');
  await way.heal();
  const notice = page.getByRole('region', { name: 'While away' });
  await expect(notice).toContainText('Back. While away: 1 event, vm: running → paused.');
  await notice.getByRole('link', { name: 'Show events' }).click();
  await expect(notice).toBeHidden();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
});

test('a notice of what was missed can be dismissed, and nothing missed is no notice', async ({ console, page }) => {
  const way = await Way.of(page);
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await way.cut();
  await way.heal();
  await expect(page.getByText('Connected', { exact: true })).toBeVisible();
  const notice = page.getByRole('region', { name: 'While away' });
  await expect(notice).toBeHidden();
  await way.cut();
  await console.execute('stop');
  await way.heal();
  await notice.getByRole('button', { name: 'Dismiss' }).click();
  await expect(notice).toBeHidden();
  await expect(page.locator('#main')).toBeFocused();
});
