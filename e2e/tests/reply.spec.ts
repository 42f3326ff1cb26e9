// Reading a reply: as a tree, however large, and as it came; what changed, what
// changes, and what an error speaks of.

import type { Page } from '@playwright/test';

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, seesSession, send, sendAndReturn } from '../support/pages.ts';

/** 100,000 nodes in about 5 MB. */
function large(): unknown {
  const devices = [];
  for (let n = 0; n < 14_284; n += 1) {
    devices.push({
      'node-name': `#block${n}`,
      driver: 'qcow2',
      filename: `/var/lib/images/pool/${'x'.repeat(180)}-${n}.qcow2`,
      size: 1024 * n,
      ro: n % 2 === 0,
      note: `line ${n} ${'y'.repeat(40)}`,
    });
  }
  return devices;
}

/** Puts the clipboard under the test's eyes. */
async function clipboard(page: Page): Promise<string> {
  return await page.evaluate(() => navigator.clipboard.readText());
}

/** The longest distance between frames, in milliseconds, while `act` runs in the page. */
async function longestFrame(page: Page, act: () => Promise<void>): Promise<number> {
  await page.evaluate(() => {
    const watch = { longest: 0, last: performance.now(), on: true };
    (globalThis as unknown as { watch: typeof watch }).watch = watch;
    const frame = (): void => {
      const now = performance.now();
      watch.longest = Math.max(watch.longest, now - watch.last);
      watch.last = now;
      if (watch.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await act();
  return await page.evaluate(() => {
    const { watch } = globalThis as unknown as { watch: { longest: number; on: boolean } };
    watch.on = false;
    return watch.longest;
  });
}

test('a reply of megabytes: only what is in sight is drawn', async ({ fake, serve, page }) => {
  const endpoint = await fake({ rules: { 'query-qmp-schema': [{ return: [] }], 'query-large': [{ return: large() }] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-large');
  const opening = await longestFrame(page, async () => {
    await sendAndReturn(page);
    await expect(reply(page).getByRole('treeitem').first()).toBeVisible();
  });
  await expect(reply(page).getByText(/^99,989 values, 5,\d{3},\d{3} bytes$/)).toBeVisible();
  const tree = reply(page).getByRole('tree');
  await tree.focus();
  const expanding = await longestFrame(page, async () => {
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('End');
    await expect(reply(page).getByRole('treeitem', { name: /^note: "line 14283 / })).toBeVisible();
  });
  expect(await reply(page).getByRole('treeitem').count()).toBeLessThan(120);
  await page.keyboard.press('Home');
  const scrolling = await longestFrame(page, async () => {
    await tree.evaluate(async (element) => {
      for (let step = 0; step < 120; step += 1) {
        element.scrollTop += step < 60 ? 400 : 17_000;
        await new Promise(requestAnimationFrame);
      }
    });
  });
  const searching = await longestFrame(page, async () => {
    await page.getByLabel('Search in the reply').pressSequentially('line 9999');
    await expect(reply(page).getByText('1 of 1', { exact: true })).toBeVisible();
  });
  await expect(reply(page).getByRole('treeitem', { name: /^note: "line 9999 / })).toHaveAttribute('aria-selected', 'true');
  const figures = { opening, expanding, scrolling, searching };
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(0)} ms`);
  process.stdout.write(`Longest frames of a 5 MB reply: ${words.join(', ')}\n`);
});

test('the tree by keys: one tab stop, levels, opening and closing all', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-version');
  await sendAndReturn(page);
  const tree = reply(page).getByRole('tree', { name: 'Return value' });
  await tree.focus();
  const current = tree.getByRole('treeitem', { selected: true });
  await expect(current).toHaveAttribute('aria-level', '1');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(current).toHaveAttribute('aria-level', '3');
  await expect(current).toHaveAttribute('aria-setsize', '3');
  await expect(current).toHaveAttribute('aria-posinset', '1');
  const id = await current.getAttribute('id');
  await expect(tree).toHaveAttribute('aria-activedescendant', id ?? 'none');
  await page.keyboard.press('End');
  await expect(current).toHaveText(/^package: /);
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowLeft');
  await expect(tree.getByRole('treeitem')).toHaveCount(1);
  await page.keyboard.press('Shift+ArrowRight');
  await expect(tree.getByRole('treeitem')).toHaveCount(6);
  await page.keyboard.press('ArrowLeft');
  await expect(current).toHaveAttribute('aria-expanded', 'false');
});

test('search opens what is closed, counts, and goes round', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-version');
  await sendAndReturn(page);
  const tree = reply(page).getByRole('tree');
  await tree.focus();
  await page.keyboard.press('Shift+ArrowLeft');
  const search = page.getByLabel('Search in the reply');
  await search.fill('MI');
  await expect(reply(page).getByText('1 of 2', { exact: true })).toBeVisible();
  const current = tree.getByRole('treeitem', { selected: true });
  await expect(current).toHaveText(/^micro: /);
  await expect(current.locator('mark')).toHaveText('mi');
  await search.press('Enter');
  await expect(current).toHaveText(/^minor: /);
  await expect(page.getByRole('group', { name: 'Path of the current line' })).toHaveText('$.qemu.minor');
  await search.press('Enter');
  await expect(current).toHaveText(/^micro: /);
  await search.press('Shift+Enter');
  await expect(current).toHaveText(/^minor: /);
  await search.fill('nothing like it');
  await expect(reply(page).getByText('no match')).toBeVisible();
  await search.press('Escape');
  await expect(tree).toBeFocused();
});

test('what is found in a long reply comes into sight in a low window', async ({ fake, serve, page }) => {
  const value = Array.from({ length: 2000 }, (_, index) => ({ note: `line ${index}.` }));
  const rules = { 'query-qmp-schema': [{ return: [] }], 'query-it': [{ return: value }] };
  const console = await serve({ vm: await fake({ rules }) });
  await signIn(page, console);
  await page.setViewportSize({ width: 1280, height: 420 });
  await goToCommand(page, console, 'vm', 'query-it');
  await sendAndReturn(page);
  const search = page.getByLabel('Search in the reply');
  const current = reply(page).getByRole('treeitem', { selected: true });
  for (const text of ['line 1999.', 'line 1000.', 'line 3.']) {
    await search.fill(text);
    await expect(current).toHaveText(`note: "${text}"`);
    await expect(current).toBeInViewport({ ratio: 0.9 });
  }
});

test('value, path and subtree are copied', async ({ fake, serve, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const value = { big: 0, text: 'a "b"\n', list: [{ x: 1 }] };
  const text = JSON.stringify(value).replace('"big":0', '"big":18446744073709551615');
  const endpoint = await fake({ rules: { 'query-qmp-schema': [{ return: [] }], 'query-it': [{ send: `{"return": ${text}, "id": $id}\n` }] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-it');
  await sendAndReturn(page);
  const announced = page.getByText(/ copied$/);
  await reply(page).getByRole('treeitem', { name: /^big: / }).click();
  await page.getByRole('button', { name: 'Copy value' }).click();
  await expect(announced).toHaveText('Value copied');
  expect(await clipboard(page)).toBe('18446744073709551615');
  await reply(page).getByRole('treeitem', { name: /^text: / }).click();
  await page.keyboard.press('c');
  await expect.poll(() => clipboard(page)).toBe('a "b"\n');
  await page.keyboard.press('End');
  await page.keyboard.press('p');
  await expect.poll(() => clipboard(page)).toBe('.list[0].x');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('s');
  await expect.poll(() => clipboard(page)).toBe('{\n    "x": 1\n}');
});

test('raw is what came, and can be downloaded', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-qmp-schema');
  await sendAndReturn(page);
  await reply(page).getByRole('button', { name: 'Raw' }).click();
  await expect(reply(page).getByRole('region', { name: 'Reply as text' })).toContainText('"meta-type": "command"');
  await expect(reply(page).getByText(/^The first 65,536 bytes of \d+,\d+ bytes$/)).toBeVisible();
  const downloading = page.waitForEvent('download');
  await reply(page).getByRole('button', { name: 'Download' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('query-qmp-schema.json');
  const stream = await download.createReadStream();
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  expect(JSON.parse(text)).toHaveProperty('[0].meta-type');
  await reply(page).getByRole('button', { name: 'Tree' }).click();
  await expect(reply(page).getByRole('tree')).toBeVisible();
});

test('an error marks the argument that it speaks of', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'block_resize');
  await page.getByLabel('Include node-name').check();
  const name = page.getByLabel('node-name', { exact: true });
  await name.fill('nothing');
  await page.getByLabel('size', { exact: true }).fill('1M');
  await send(page);
  // It may cut off data, and asks before.
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await expect(reply(page).getByText('GenericError')).toBeVisible();
  await expect(name).toHaveAccessibleDescription(/^Cannot find device='' nor node-name='nothing'/);
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await reply(page).getByRole('button', { name: 'node-name', exact: true }).click();
  await expect(name).toBeFocused();
  await name.fill('disk0');
  await expect(name).not.toHaveAccessibleDescription(/Cannot find/);
  await expect(name).not.toHaveAttribute('aria-invalid', 'true');
});

test('what is different from the reply before', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-status');
  await sendAndReturn(page);
  const changes = reply(page).getByRole('button', { name: 'Changes' });
  await expect(changes).toBeDisabled();
  const stop = await page.request.post(console.api('sessions/vm/execute'), {
    headers: console.authorization,
    data: { execute: 'stop' },
  });
  expect(stop.status()).toBe(200);
  await sendAndReturn(page);
  await changes.click();
  await expect(reply(page).getByText('2 changed', { exact: true })).toBeVisible();
  await expect(reply(page).getByRole('treeitem', { name: 'status: "paused" was "running"' })).toBeVisible();
  await expect(reply(page).getByRole('treeitem', { name: 'running: false was true' })).toBeVisible();
  await changes.click();
  await expect(reply(page).getByRole('treeitem', { name: 'status: "paused"', exact: true })).toBeVisible();
});

test('what came and what went', async ({ console, page }) => {
  const add = async (command: string, data: object): Promise<void> => {
    const answer = await page.request.post(console.api('sessions/vm/execute'), {
      headers: console.authorization,
      data: { execute: command, arguments: data },
    });
    expect(answer.status()).toBe(200);
  };
  await signIn(page, console);
  await add('object-add', { 'qom-type': 'iothread', id: 'one' });
  await goToCommand(page, console, 'vm', 'query-iothreads');
  await sendAndReturn(page);
  await add('object-add', { 'qom-type': 'iothread', id: 'two' });
  await sendAndReturn(page);
  await reply(page).getByRole('button', { name: 'Changes' }).click();
  await expect(reply(page).getByText('1 added', { exact: true })).toBeVisible();
  await add('object-del', { id: 'two' });
  await sendAndReturn(page);
  await expect(reply(page).getByText('1 removed', { exact: true })).toBeVisible();
  await expect(reply(page).getByRole('treeitem', { name: /removed$/ })).toBeVisible();
});

test('repeats, highlights and plots until it is told to stop', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-blockstats');
  await sendAndReturn(page);
  await reply(page).getByRole('button', { name: 'Expand all' }).click();
  await page.getByLabel('Search in the reply').fill('rd_operations');
  const plot = reply(page).getByRole('button', { name: 'Plot', exact: true });
  await plot.click();
  const figure = reply(page).getByRole('figure', { name: /^Plot of .*rd_operations$/ });
  await expect(figure.getByText('1 value in', { exact: false })).toBeVisible();
  await reply(page).getByLabel('Every').selectOption('1 second');
  await reply(page).getByRole('button', { name: 'Repeat', exact: true }).click();
  await expect(figure.getByText(/^[3-9] values in/)).toBeVisible();
  await expect(figure.getByRole('img', { name: /last \d+, smallest \d+, largest \d+$/ })).toBeVisible();
  await expect(reply(page).getByText(/changed|no changes/)).toBeVisible();
  await reply(page).getByRole('button', { name: 'Stop repeating' }).click();
  await expect(reply(page).getByRole('button', { name: 'Repeat', exact: true })).toBeVisible();
  await figure.getByRole('button', { name: /^Remove the plot/ }).click();
  await expect(figure).toBeHidden();
});

test('an error ends the repeating, and what is destructive has none', async ({ fake, serve, page }) => {
  const rules = {
    'query-qmp-schema': [{ return: [] }],
    'query-it': [{ return: { n: 1 } }],
    system_reset: [{ return: {} }],
  };
  const endpoint = await fake({ rules });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await goToCommand(page, console, 'vm', 'query-it');
  await sendAndReturn(page);
  await reply(page).getByRole('button', { name: 'Repeat', exact: true }).click();
  await expect(reply(page).getByText('no changes')).toBeVisible();
  await endpoint.stop();
  await expect(reply(page).getByRole('alert')).toBeVisible();
  await endpoint.start();
  await goToCommand(page, console, 'vm', 'system_reset');
  await send(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
  await expect(reply(page).getByRole('button', { name: 'Repeat', exact: true })).toBeHidden();
});
