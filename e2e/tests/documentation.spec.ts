// What the manual says of commands: where it is shown, and how it is searched.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, seesSession, sendAndReturn } from '../support/pages.ts';

/** The part of the page beside the form. */
function documentation(page: Page): Locator {
  return page.getByRole('region', { name: 'Documentation' });
}

/** The commands' side of the page. */
function commands(page: Page): Locator {
  return page.getByRole('region', { name: 'Commands' });
}

/** The names of the list's parts, from above. */
async function parts(page: Page): Promise<string[]> {
  return await commands(page).getByRole('heading', { level: 2 }).allTextContents();
}

test('a command, its arguments, its return and its examples', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'block-stream');
  const beside = documentation(page);
  await expect(beside).toContainText('Copy data from a backing file into a block device.');
  await expect(beside).toContainText('QEMU 7.2');
  await expect(beside.getByRole('heading', { level: 3 })).toHaveText(['Arguments', 'Returns', 'Examples']);
  await expect(beside).toContainText('If device does not exist, DeviceNotFound.');
  await expect(beside.getByRole('term').filter({ hasText: 'Since' })).toBeVisible();
  // Within the form, in brief; the rest on demand.
  const form = page.getByRole('form', { name: 'Command' });
  await expect(page.getByLabel('device', { exact: true })).toHaveAccessibleDescription('the device or node name of the top image');
  await expect(form.getByText('The backing file string to write into the top image.')).toBeVisible();
  const rest = form.getByText('If a pathname string is such that it cannot be resolved by QEMU');
  await expect(rest).toBeHidden();
  await form.getByRole('button', { name: 'More about backing-file' }).click();
  await expect(rest).toBeVisible();
  await form.getByRole('button', { name: 'Less about backing-file' }).click();
  await expect(rest).toBeHidden();
});

test('members of nested structures and values of enums', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'blockdev-add');
  const form = page.getByRole('form', { name: 'Command' });
  await expect(form.getByText('whether to enable the lazy refcounts feature')).toBeHidden();
  await page.getByLabel('driver', { exact: true }).selectOption('qcow2');
  // Of the chosen variant.
  await expect(form.getByText('whether to enable the lazy refcounts feature')).toBeVisible();
  await page.getByLabel('Include discard').first().check();
  const discard = page.getByLabel('discard', { exact: true });
  await discard.selectOption('unmap');
  await expect(form.getByText('Forward as an unmap request')).toBeVisible();
  await expect(discard.locator('option[value=ignore]')).toHaveAttribute('title', 'Ignore the request');
  const type = documentation(page).getByRole('group').filter({ hasText: 'BlockdevDiscardOptions' }).first();
  await type.getByText('BlockdevDiscardOptions').click();
  await expect(type.getByRole('heading', { name: 'Values' })).toBeVisible();
  // Past an alternate, and deeper.
  const file = page.getByRole('group', { name: 'file', exact: true });
  await file.getByLabel('driver', { exact: true }).selectOption('file');
  await expect(file.getByLabel('filename', { exact: true })).toHaveAccessibleDescription('path to the image file');
  // Beside the form, types are there for the asking.
  const qcow2 = documentation(page).getByText('if driver is qcow2', { exact: true });
  await expect(documentation(page).getByText('lazy-refcounts')).toHaveCount(0);
  await qcow2.click();
  await expect(documentation(page).getByText('lazy-refcounts')).toBeVisible();
});

test('an example is edited before it is sent', async ({ console, page, request }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'set_link');
  await documentation(page).getByRole('button', { name: 'Use this example' }).click();
  const json = page.getByRole('textbox', { name: 'Message' });
  await expect(json).toBeFocused();
  await expect(json).toHaveValue(/"name": "e1000.0"/);
  await page.getByRole('button', { name: 'Form' }).click();
  await expect(page.getByLabel('name', { exact: true })).toHaveValue('e1000.0');
  const session = await request.get(console.api('sessions/vm'), { headers: console.authorization });
  expect((await session.json()).counters.commands).toBe(0);
});

test('an agent has documentation, though no form', async ({ serve, agent, page }) => {
  const console = await serve({ agent });
  await signIn(page, console);
  await goToCommand(page, console, 'agent', 'guest-exec');
  await expect(documentation(page)).toContainText('Execute a command in the guest');
  await expect(documentation(page)).toContainText('path or executable name to execute');
  await page.getByLabel('Search commands').fill('trim');
  await expect(commands(page).getByRole('link', { name: /^guest-fstrim/ })).toBeVisible();
});

test('documentation stays as it was left, and on a phone starts closed', async ({ console, page }) => {
  await signIn(page, console);
  await page.setViewportSize({ width: 390, height: 844 });
  await goToCommand(page, console, 'vm', 'query-status');
  const text = documentation(page).getByText('StatusInfo reflecting all VCPUs');
  await expect(page.getByText('Query the run status of all VCPUs')).toBeVisible();
  await expect(text).toHaveCount(0);
  const title = documentation(page).getByText('Documentation', { exact: true });
  await title.click();
  await expect(text).toBeVisible();
  await goToCommand(page, console, 'vm', 'query-status');
  await expect(text).toBeVisible();
  await title.click();
  await page.setViewportSize({ width: 1440, height: 900 });
  await goToCommand(page, console, 'vm', 'query-status');
  await expect(title).toBeVisible();
  await expect(text).toHaveCount(0);
});

