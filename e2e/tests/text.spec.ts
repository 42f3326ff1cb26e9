// Texts in a reply: what the human monitor prints, strings of lines within a
// reply, the raw reply searched; and whether a reply was to the same arguments.

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, sendAndReturn } from '../support/pages.ts';

test('what the human monitor prints is read on its lines', async ({ console, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'human-monitor-command');
  await page.getByLabel('command-line', { exact: true }).fill('info qtree');
  await sendAndReturn(page);
  const text = reply(page).getByRole('region', { name: 'Text' });
  await expect(text).toBeVisible();
  await expect(text.getByText('bus: main-system-bus', { exact: true })).toBeVisible();
  await expect(text).not.toContainText('\\r');
  await expect(reply(page).getByRole('button', { name: 'Text', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await expect(reply(page).getByText(/^\d+ lines, [\d,]+ bytes$/)).toBeVisible();
  await reply(page).getByRole('button', { name: 'Copy text' }).click();
  await expect(page.getByText('Copied', { exact: true }).first()).toBeAttached();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^bus: main-system-bus\r?\n {2}type System/);
  const search = page.getByLabel('Search in the text');
  await search.fill('BUS: ');
  await expect(reply(page).getByText(/^1 of \d+$/)).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(reply(page).getByText(/^2 of \d+$/)).toBeVisible();
  await expect(text.locator('.current')).toContainText(/bus: /);
  await expect(text.locator('.current')).toBeInViewport();
  await page.keyboard.press('Escape');
  await expect(text).toBeFocused();
  // The same as a value, and as it came.
  await reply(page).getByRole('button', { name: 'Tree', exact: true }).click();
  await expect(reply(page).getByRole('treeitem')).toHaveText(/^"bus: main-system-bus\\r\\n/);
  await reply(page).getByRole('button', { name: 'Raw', exact: true }).click();
  await expect(reply(page).getByRole('region', { name: 'Reply as text' })).toContainText('"bus: main-system-bus\\r\\n');
  // Another reply is shown as was chosen; one without lines has no such view.
  await reply(page).getByRole('button', { name: 'Text', exact: true }).click();
  await goToCommand(page, console, 'vm', 'query-status');
  await sendAndReturn(page);
  await expect(reply(page).getByRole('tree')).toBeVisible();
  await expect(reply(page).getByRole('button', { name: 'Text', exact: true })).toHaveCount(0);
});

test('a text within a reply is opened, however long, and is text', async ({ fake, serve, page }) => {
  const lines = Array.from({ length: 60_000 }, (_, n) => `line ${n} ${'x'.repeat(60)}`);
  lines[7] = '<img src=x onerror="document.title=1">\u202e\tend';
  const value = { log: lines.join('\n'), plain: 'a', items: [{ note: 'one\ntwo' }] };
  const endpoint = await fake({ rules: { 'query-qmp-schema': [{ return: [] }], 'query-log': [{ return: value }] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-log');
  await sendAndReturn(page);
  const tree = reply(page).getByRole('tree');
  const button = reply(page).getByRole('button', { name: 'As text', exact: true });
  await expect(button).toBeDisabled();
  await tree.getByRole('treeitem', { name: /^log: / }).click();
  await expect(button).toBeEnabled();
  await tree.focus();
  await page.keyboard.press('t');
  const text = reply(page).getByRole('region', { name: 'Text' });
  await expect(text).toBeFocused();
  await expect(reply(page).getByText('60,000 lines')).toBeVisible();
  await expect(text).toContainText('<img src=x onerror="document.title=1">\\u202e\tend');
  expect(await text.locator('.text-line').count()).toBeLessThan(120);
  await page.keyboard.press('End');
  await expect(text.getByText(/^line 59999 /)).toBeVisible();
  await page.getByLabel('Search in the text').fill('line 31234 ');
  await expect(reply(page).getByText('1 of 1', { exact: true })).toBeVisible();
  await expect(text.getByText(/^line 31234 /)).toBeInViewport();
  await reply(page).getByRole('button', { name: '‹ Back to the tree' }).click();
  await expect(tree).toBeFocused();
  await tree.getByRole('treeitem', { name: /^note: / }).click();
  await button.click();
  await expect(reply(page).getByText('.items[0].note', { exact: true })).toBeVisible();
  await expect(text.locator('.text-line')).toHaveText(['one', 'two']);
});

test('lines that are new since the reply before are marked', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'human-monitor-command');
  await page.getByLabel('command-line', { exact: true }).fill('info status');
  await sendAndReturn(page);
  const text = reply(page).getByRole('region', { name: 'Text' });
  await expect(text).toContainText('VM status: running');
  await console.execute('stop');
  await sendAndReturn(page);
  await expect(text).toContainText('VM status: paused');
  await reply(page).getByRole('button', { name: 'Changes' }).click();
  await expect(reply(page).getByText('1 new line', { exact: true })).toBeVisible();
  await expect(text.locator('.fresh')).toHaveText('VM status: paused');
});

test('the raw reply is searched to its end', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-qmp-schema');
  await sendAndReturn(page);
  await reply(page).getByRole('button', { name: 'Raw', exact: true }).click();
  await expect(reply(page).getByText(/^The first 65,\d{3} bytes of /)).toBeVisible();
  const raw = reply(page).getByRole('region', { name: 'Reply as text' });
  await page.getByLabel('Search in the raw reply').fill('"META-type"');
  await expect(reply(page).getByText(/^1 of [\d,]+$/)).toBeVisible();
  await expect(raw.locator('#raw-match')).toHaveText('"meta-type"');
  // The last one is not on the first page.
  await page.keyboard.press('Shift+Enter');
  await expect(reply(page).getByText(/^Bytes [\d,]+ to [\d,]+ of [\d,]+ bytes$/)).toBeVisible();
  await expect(raw.locator('#raw-match')).toBeInViewport();
});

test('changes since a reply to other arguments say so', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'qom-list');
  const path = page.getByLabel('path', { exact: true });
  await path.fill('/machine');
  await sendAndReturn(page);
  await path.fill('/objects');
  await sendAndReturn(page);
  await expect(reply(page).getByText(/^[1-9] values, /)).toBeVisible();
  await reply(page).getByRole('button', { name: 'Changes' }).click();
  await expect(reply(page).getByText('The reply before was to other arguments: {"path":"/machine"}')).toBeVisible();
  await sendAndReturn(page);
  await expect(reply(page).getByText('no changes')).toBeVisible();
  await expect(reply(page).getByText('The reply before was to other arguments')).toHaveCount(0);
});

test('the documentation makes place for a reply, and stays open', async ({ console, page }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-block');
  const documentation = page.getByRole('region', { name: 'Documentation' });
  await expect(documentation.getByText('Returns', { exact: true })).toBeAttached();
  await sendAndReturn(page);
  await expect(documentation.getByText('Returns', { exact: true })).toBeAttached();
  const seen = await reply(page).getByRole('treeitem').evaluateAll(
    (all) => all.filter((each) => each.getBoundingClientRect().bottom < innerHeight).length,
  );
  expect(seen).toBeGreaterThan(7);
});
