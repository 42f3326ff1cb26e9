// What a real QEMU says of its devices and objects completes what is typed.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, openCommand, reply, seesSession, sendAndReturn } from '../support/pages.ts';

const field = (page: Page, name: string): Locator => page.getByRole('combobox', { name, exact: true });
const option = (page: Page, name: RegExp): Locator => page.getByRole('option', { name });
const message = (page: Page): Locator => page.getByLabel('Message', { exact: true });

/** Types a part of a name and takes the suggestion. */
async function choose(page: Page, into: Locator, typed: string, wanted: RegExp): Promise<void> {
  await into.pressSequentially(typed);
  await expect(option(page, wanted)).toBeVisible();
  await into.press('ArrowDown');
  await expect(option(page, wanted)).toHaveAttribute('aria-selected', 'true');
  await into.press('Enter');
}

async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id);
}

test('a device is added with properties that QEMU describes', async ({ console, page }) => {
  // Much is typed, and axe-core looks at a long page.
  test.setTimeout(60_000);
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('object-add', { 'qom-type': 'rng-builtin', id: 'dice' });
  await goToCommand(page, console, 'vm', 'device_add');
  await expect(page.getByText('Choose a driver: its properties can be added then.')).toBeVisible();
  await field(page, 'driver').focus();
  await expect(page.getByText(/^\d+ names are known: type a part of one\.$/)).toBeVisible();
  await choose(page, field(page, 'driver'), 'virtio-rng-pci-n', /^virtio-rng-pci-non-transitional/);
  await expect(field(page, 'driver')).toHaveValue('virtio-rng-pci-non-transitional');
  await field(page, 'driver').fill('virtio-rng-pci');
  await page.getByLabel('Include id', { exact: true }).check();
  await page.getByLabel('id', { exact: true }).fill('rng1');
  await page.getByLabel('Include bus', { exact: true }).check();
  await page.getByLabel('bus', { exact: true }).fill('port0');
  await expect(page.getByText(/^\d+ properties of virtio-rng-pci:/)).toBeVisible();

  const another = field(page, 'Another argument');
  await another.pressSequentially('max-b');
  await expect(option(page, /^max-bytes/)).toContainText('uint64 · default 9223372036854775807');
  expect(await seriousFaults(page)).toEqual([]);
  await another.press('ArrowDown');
  await another.press('Enter');
  await another.press('Enter');
  // An integer, with units; a boolean; one of some words; a reference.
  await page.getByLabel('max-bytes', { exact: true }).fill('lots');
  await expect(page.getByLabel('max-bytes', { exact: true })).toHaveAccessibleDescription(/not an integer.*default/);
  await page.getByLabel('max-bytes', { exact: true }).fill('4K');
  await choose(page, another, 'event', /^event_idx/);
  await another.press('Enter');
  await page.getByRole('checkbox', { name: 'event_idx', exact: true }).check();
  await choose(page, another, 'disable-l', /^disable-legacy/);
  await another.press('Enter');
  await choose(page, field(page, 'disable-legacy'), 'of', /^off/);
  await choose(page, another, 'rn', /^rng/);
  await another.press('Enter');
  await choose(page, field(page, 'rng'), 'di', /^dice/);
  // What is there is not offered once more, and parts of the device never are.
  await another.pressSequentially('e');
  await expect(option(page, /^ioeventfd/)).toBeVisible();
  await expect(option(page, /^(event_idx|virtio-backend)/)).toHaveCount(0);
  await another.fill('');
  await another.press('Escape');
  await expect(page.getByRole('listbox')).toHaveCount(0);
  await expect(message(page)).toHaveText(
    '{"execute":"device_add","arguments":{"driver":"virtio-rng-pci","bus":"port0","id":"rng1","max-bytes":4096,' +
      '"event_idx":true,"disable-legacy":"off","rng":"dice"}}',
  );
  await sendAndReturn(page);
  const path = '/machine/peripheral/rng1';
  expect(await console.execute('qom-get', { path, property: 'max-bytes' })).toBe(4096);
  expect(await console.execute('qom-get', { path, property: 'disable-legacy' })).toBe('off');
  // The page asked in its own name: the history has what the user sent.
  await page.getByRole('button', { name: 'History' }).click();
  await expect(page.getByRole('region', { name: 'Sent commands' }).getByRole('listitem')).toHaveCount(1);
});

