// Commands of a real QEMU, a real storage daemon and a real agent, by form and
// as JSON.

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, openCommand, reply, seesSession, send, sendAndReturn } from '../support/pages.ts';

test('query-status by its form', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'query-status');
  await expect(page.getByText('This command takes no arguments.')).toBeVisible();
  await sendAndReturn(page);
  await expect(reply(page).getByRole('treeitem', { name: /^status: "running"/ })).toBeVisible();
  await expect(reply(page).getByRole('treeitem', { name: /^running: true/ })).toBeVisible();
});

test('all commands of this QEMU are listed, and found by parts of their names', async ({ console, page, request }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  const schema = await request.get(console.api('sessions/vm/schema'), { headers: console.authorization });
  const entities: { name: string; 'meta-type': string }[] = (await schema.json()).schema;
  const commands = entities.filter((entity) => entity['meta-type'] === 'command').map(({ name }) => name);
  await page.getByRole('link', { name: 'Commands', exact: true }).click();
  const list = page.getByRole('region', { name: 'Commands' });
  await expect(list.getByRole('link')).toHaveCount(commands.length);
  await expect(list.getByText(`${commands.length} commands`)).toBeVisible();
  await page.getByLabel('Search commands').fill('jobs query');
  await expect(list.getByRole('list', { name: 'Names' }).getByRole('link')).toHaveText(['query-jobs', 'query-block-jobs']);
  await page.getByLabel('Search commands').fill('no such thing');
  await expect(list.getByText('No command has this in its name or documentation.')).toBeVisible();
});

test("a bad argument is answered in QEMU's own words", async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'blockdev-del');
  await page.getByLabel('node-name', { exact: true }).fill('nothing');
  await send(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
  await expect(reply(page).getByRole('alert')).toContainText("Failed to find node with node-name='nothing'");
  await expect(reply(page).getByText('GenericError')).toBeVisible();
});

test('what is missing or wrong is said at its place, and nothing is sent', async ({ console, page, request }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'balloon');
  await send(page);
  const value = page.getByLabel('value', { exact: true });
  await expect(value).toHaveAccessibleDescription(/^required/);
  await expect(value).toBeFocused();
  await value.fill('lots');
  await expect(value).toHaveAccessibleDescription(/^not an integer/);
  await send(page);
  await expect(page.getByText('This cannot be sent')).toBeVisible();
  const session = await request.get(console.api('sessions/vm'), { headers: console.authorization });
  expect((await session.json()).counters.commands).toBe(0);
  // Units, and 64-bit integers as they are.
  await value.fill('64M');
  await expect(page.getByLabel('Message', { exact: true })).toHaveText(
    '{"execute":"balloon","arguments":{"value":67108864}}',
  );
  await value.fill('9223372036854775807');
  await expect(page.getByLabel('Message', { exact: true })).toContainText('9223372036854775807');
  await value.fill('64M');
  await sendAndReturn(page);
});

test('optional members, enums, booleans, unions, alternates and nested objects', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'blockdev-add');
  await page.getByLabel('driver', { exact: true }).selectOption('qcow2');
  await page.getByLabel('Include node-name').first().check();
  await page.getByLabel('node-name', { exact: true }).fill('added');
  await page.getByLabel('Include read-only').first().check();
  await page.getByLabel('read-only', { exact: true }).check();
  // The tag chose the members: `file` is there, and it is an alternate.
  await page.getByLabel('Type of file').selectOption('string');
  await page.getByLabel('file', { exact: true }).fill('nowhere');
  await page.getByLabel('Type of file').selectOption('object');
  const file = page.getByRole('group', { name: 'file', exact: true });
  await file.getByLabel('driver', { exact: true }).selectOption('null-co');
  await file.getByLabel('Include size').check();
  await file.getByLabel('size', { exact: true }).fill('1M');
  const message =
    '{"execute":"blockdev-add","arguments":{"driver":"qcow2","node-name":"added","read-only":true,' +
    '"file":{"driver":"null-co","size":1048576}}}';
  await expect(page.getByLabel('Message', { exact: true })).toHaveText(message);
  // It is not a qcow2 image, and QEMU says so.
  await send(page);
  await expect(reply(page).getByRole('alert')).toContainText('Image is not in qcow2 format');
  await page.getByLabel('driver', { exact: true }).first().selectOption('raw');
  await sendAndReturn(page);
});

