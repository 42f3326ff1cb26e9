import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, send, sendAndReturn } from '../support/pages.ts';
for (const [width, height] of [[1440, 900], [390, 844], [1280, 720]] as const) {
  test(`shots ${width}`, async ({ durable: console, page }) => {
    test.setTimeout(120_000);
    await page.setViewportSize({ width, height });
    const shot = async (name: string) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        if (width === 1280 && colorScheme === 'dark') continue;
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `/tmp/cmd-shots/${name}-${width}-${colorScheme}.png` });
      }
    };
    await signIn(page, console);
    await goToCommand(page, console, 'vm', 'human-monitor-command');
    await page.getByLabel('command-line', { exact: true }).fill('info qtree');
    await sendAndReturn(page);
    await page.getByLabel('Search in the text').fill('bus: ');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await reply(page).scrollIntoViewIfNeeded();
    await shot('text');
    await reply(page).getByRole('button', { name: 'Tree', exact: true }).click();
    await shot('text-tree');
    await reply(page).getByRole('button', { name: 'As text', exact: true }).click();
    await shot('text-opened');
    await goToCommand(page, console, 'vm', 'query-block');
    await sendAndReturn(page);
    await shot('block');
    await goToCommand(page, console, 'vm', 'query-qmp-schema');
    await sendAndReturn(page);
    await reply(page).getByRole('button', { name: 'Raw', exact: true }).click();
    await page.getByLabel('Search in the raw reply').fill('"meta-type"');
    await page.keyboard.press('Shift+Enter');
    await shot('raw');
    await goToCommand(page, console, 'vm', 'blockdev-add');
    await page.getByLabel('driver', { exact: true }).selectOption('null-co');
    await page.getByLabel('Include size').check();
    await page.getByLabel('size', { exact: true }).fill('1x');
    await page.getByRole('button', { name: 'Copy as…' }).click();
    await page.getByRole('menu').scrollIntoViewIfNeeded();
    await shot('left-out');
    await page.keyboard.press('Escape');
    await page.getByLabel('size', { exact: true }).fill('1.5 GiB');
    await page.getByLabel('size', { exact: true }).scrollIntoViewIfNeeded();
    await shot('size');
    await page.getByLabel('size', { exact: true }).fill('1x');
    await page.getByRole('button', { name: 'JSON', exact: true }).click();
    await shot('left-out-json');
    await goToCommand(page, console, 'vm', 'qom-list');
    for (const path of ['/machine', '/objects']) {
      await page.getByLabel('path', { exact: true }).fill(path);
      await page.keyboard.press('Escape');
      await sendAndReturn(page);
    }
    await reply(page).getByRole('button', { name: 'Changes' }).click();
    await reply(page).scrollIntoViewIfNeeded();
    await shot('changes');
    await goToCommand(page, console, 'vm', 'device_add');
    await page.getByLabel('driver', { exact: true }).pressSequentially('v');
    await expect(page.getByRole('option', { name: /^and / })).toBeAttached();
    await page.locator('.suggestions li.more').scrollIntoViewIfNeeded();
    await shot('more');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').fill(await console.newToken('watcher', 'viewer'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByTitle('Signed in as watcher (viewer)')).toBeVisible();
    await goToCommand(page, console, 'vm', 'system_reset');
    await expect(page.getByText(/^This needs the role/)).toBeVisible();
    await shot('need');
  });
}