test('properties in JSON are shown as what they are, and what does not fit stays', async ({ console, page }) => {
  await signIn(page, console);
  const given = '{"driver":"virtio-rng-pci","max-bytes":7,"event_idx":true,"period":"8","none":[1]}';
  await page.goto(`${console.url}commands/vm/device_add?arguments=${encodeURIComponent(given)}`);
  // Opening a link asks QEMU nothing.
  await page.getByRole('button', { name: 'Ask for the properties of virtio-rng-pci' }).click();
  await expect(page.getByRole('checkbox', { name: 'event_idx', exact: true })).toBeChecked();
  await expect(page.getByLabel('max-bytes', { exact: true })).toHaveValue('7');
  await expect(page.getByLabel('period', { exact: true })).toHaveValue('"8"');
  await expect(page.getByLabel('none', { exact: true })).toHaveValue('[1]');
  await expect(message(page)).toHaveText(`{"execute":"device_add","arguments":${given}}`);
  await page.getByRole('button', { name: 'Line', exact: true }).click();
  await expect(page.getByLabel('Command line')).toHaveValue(/event_idx=true/);
  await page.getByLabel('Command line').fill('device_add driver=virtio-rng-pci event_idx=false period=9');
  await page.getByRole('button', { name: 'Form', exact: true }).click();
  await expect(page.getByRole('checkbox', { name: 'event_idx', exact: true })).not.toBeChecked();
  await expect(page.getByLabel('period', { exact: true })).toHaveValue('9');
});

test('a device that could end QEMU is asked about only on purpose', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'device_add');
  await field(page, 'driver').fill('virtio-vga-gl');
  await field(page, 'Another argument').focus();
  await expect(page.getByRole('button', { name: 'Ask for the properties of virtio-vga-gl' })).toBeVisible();
  await expect(page.getByText('QEMU 7.2 ends at that', { exact: false })).toBeVisible();
});

test('a property that could not be asked for is said, and blocks nothing', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'device_add');
  await field(page, 'driver').fill('no-such-device');
  await page.getByRole('button', { name: 'Ask for the properties of no-such-device' }).click();
  await expect(page.getByText(/^The properties could not be asked for: .*no-such-device/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Ask again' })).toBeVisible();
  await field(page, 'Another argument').fill('any');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByLabel('any', { exact: true }).fill('1');
  await expect(message(page)).toContainText('"any":1');
});

test('a path is completed part by part, and the property of what is there', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'qom-set');
  const path = field(page, 'path');
  await choose(page, path, '/mach', /^machine/);
  await choose(page, path, '/peripheral', /^peripheral-anon/);
  await expect(path).toHaveValue('/machine/peripheral-anon');
  await path.fill('/machine/peripheral');
  await choose(page, path, '/virtio-d', /^virtio-disk0/);
  await expect(path).toHaveValue('/machine/peripheral/virtio-disk0');
  await choose(page, field(page, 'property'), 'bootind', /^bootindex/);
  await expect(page.getByText('Of type int32, in JSON: integer')).toHaveCount(2);
  await page.getByLabel('value', { exact: true }).fill('3');
  expect(await seriousFaults(page)).toEqual([]);
  await sendAndReturn(page);
  await expect(reply(page)).toBeVisible();
  await path.fill('/nowhere/');
  await expect(page.getByText("objects could not be asked for: Device '/nowhere' not found")).toBeVisible();
});

test('a viewer has the types and paths, and is told who asks for properties', async ({ durable: console, page }) => {
  await signIn(page, console, await console.newToken('watcher', 'viewer'));
  await goToCommand(page, console, 'vm', 'device_add');
  await choose(page, field(page, 'driver'), 'usb-kb', /^usb-kbd/);
  await field(page, 'Another argument').focus();
  await expect(page.getByText('An operator may ask for the properties of a device', { exact: false })).toBeVisible();
  await goToCommand(page, console, 'vm', 'qom-list');
  await choose(page, field(page, 'path'), '/mach', /^machine/);
  await sendAndReturn(page);
});