test('commands are found by their documentation, after those that are by name', async ({ console, page }) => {
  await signIn(page, console);
  await page.goto(`${console.url}commands/vm`);
  const list = commands(page);
  await expect(list.getByRole('link', { name: 'block-commit', exact: true })).toBeVisible();
  await page.getByLabel('Search commands').fill('dirty bitmap');
  await expect(list.getByRole('list', { name: 'Names' }).getByRole('link').first()).toHaveText('block-dirty-bitmap-add');
  const told = list.getByRole('list', { name: 'In the documentation' });
  const backup = told.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'blockdev-backup', exact: true }) });
  await expect(backup).toContainText('The name of a dirty bitmap to use.');
  await expect(backup.locator('mark')).toHaveText('dirty bitmap');
  // Deep in a type of an argument.
  await page.getByLabel('Search commands').fill('lazy refcounts');
  await expect(told.getByRole('link').first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: /^blockdev-/ })).toBeVisible();
});

test('the list is grouped as the manual is, favourites and recent ones first', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.goto(`${console.url}commands/vm`);
  await expect.poll(async () => (await parts(page)).slice(0, 3)).toEqual(['VM run state', 'Block devices', 'Character devices']);
  const list = commands(page);
  await expect(list.getByRole('list', { name: 'VM run state' }).getByRole('link')).toHaveText(
    ['query-status', 'watchdog-set-action', 'set-action'],
  );
  const star = list.getByRole('list', { name: 'QMP introspection' }).getByRole('button');
  await star.click();
  await expect(star).toHaveAttribute('aria-pressed', 'true');
  await goToCommand(page, console, 'vm', 'query-status');
  await sendAndReturn(page);
  await goToCommand(page, console, 'vm', 'query-name');
  await sendAndReturn(page);
  await page.goto(`${console.url}commands/vm`);
  await expect.poll(async () => (await parts(page)).slice(0, 3)).toEqual(['Favourites', 'Recent', 'VM run state']);
  await expect(list.getByRole('list', { name: 'Recent' }).getByRole('link')).toHaveText(['query-name', 'query-status']);
  const favourites = list.getByRole('list', { name: 'Favourites' });
  await expect(favourites.getByRole('link')).toHaveText(['query-qmp-schema']);
  // By the keyboard: down to it, to its star, and away with it.
  await page.getByLabel('Search commands').focus();
  await page.keyboard.press('ArrowDown');
  await expect(favourites.getByRole('link')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByLabel('Search commands')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await expect(favourites.getByRole('button')).toBeFocused();
  await page.keyboard.press('Space');
  await expect(favourites).toBeHidden();
});

test.describe('a host without the manual', () => {
  test.beforeEach(({ directory }) => {
    mkdirSync(join(directory, 'man'));
    process.env['MANPATH'] = join(directory, 'man');
  });
  test.afterEach(() => {
    delete process.env['MANPATH'];
  });

  test('says so, and how to get it', async ({ console, page }) => {
    await signIn(page, console);
    await goToCommand(page, console, 'vm', 'query-status');
    await expect(documentation(page)).toContainText("The console's host has no manual page qemu-qmp-ref(7)");
    await expect(documentation(page)).toContainText('qemu-system-common');
    await expect(commands(page).getByRole('link', { name: 'query-status', exact: true })).toBeVisible();
    expect(await parts(page)).toEqual([]);
    await sendAndReturn(page);
  });

  test('or with that of another version, whose text is shown as text', async ({ console, directory, page }) => {
    const section = join(directory, 'man', 'man7');
    mkdirSync(section);
    const roff = [
      '.TH "QEMU-QMP-REF" "7" "Nov 25, 2026" "9.9.9" "QEMU"',
      '.SH <B>CHAPTER</B>',
      '.SS query-status (Command)',
      '<img src=x onerror=alert(1)> asks how it is',
    ];
    writeFileSync(join(section, 'qemu-qmp-ref.7'), roff.join('\n'));
    await signIn(page, console);
    await goToCommand(page, console, 'vm', 'query-status');
    await expect(documentation(page)).toContainText('QEMU 9.9.9');
    await expect(documentation(page)).toContainText(/The endpoint is QEMU 7\.2\.\d+/);
    await expect(documentation(page)).toContainText('<img src=x onerror=alert(1)> asks how it is');
    await expect(commands(page).getByRole('list', { name: '<B>CHAPTER</B>' }).getByRole('link')).toHaveText(['query-status']);
    await goToCommand(page, console, 'vm', 'query-name');
    await expect(documentation(page)).toContainText('The manual does not have this command.');
  });
});