test('arrays grow, shrink and change their order', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'migrate-set-capabilities');
  const add = page.getByRole('button', { name: 'Add an item to capabilities' });
  await add.click();
  await add.click();
  const first = page.getByRole('group', { name: 'capabilities[0]' });
  const second = page.getByRole('group', { name: 'capabilities[1]' });
  await first.getByLabel('capability', { exact: true }).selectOption('events');
  await first.getByLabel('state', { exact: true }).check();
  await second.getByLabel('capability', { exact: true }).selectOption('xbzrle');
  const message = page.getByLabel('Message', { exact: true });
  await expect(message).toContainText(
    '[{"capability":"events","state":true},{"capability":"xbzrle","state":false}]',
  );
  await page.getByRole('button', { name: 'Move up capabilities[1]' }).click();
  await expect(first.getByLabel('capability', { exact: true })).toHaveValue('xbzrle');
  await expect(second.getByLabel('state', { exact: true })).toBeChecked();
  await page.getByRole('button', { name: 'Remove capabilities[0]' }).click();
  await expect(message).toContainText('[{"capability":"events","state":true}]');
  await sendAndReturn(page);
});

test('the focus stays where something comes or goes', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'blockdev-add');
  const include = page.getByLabel('Include node-name').first();
  await include.focus();
  await page.keyboard.press('Space');
  await expect(include).toBeChecked();
  await expect(include).toBeFocused();
  await page.keyboard.press('Space');
  await expect(include).not.toBeChecked();
  await expect(include).toBeFocused();

  await goToCommand(page, console, 'vm', 'migrate-set-capabilities');
  const add = page.getByRole('button', { name: 'Add an item to capabilities' });
  await add.click();
  await add.click();
  const remove = page.getByRole('button', { name: 'Remove capabilities[0]' });
  await remove.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('group', { name: 'capabilities[1]' })).toBeHidden();
  await expect(remove).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(add).toBeFocused();

  await goToCommand(page, console, 'vm', 'device_add');
  const another = page.getByLabel('Another argument', { exact: true });
  await another.fill('max-bytes');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('button', { name: 'Remove max-bytes' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('max-bytes', { exact: true })).toBeHidden();
  await expect(another).toBeFocused();
});

test('properties that the schema does not describe can be added', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'device_add');
  // One that QEMU does not describe either.
  await page.getByLabel('driver', { exact: true }).fill('no-such-device');
  await page.getByLabel('Another argument', { exact: true }).fill('max-bytes');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByLabel('max-bytes', { exact: true }).fill('many');
  await expect(page.getByLabel('max-bytes', { exact: true })).toHaveAccessibleDescription(/double quotes/);
  await page.getByLabel('max-bytes', { exact: true }).fill('1024');
  await expect(page.getByLabel('Message', { exact: true })).toHaveText(
    '{"execute":"device_add","arguments":{"driver":"no-such-device","max-bytes":1024}}',
  );
});

test('form and JSON are two views of one thing', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'set_link');
  await page.getByLabel('name', { exact: true }).fill('net0');
  await page.getByRole('button', { name: 'JSON' }).click();
  const json = page.getByRole('textbox', { name: 'Message' });
  await expect(json).toHaveValue(/"name": "net0"/);
  await json.fill('{"execute": "set_link", "arguments": {"name": "net1", "up": true}}');
  await page.getByRole('button', { name: 'Form' }).click();
  await expect(page.getByLabel('name', { exact: true })).toHaveValue('net1');
  await expect(page.getByLabel('up', { exact: true })).toBeChecked();

  await page.getByRole('button', { name: 'JSON' }).click();
  await json.fill('{"execute": "set_link", "arguments": {"name": 1}');
  await expect(page.getByText('This cannot be sent')).toBeVisible();
  await page.getByRole('button', { name: 'Form' }).click();
  await expect(page.getByRole('alert')).toContainText('The form cannot show this JSON');
  await json.fill('{"execute": "set_link", "arguments": {"name": 1, "up": true}}');
  await expect(page.getByText('name: expected string, found a number')).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await expect(reply(page).getByRole('alert')).toContainText("Invalid parameter type for 'name', expected: string");
});

test('what was entered is there again after a look elsewhere', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'set_link');
  await page.getByLabel('name', { exact: true }).fill('net0');
  await openCommand(page, 'vm', 'query-status');
  await openCommand(page, 'vm', 'set_link');
  await expect(page.getByLabel('name', { exact: true })).toHaveValue('net0');
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(page.getByLabel('name', { exact: true })).toHaveValue('');
});

