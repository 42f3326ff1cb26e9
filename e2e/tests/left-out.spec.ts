// What a form has that a message cannot say, what is understood of what is
// typed, and finding and completing names.

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, seesSession, send } from '../support/pages.ts';

test('a value that is not valid is said wherever it is left out, and comes back', async ({ console, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'blockdev-add');
  await page.getByLabel('driver', { exact: true }).selectOption('null-co');
  await page.getByLabel('Include size').check();
  const size = page.getByLabel('size', { exact: true });
  await size.fill('1x');
  const form = page.getByRole('form', { name: 'Command' });
  await expect(form.getByText('Left out of the message, since it is not valid:')).toBeVisible();
  await expect(form.getByText('size: “1x” is not an integer')).toBeVisible();
  await page.getByRole('button', { name: 'Copy as…' }).click();
  const menu = page.getByRole('menu', { name: 'Copy as' });
  await expect(menu).toHaveAccessibleDescription('Without what is not valid: size');
  await page.getByRole('menuitem', { name: 'QMP message' }).click();
  await expect(page.getByText('Copied as QMP message. Without what is not valid: size')).toBeAttached();
  for (const view of ['JSON', 'Line']) {
    await page.getByRole('button', { name: view, exact: true }).click();
    await expect(form.getByText('In the form there is more, which is not valid and not in here:')).toBeVisible();
    await expect(form.getByText('size: “1x” is not an integer')).toBeVisible();
  }
  await page.getByLabel('Command line').fill('blockdev-add driver=null-co node-name=n0');
  await page.getByRole('button', { name: 'Form', exact: true }).click();
  await expect(page.getByLabel('node-name', { exact: true })).toHaveValue('n0');
  await expect(size).toHaveValue('1x');
  await send(page);
  await expect(form.getByText('This cannot be sent')).toBeVisible();
  await expect(size).toBeFocused();
  // Sizes as people type them.
  await size.fill('1.5 GiB');
  await expect(form.getByText('Left out of the message')).toHaveCount(0);
  await expect(size).toHaveAccessibleDescription(/Sent as 1,610,612,736: units are powers of 1,024\./);
  await expect(page.getByLabel('Message', { exact: true })).toContainText('"size":1610612736');
  await size.fill('1.3K');
  await expect(size).toHaveAccessibleDescription(/not a whole number of bytes/);
});

test('a line for qmp-shell says what it says there, or why it cannot', async ({ console, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'human-monitor-command');
  const line = page.getByLabel('command-line', { exact: true });
  await line.fill('info');
  await page.getByRole('button', { name: 'Copy as…' }).click();
  const item = page.getByRole('menuitem', { name: /^qmp-shell line/ });
  await item.click();
  await expect(page.getByText('Copied as qmp-shell line')).toBeAttached();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('human-monitor-command command-line=info');
  await line.fill('info status');
  await page.getByRole('button', { name: 'Copy as…' }).click();
  await expect(item).toHaveAttribute('aria-disabled', 'true');
  await expect(item).toContainText('qmp-shell splits a string at its blanks');
});

test('the documentation of a chosen value describes its control', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'drive-mirror');
  const sync = page.getByLabel('sync', { exact: true });
  await sync.selectOption('top');
  await expect(sync).toHaveAccessibleDescription(/copies data in the topmost image to the destination/);
});

test('initials find a command', async ({ console, page }) => {
  await signIn(page, console);
  await page.goto(`${console.url}commands/vm`);
  const search = page.getByLabel('Search commands');
  await search.fill('bda');
  await expect(page.getByRole('link', { name: 'blockdev-add', exact: true })).toBeVisible();
  await search.fill('qnbn');
  await expect(page.getByRole('link', { name: 'query-named-block-nodes', exact: true })).toBeVisible();
});

test('names of what there is complete what takes them', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('object-add', { 'qom-type': 'rng-random', id: 'entropy' });
  await console.execute('blockdev-add', { driver: 'null-co', 'node-name': 'nothing' });
  const completes = async (command: string, argument: string, typed: string, name: string, detail = ''): Promise<void> => {
    await goToCommand(page, console, 'vm', command);
    await page.getByLabel(argument, { exact: true }).pressSequentially(typed);
    await page.getByRole('option', { name: `${name}${detail}`, exact: true }).click();
    await expect(page.getByLabel(argument, { exact: true })).toHaveValue(name);
  };
  await console.execute('netdev_add', { type: 'user', id: 'slirp7' });
  await completes('netdev_del', 'id', 'sli', 'slirp7');
  await completes('object-del', 'id', 'ent', 'entropy', ' child<rng-random>');
  await completes('blockdev-del', 'node-name', 'no', 'nothing');
  await goToCommand(page, console, 'vm', 'job-cancel');
  await page.getByLabel('id', { exact: true }).focus();
  await expect(page.getByText('There are none now.')).toBeVisible();
  await goToCommand(page, console, 'vm', 'device_add');
  await page.getByLabel('Include bus').check();
  await page.getByLabel('bus', { exact: true }).pressSequentially('main');
  await expect(page.getByRole('option', { name: 'main-system-bus', exact: true })).toBeVisible();
  // A list that is cut says so.
  await page.getByLabel('driver', { exact: true }).pressSequentially('v');
  await expect(page.getByRole('option', { name: /^and [\d,]+ more: type more of it$/ })).toBeAttached();
});
