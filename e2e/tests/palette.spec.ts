// The palette: one search over pages, sessions, commands and events.

import type { Locator, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, seesSession } from '../support/pages.ts';

/** The dialog. */
function palette(page: Page): Locator {
  return page.getByRole('dialog', { name: 'Search everything' });
}

/** Opens it by key, and waits until it is loaded. */
async function open(page: Page): Promise<Locator> {
  await page.keyboard.press('Control+k');
  const box = palette(page).getByRole('combobox', { name: 'Search everything' });
  await expect(box).toBeFocused();
  return box;
}

function results(page: Page): Locator {
  return palette(page).getByRole('listbox', { name: 'Results' }).getByRole('option');
}

/** The option that Enter would take. */
function active(page: Page): Locator {
  return results(page).and(page.locator('[aria-selected="true"]'));
}

async function start(page: Page, console: Console): Promise<void> {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
}

test('a command is found by a few letters, and opened, not executed', async ({ console, page }) => {
  await start(page, console);
  const box = await open(page);
  await expect(palette(page).getByText(/results$/)).toBeVisible();
  await box.fill('system reset');
  await expect(active(page)).toHaveText(/^system_reset · vm/);
  await expect(box).toHaveAttribute('aria-activedescendant', (await active(page).getAttribute('id')) ?? '');
  await page.keyboard.press('Enter');
  await expect(palette(page)).toBeHidden();
  await expect(page).toHaveURL(`${console.url}commands/vm/system_reset`);
  await expect(page.getByRole('heading', { level: 1, name: 'system_reset' })).toBeVisible();
  await expect(page.locator('#main')).toBeFocused();
  expect(await console.execute('query-status')).toMatchObject({ status: 'running' });
});

test('the commands of a guest agent are found before its page was opened', async ({ serve, vm, agent, page }) => {
  await start(page, await serve({ vm, agent }));
  await seesSession(page, 'agent', 'running');
  const box = await open(page);
  await box.fill('host name');
  await expect(active(page)).toHaveText(/^guest-get-host-name · agent/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'guest-get-host-name' })).toBeVisible();
});