test('what ends a guest wants a deliberate yes', async ({ console, page, vm }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'quit');
  await send(page);
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('quit to vm?');
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  expect(vm.running).toBe(true);
  await send(page);
  await dialog.getByRole('button', { name: 'Send' }).click();
  // The reply races the end of the file, and wins.
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
  await expect(page.getByText(/^The session is retrying/)).toBeVisible();
  await expect.poll(() => vm.running).toBe(false);
});

test('out of band where the schema allows it', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-yank');
  await page.getByLabel(/out of band/).check();
  await expect(page.getByLabel('Message', { exact: true })).toHaveText('{"exec-oob":"query-yank"}');
  await sendAndReturn(page);
});

test('a storage daemon has commands of its own', async ({ serve, storage, page }) => {
  const console = await serve({ storage });
  await signIn(page, console);
  await seesSession(page, 'storage', 'running');
  await openCommand(page, 'storage', 'query-named-block-nodes');
  await page.getByLabel('Include flat').check();
  await page.getByLabel('flat', { exact: true }).check();
  await sendAndReturn(page);
  await expect(reply(page).getByText('"disk0"')).toBeVisible();
});

test('an agent has a list of commands, and JSON', async ({ serve, agent, page }) => {
  const console = await serve({ agent });
  await signIn(page, console);
  await seesSession(page, 'agent', 'running');
  await openCommand(page, 'agent', 'guest-get-host-name');
  await expect(page.getByText('No form: the endpoint has no schema.')).toBeVisible();
  await sendAndReturn(page);
  await expect(reply(page).getByRole('treeitem', { name: /^host-name: / })).toBeVisible();
  await page.getByRole('textbox', { name: 'Message' }).fill('{"execute": "guest-no-such"}');
  await send(page);
  await expect(reply(page).getByText('CommandNotFound')).toBeVisible();
});

test('a session or a command that is not there is named', async ({ console, page }) => {
  await signIn(page, console);
  await page.goto(`${console.url}commands/nobody`);
  await expect(page.getByText('There is no session named “nobody”.')).toBeVisible();
  await goToCommand(page, console, 'vm', 'make-coffee');
  await expect(page.getByText('No form: the endpoint has no command "make-coffee".')).toBeVisible();
  await send(page);
  await expect(reply(page).getByRole('alert')).toContainText('The command make-coffee has not been found');
});

test('a command whose connection is lost has an unknown outcome', async ({ fake, serve, page }) => {
  const endpoint = await fake({ rules: { 'query-qmp-schema': [{ return: [] }], 'make-tea': ['close'] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'make-tea');
  await send(page);
  await expect(reply(page).getByText('Outcome unknown: the command may or may not have been executed.')).toBeVisible();
});

test('everything by the keyboard alone', async ({ console, page }) => {
  await signIn(page, console);
  await page.goto(`${console.url}commands/vm`);
  const list = page.getByRole('region', { name: 'Commands' });
  await expect(list.getByRole('link').first()).toBeVisible();
  await page.getByLabel('Search commands').focus();
  await page.keyboard.type('query-stat');
  await page.keyboard.press('ArrowDown');
  await expect(list.getByRole('link').first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(list.getByRole('link').nth(1)).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(list.getByRole('link').first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'query-status', exact: true })).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
  // From the list, Tab leads on to the form, and from there to the reply.
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Form' })).toBeFocused();
  const pressed = async (names: string[]): Promise<void> => {
    for (const name of names) {
      await page.keyboard.press('Tab');
      await expect(page.getByRole('button', { name, exact: true })).toBeFocused();
    }
  };
  await pressed(['JSON', 'Line', 'Copy message', 'Send', 'Reset', 'Copy as…']);
  for (const field of ['Timeout in seconds', 'Expect an event']) {
    await page.keyboard.press('Tab');
    await expect(page.getByLabel(field)).toBeFocused();
  }
  await pressed(['History']);
  // Documentation is between the two.
  await page.keyboard.press('Tab');
  await expect(page.locator('summary').filter({ hasText: 'Documentation' })).toBeFocused();
  await pressed(['Use this example', 'Copy reply', 'Tree', 'Raw']);
  await page.keyboard.press('Tab');
  await expect(reply(page).getByLabel('Every')).toBeFocused();
  await pressed(['Repeat']);
  await page.keyboard.press('Tab');
  await expect(reply(page).getByLabel('Search in the reply')).toBeFocused();
  await pressed(['Expand all', 'Collapse', 'Copy value', 'Copy path', 'Copy subtree']);
  await page.keyboard.press('Tab');
  await expect(reply(page).getByRole('tree')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(reply(page).getByRole('treeitem', { name: /^status: /, selected: true })).toBeVisible();
});