test("an object's members are all in the schema", async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'object-add');
  await page.getByLabel('qom-type', { exact: true }).selectOption('memory-backend-ram');
  await page.getByLabel('id', { exact: true }).fill('ram1');
  await page.getByLabel('size', { exact: true }).fill('2M');
  await page.getByLabel('Include share', { exact: true }).check();
  await page.getByLabel('share', { exact: true }).check();
  await sendAndReturn(page);
  expect(await console.execute('qom-get', { path: '/objects/ram1', property: 'size' })).toBe(2 << 20);
});

test('objects of the storage daemon', async ({ storage, serve, page }) => {
  const console = await serve({ storage });
  await signIn(page, console);
  // Its schema has the members of every type of object.
  await goToCommand(page, console, 'storage', 'object-add');
  await page.getByLabel('qom-type', { exact: true }).selectOption('throttle-group');
  await page.getByLabel('id', { exact: true }).fill('slow');
  await page.getByLabel('Include x-iops-total', { exact: true }).check();
  await page.getByLabel('x-iops-total', { exact: true }).fill('1K');
  await sendAndReturn(page);
  await goToCommand(page, console, 'storage', 'qom-get');
  await choose(page, field(page, 'path'), '/obj', /^objects/);
  await choose(page, field(page, 'path'), '/sl', /^slow/);
  await choose(page, field(page, 'property'), 'lim', /^limits/);
  await sendAndReturn(page);
  await expect(reply(page).getByRole('treeitem', { name: /^iops-total: 1024/ })).toBeVisible();
});

const MARKUP = '<img src=x onerror="window.hacked=1">';
const TURNED = 'safe\u202eelgnat\u0007';

test('names of types and properties are shown as text, and nothing waits for them', async ({ fake, serve, page }) => {
  const command = (name: string, args = 'none'): object => ({
    name,
    'meta-type': 'command',
    'arg-type': args,
    'ret-type': 'none',
  });
  const schema = [
    ...[command('device_add', 'add'), command('qom-list-types'), command('device-list-properties'), command('free')],
    { name: 'add', 'meta-type': 'object', members: [{ name: 'driver', type: 'str' }] },
    { name: 'none', 'meta-type': 'object', members: [] },
    { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  ];
  const properties = [
    { name: TURNED, type: MARKUP, description: MARKUP, 'default-value': MARKUP },
    { name: 'long', type: 'x'.repeat(1_000_000) },
  ];
  const endpoint = await fake({
    concurrent: true,
    rules: {
      'query-qmp-schema': [{ return: schema }],
      'qom-list-types': [{ return: [{ name: MARKUP }, { name: TURNED }] }],
      'device-list-properties': [{ hold: { until: 'free' } }, { return: properties }],
      free: [{ return: {} }],
    },
  });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'device_add');
  const driver = field(page, 'driver');
  await driver.pressSequentially('safe');
  await expect(page.getByRole('option', { name: 'safe\\u202eelgnat\\u0007' })).toBeVisible();
  await driver.fill('<im');
  await expect(page.getByRole('option', { name: MARKUP })).toBeVisible();
  await driver.press('ArrowDown');
  await driver.press('Enter');
  await expect(driver).toHaveValue(MARKUP);
  const another = field(page, 'Another argument');
  await another.fill('other');
  await another.press('Enter');
  await expect(page.getByText(`Asking for the properties of ${MARKUP}…`)).toBeVisible();
  await page.getByLabel('other', { exact: true }).fill('1');
  await console.execute('free');
  // The list comes as soon as it is there.
  await another.press('ArrowDown');
  await expect(page.getByRole('option', { name: /^safe.*elgnat/ })).toContainText(MARKUP);
  await expect(page.getByText('2 properties of', { exact: false })).toBeVisible();
  await another.press('ArrowDown');
  await another.press('ArrowDown');
  await another.press('Enter');
  await another.press('Enter');
  await expect(page.getByLabel('safe\\u202eelgnat\\u0007', { exact: true })).toBeVisible();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});
