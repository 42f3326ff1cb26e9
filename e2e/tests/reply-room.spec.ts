// What a reply has room for, and that its tools stay in sight.

import type { Page } from '@playwright/test';

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, send, sendAndReturn } from '../support/pages.ts';

/** How many whole lines of the tree are in sight. */
async function linesInSight(page: Page): Promise<number> {
  const box = await reply(page).getByRole('tree').boundingBox();
  return Math.floor((box?.height ?? 0) / 22);
}

for (const [width, height] of [[1280, 720], [1440, 900], [390, 844]] as const) {
  test(`the search stays in sight while it is typed into: ${width}x${height}`, async ({ console, page }) => {
    await page.setViewportSize({ width, height });
    await signIn(page, console);
    for (const [command, wanted] of [['qom-list-types', 'virtio-net'], ['query-commands', 'set']] as const) {
      await goToCommand(page, console, 'vm', command);
      await sendAndReturn(page);
      const search = page.getByLabel('Search in the reply');
      await search.pressSequentially(wanted);
      await expect(reply(page).getByText(/^1 of /)).toBeInViewport();
      await expect(reply(page).getByRole('treeitem', { selected: true })).toBeInViewport();
      // Nothing covers it or its buttons.
      await search.click({ trial: true });
      await reply(page).getByRole('button', { name: 'Next match' }).click();
      await expect(reply(page).getByText(/^2 of /)).toBeInViewport();
      await expect(search).toBeInViewport({ ratio: 1 });
      await expect(reply(page).getByRole('treeitem', { selected: true })).toBeInViewport();
    }
  });
}

test('most of a reply is what was returned, also in a low window', async ({ console, page }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await signIn(page, console);
  for (const command of ['query-named-block-nodes', 'qom-list-types']) {
    await goToCommand(page, console, 'vm', command);
    await sendAndReturn(page);
    expect(await linesInSight(page)).toBeGreaterThanOrEqual(14);
  }
});

test('folded documentation takes no column, and follows the window until somebody folds it', async ({ console, page }) => {
  await page.setViewportSize({ width: 1000, height: 900 });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-named-block-nodes');
  const folded = page.locator('.documentation > details');
  await expect(folded).not.toHaveAttribute('open');
  await page.setViewportSize({ width: 2560, height: 1440 });
  await expect(folded).toHaveAttribute('open');
  await sendAndReturn(page);
  await page.locator('summary').filter({ hasText: 'Documentation' }).click();
  await expect(folded).not.toHaveAttribute('open');
  const [documentation, shown] = await Promise.all([folded.boundingBox(), reply(page).boundingBox()]);
  expect(shown?.x).toBeCloseTo(documentation?.x ?? 0, -1);
  expect((shown?.x ?? 0) + (shown?.width ?? 0)).toBeCloseTo(2560, -1);
  await page.setViewportSize({ width: 1000, height: 900 });
  await page.setViewportSize({ width: 2560, height: 1440 });
  await expect(folded).not.toHaveAttribute('open');
});

test('the error that ends the repeating says so', async ({ fake, serve, page }) => {
  const endpoint = await fake({ rules: { 'query-qmp-schema': [{ return: [] }], 'query-it': [{ return: { n: 1 } }] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-it');
  await sendAndReturn(page);
  await reply(page).getByRole('button', { name: 'Repeat', exact: true }).click();
  await expect(reply(page).getByText('no changes')).toBeVisible();
  await endpoint.stop();
  await expect(reply(page).getByRole('alert')).toBeVisible();
  await expect(reply(page).getByText('Repeating stopped: it was answered by an error.')).toBeVisible();
});

test('an error speaks of no argument that there is not', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'balloon');
  await page.getByLabel('value', { exact: true }).fill('0');
  await send(page);
  await expect(reply(page).getByRole('alert')).toBeVisible();
  await expect(reply(page).getByText('It speaks of the argument')).toBeHidden();
  await goToCommand(page, console, 'vm', 'block_resize');
  await page.getByRole('button', { name: 'JSON', exact: true }).click();
  const text = page.getByRole('form', { name: 'Command' }).getByRole('textbox').first();
  await text.fill('{"execute": "block_resize", "arguments": {"size": 1, "node-name": "nothing"}}');
  await send(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await reply(page).getByRole('button', { name: 'node-name', exact: true }).click();
  await expect(text).toBeFocused();
  const selected = await text.evaluate((element) => {
    const area = element as HTMLTextAreaElement;
    return area.value.slice(area.selectionStart, area.selectionEnd);
  });
  expect(selected).toBe('"node-name"');
});

test('arguments that stand in a type of their own are documented', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'block-dirty-bitmap-add');
  const documentation = page.getByRole('region', { name: 'Documentation' });
  await expect(documentation.getByRole('heading', { name: 'Arguments' })).toBeVisible();
  await expect(documentation.getByText('name of device/node which the bitmap is tracking')).toBeVisible();
  await expect(page.getByRole('form', { name: 'Command' }).getByText('name of device/node')).toBeVisible();
});
