// A transaction that is composed of several commands.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, openCommand, reply, seesSession, send, sendAndReturn } from '../support/pages.ts';

const tray = (page: Page): Locator => page.getByRole('region', { name: 'Transaction' });
const add = (page: Page): Locator => page.getByRole('button', { name: 'Add to transaction' });
const message = (page: Page): Locator => page.getByLabel('Message', { exact: true });

interface Bitmap {
  name: string;
  persistent: boolean;
}

/** The dirty bitmaps of the disk, as QEMU has them. */
async function bitmaps(console: Console): Promise<Bitmap[]> {
  const nodes = (await console.execute('query-named-block-nodes')) as {
    'node-name': string;
    'dirty-bitmaps'?: Bitmap[];
  }[];
  return nodes.find((node) => node['node-name'] === 'disk0')?.['dirty-bitmaps'] ?? [];
}

/** Enters a bitmap for the disk. */
async function enter(page: Page, name: string): Promise<void> {
  await page.getByLabel('node', { exact: true }).fill('disk0');
  await page.getByLabel('name', { exact: true }).fill(name);
}

test('two bitmaps are made by one transaction', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'block-dirty-bitmap-add');
  await expect(tray(page)).toBeHidden();
  // What is not complete cannot be added.
  await add(page).click();
  await expect(page.getByLabel('node', { exact: true })).toBeFocused();
  await expect(tray(page)).toBeHidden();
  await enter(page, 'first');
  await add(page).click();
  await expect(tray(page).getByRole('heading')).toHaveText('Transaction (1)');
  await enter(page, 'second');
  await page.getByLabel('Include persistent', { exact: true }).check();
  await page.getByLabel('persistent', { exact: true }).check();
  await add(page).click();
  await expect(tray(page).getByRole('heading')).toHaveText('Transaction (2)');
  await enter(page, 'third');
  await add(page).click();
  await tray(page).getByRole('button', { name: 'Move up action 2, block-dirty-bitmap-add' }).click();
  await tray(page).getByRole('button', { name: 'Remove action 3, block-dirty-bitmap-add' }).click();
  await expect(tray(page).getByRole('listitem')).toContainText(['second', 'first']);
  await page.reload();
  await expect(tray(page).getByRole('listitem')).toContainText(['second', 'first']);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
  // It is there on other pages of the session, which say when they are none of it.
  await openCommand(page, 'vm', 'query-block');
  await expect(add(page)).toBeHidden();
  await expect(tray(page)).toContainText('query-block cannot be part of a transaction');

  await tray(page).getByRole('button', { name: 'Open as command' }).click();
  await expect(page).toHaveURL(`${console.url}commands/vm/transaction`);
  await expect(page.getByRole('group', { name: 'actions[1]' }).getByLabel('type', { exact: true })).toHaveValue(
    'block-dirty-bitmap-add',
  );
  await expect(message(page)).toHaveText(
    '{"execute":"transaction","arguments":{"actions":[' +
      '{"type":"block-dirty-bitmap-add","data":{"node":"disk0","name":"second","persistent":true}},' +
      '{"type":"block-dirty-bitmap-add","data":{"node":"disk0","name":"first"}}]}}',
  );
  // Opening has sent nothing.
  expect(await bitmaps(console)).toEqual([]);
  await sendAndReturn(page);
  expect((await bitmaps(console)).map(({ name }) => name).sort()).toEqual(['first', 'second']);
});

test('adding goes on from what was changed on the page of the command', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'block-dirty-bitmap-add');
  await enter(page, 'first');
  await add(page).click();
  await tray(page).getByRole('button', { name: 'Open as command' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'transaction' })).toBeVisible();
  // The form is the transaction now.
  await expect(tray(page)).toBeHidden();
  await page.getByRole('group', { name: 'actions[0]' }).getByLabel('name', { exact: true }).fill('changed');
  await openCommand(page, 'vm', 'block-dirty-bitmap-add');
  await expect(tray(page).getByRole('listitem')).toContainText(['changed']);
  await page.getByRole('button', { name: 'JSON', exact: true }).click();
  await page
    .getByRole('textbox', { name: 'Message' })
    .fill('{"execute": "block-dirty-bitmap-remove", "arguments": {"node": "disk0", "name": "none"}}');
  await add(page).click();
  await expect(tray(page).getByRole('listitem')).toContainText(['changed', 'block-dirty-bitmap-remove']);
  // The page of the command still shows what it did: it can be filled in anew.
  await openCommand(page, 'vm', 'transaction');
  await tray(page).getByRole('button', { name: 'Fill in' }).click();
  await expect(tray(page)).toBeHidden();
  await expect(message(page)).toContainText('"name":"changed"');
  await expect(message(page)).toContainText('"name":"none"');
  // All or nothing.
  await send(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await expect(reply(page).getByRole('alert')).toContainText("Dirty bitmap 'none' not found");
  expect(await bitmaps(console)).toEqual([]);
});

test('a transaction is kept in the tab alone, and not shared by sessions', async ({ vm, storage, serve, page }) => {
  const console = await serve({ vm, storage });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'block-dirty-bitmap-add');
  await enter(page, 'hunter2');
  await add(page).click();
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('hunter2');
  await openCommand(page, 'storage', 'block-dirty-bitmap-add');
  await expect(add(page)).toBeVisible();
  await expect(tray(page)).toBeHidden();
  await openCommand(page, 'vm', 'query-status');
  await expect(tray(page)).toContainText('hunter2');
  await tray(page).getByRole('button', { name: 'Clear' }).click();
  await expect(tray(page)).toBeHidden();
  await page.reload();
  await goToCommand(page, console, 'vm', 'query-status');
  await expect(add(page)).toBeHidden();
});