test('pages, sessions and events are found too', async ({ console, page }) => {
  await start(page, console);
  let box = await open(page);
  await box.fill('job completed');
  await expect(active(page)).toHaveText(/^BLOCK_JOB_COMPLETED event/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${console.url}events?names=BLOCK_JOB_COMPLETED`);
  await expect(page.getByRole('combobox', { name: 'Filter by name' })).toHaveValue('BLOCK_JOB_COMPLETED');
  box = await open(page);
  await box.fill('sess');
  await expect(active(page)).toHaveText(/^Sessions/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Sessions' })).toBeVisible();
  box = await open(page);
  await box.fill('vm its events');
  await expect(active(page)).toHaveText(/^vm · its events/);
  // By mouse as well; the box keeps the focus until then.
  await active(page).click();
  await expect(page).toHaveURL(`${console.url}events?session=vm`);
});

test('a saved command is opened filled in, and not sent', async ({ console, page }) => {
  await start(page, console);
  await goToCommand(page, console, 'vm', 'set_link');
  const name = page.getByLabel('name', { exact: true });
  await name.fill('net0');
  await page.getByRole('button', { name: 'History', exact: true }).click();
  await page.getByLabel('Save this command as').fill('unplug it');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const choose = async (): Promise<void> => {
    const box = await open(page);
    await box.fill('unplug');
    await expect(active(page)).toHaveText(/^unplug it · set_link on vm saved command/);
    await page.keyboard.press('Enter');
    await expect(palette(page)).toBeHidden();
    await expect(page.getByRole('heading', { level: 1, name: 'set_link' })).toBeVisible();
    await expect(name).toHaveValue('net0');
    await expect(page.locator('#main')).toBeFocused();
  };
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await choose();
  // On its own page, twice, it replaces what is entered.
  for (const text of ['other', 'another']) {
    await name.fill(text);
    await choose();
  }
  await expect(reply(page).getByText('The reply appears here.')).toBeVisible();
});

test('arrows, Home, End and the page keys walk the results', async ({ console, page }) => {
  await start(page, console);
  await open(page);
  await expect(palette(page).getByText('The best 100 of', { exact: false })).toBeVisible();
  await expect(active(page)).toHaveText(/^Sessions/);
  await page.keyboard.press('ArrowDown');
  await expect(active(page)).toHaveText(/^Commands/);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(results(page).last()).toHaveAttribute('aria-selected', 'true');
  await expect(results(page).last()).toBeInViewport();
  await page.keyboard.press('Home');
  await expect(results(page).first()).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('PageDown');
  await expect(results(page).nth(8)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('PageUp');
  await expect(results(page).first()).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('End');
  await expect(results(page).last()).toHaveAttribute('aria-selected', 'true');
});

test('Escape closes it and gives the focus back; nothing found says what to try', async ({ console, page }) => {
  await start(page, console);
  const button = page.getByRole('button', { name: 'Search…' });
  await button.click();
  const box = palette(page).getByRole('combobox');
  await expect(box).toBeFocused();
  await box.fill('no such thing at all');
  await expect(palette(page).getByRole('heading', { name: 'Nothing found' })).toBeVisible();
  await expect(palette(page).getByText(/^Try part of a name/)).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(palette(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(palette(page)).toBeHidden();
  await expect(button).toBeFocused();
  // The key that opened it closes it, and it begins anew.
  await expect(await open(page)).toHaveValue('');
  await page.keyboard.press('Control+k');
  await expect(palette(page)).toBeHidden();
});

test('opened again at once, it stays open', async ({ console, page }) => {
  await start(page, console);
  const box = await open(page);
  await box.fill('a');
  // Within one task: the event that says it was closed comes after the second opening.
  await palette(page).evaluate((dialog: HTMLDialogElement) => {
    const told = new Promise((done) => dialog.addEventListener('close', done, { once: true }));
    dialog.close();
    document.querySelector<HTMLButtonElement>('button[aria-keyshortcuts="Control+K"]')?.click();
    return told.then(() => undefined);
  });
  await expect(palette(page).getByRole('combobox')).toBeFocused();
  await expect(palette(page).getByRole('combobox')).toHaveValue('');
});

test('keys in the palette stay there', async ({ console, page }) => {
  await start(page, console);
  await goToCommand(page, console, 'vm', 'stop');
  await open(page);
  await page.keyboard.press('Control+Enter');
  await page.keyboard.type('g e?');
  await expect(palette(page).getByRole('combobox')).toHaveValue('g e?');
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(`${console.url}commands/vm/stop`);
  await expect(reply(page).getByText(/^return in/)).toHaveCount(0);
  expect(await console.execute('query-status')).toMatchObject({ status: 'running' });
});

test('commands of other sessions, once they are known', async ({ serve, vm, storage, page }) => {
  const console = await serve({ vm, storage });
  await start(page, console);
  await seesSession(page, 'storage', 'running');
  await page.goto(`${console.url}commands/vm`);
  await expect(page.getByRole('link', { name: 'stop', exact: true })).toBeVisible();
  await page.getByLabel('Session', { exact: true }).selectOption('storage');
  await expect(page.getByRole('link', { name: 'block-export-add', exact: true })).toBeVisible();
  const box = await open(page);
  await box.fill('query-named-block-nodes');
  await expect(results(page)).toHaveText([/ · storage/, / · vm/]);
  await box.fill('query-named-block-nodes vm');
  await expect(results(page)).toHaveText([/ · vm/]);
});

test('what is kept in the browser is found', async ({ console, page }) => {
  await start(page, console);
  await page.evaluate(() => {
    const keep = (name: string, value: unknown): void => {
      localStorage.setItem(`qmp-console.${name}.admin`, JSON.stringify(value));
    };
    keep('favourite-commands', ['query-memdev']);
    keep('event-filters', [{ name: 'jobs of mine', names: 'JOB_*' }]);
  });
  const box = await open(page);
  await box.fill('jobs of');
  await expect(active(page)).toHaveText(/^jobs of mine · JOB_\* saved filter/);
  await box.fill('favourite');
  await expect(active(page)).toHaveText(/^query-memdev · vm favourite/);
});

test('colours and all keys are reached from it', async ({ console, page }) => {
  await start(page, console);
  let box = await open(page);
  await box.fill('theme dark');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  box = await open(page);
  await box.fill('shortcuts');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Keys' }).getByText('Go to Sessions')).toBeVisible();
});

test('it is loaded when it is opened first, and says when it cannot be', async ({ durable: console, page }) => {
  await start(page, console);
  await console.stop();
  await page.keyboard.press('Control+k');
  await expect(palette(page).getByRole('heading', { name: 'This could not be loaded' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(palette(page)).toBeHidden();
  await console.start();
  await open(page);
});
