// How a command is entered, sent and kept: three views of one value, what it
// waits for, copies for elsewhere, links, and the history.

import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';

import type { Page } from '@playwright/test';

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, openCommand, reply, seesSession, send, sendAndReturn } from '../support/pages.ts';
import { consoleBinary } from '../support/programs.ts';

const view = async (page: Page, name: 'Form' | 'JSON' | 'Line'): Promise<void> => {
  await page.getByRole('button', { name, exact: true }).click();
};

test('form, JSON and line are three views of one value', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'blockdev-add');
  await page.getByLabel('driver', { exact: true }).selectOption('null-co');
  await page.getByLabel('Include size').check();
  await page.getByLabel('size', { exact: true }).fill('18446744073709551615');
  await view(page, 'Line');
  const line = page.getByLabel('Command line');
  await expect(line).toHaveValue('blockdev-add driver=null-co size=18446744073709551615');
  await line.fill("blockdev-add driver=raw node-name='n 1' file.driver=null-co file.size=1M");
  await view(page, 'JSON');
  const json = page.getByRole('textbox', { name: 'Message' });
  await expect(json).toHaveValue(/"size": 1048576/);
  await view(page, 'Form');
  await expect(page.getByLabel('node-name', { exact: true }).first()).toHaveValue('n 1');
  // What was not touched is as it was.
  await view(page, 'Line');
  await expect(line).toHaveValue("blockdev-add driver=raw node-name='n 1' file.driver=null-co file.size=1M");

  // What a view cannot show stays, and is said.
  await view(page, 'JSON');
  await json.fill('{"execute": "blockdev-add", "arguments": {"driver": "raw", "a.b": 1}}');
  await view(page, 'Line');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('The line cannot show this JSON:');
  await expect(alert).toContainText('a.b: a line takes the dot in this name for two names');
  await expect(json).toBeVisible();
  await json.fill('{"execute": "blockdev-add", "arguments": {"driver": "raw"}}');
  await expect(alert).toBeHidden();
  await view(page, 'Line');
  await line.fill('blockdev-add driver=null-co node-name=n0');
  await page.keyboard.press('Control+Enter');
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
  await line.fill("blockdev-add driver='null-co");
  await expect(page.getByText("the ' is not closed")).toBeVisible();
});

test('Enter in a field sends nothing, on Send it does', async ({ console, page }) => {
  await signIn(page, console);
  const before = await console.execute('query-named-block-nodes');
  await goToCommand(page, console, 'vm', 'blockdev-add');
  await page.getByLabel('driver', { exact: true }).selectOption('null-co');
  await page.getByLabel('Include node-name').check();
  await page.getByLabel('node-name', { exact: true }).fill('by-accident');
  for (const field of ['node-name', 'Timeout in seconds', 'Include node-name']) {
    await page.getByLabel(field, { exact: true }).focus();
    await page.keyboard.press('Enter');
  }
  await page.waitForTimeout(300);
  await expect(reply(page).getByText('The reply appears here.')).toBeVisible();
  expect(await console.execute('query-named-block-nodes')).toEqual(before);
  await page.getByRole('form', { name: 'Command' }).getByRole('button', { name: 'Send' }).focus();
  await page.keyboard.press('Enter');
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
});

test('an expected event is shown beside the reply', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'stop');
  await page.getByLabel('Expect an event').check();
  await page.getByLabel('Event names').fill('STOP, RESUME');
  await sendAndReturn(page);
  const event = page.getByRole('region', { name: 'Expected event' });
  await expect(event.getByRole('treeitem', { name: /^event: "STOP"/ })).toBeVisible();
  const expression = page.getByLabel('Where', { exact: true });
  await expression.fill('@.data.id ==');
  await expect(expression).toHaveAccessibleDescription(/column 13/);
  await send(page);
  await expect(expression).toBeFocused();
  await expression.fill('');
  await page.getByLabel('Seconds after the reply').fill('soon');
  await send(page);
  await expect(page.getByLabel('Seconds after the reply')).toBeFocused();
  await expect(page.getByLabel('Seconds after the reply')).toHaveAccessibleDescription('seconds from 0 to 3600');
  await page.getByLabel('Seconds after the reply').fill('0');
  await send(page);
  await expect(event).toHaveText('STOP or RESUME did not come within 0 s of the reply.');
});

test('the reply does not wait for the expected event', async ({ console, page, request }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'stop');
  await page.getByLabel('Expect an event').check();
  await page.getByLabel('Event names').fill('RESUME');
  await sendAndReturn(page);
  const event = page.getByRole('region', { name: 'Expected event' });
  await expect(event).toContainText('Waiting for RESUME');
  const cancel = page.getByRole('button', { name: 'Cancel', exact: true });
  await cancel.focus();
  const cont = { headers: console.authorization, data: { execute: 'cont' } };
  await request.post(console.api('sessions/vm/execute'), cont);
  await expect(event.getByRole('treeitem', { name: /^event: "RESUME"/ })).toBeVisible();
  await expect(cancel).toBeHidden();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeFocused();

  await sendAndReturn(page);
  await expect(event).toContainText('Waiting for RESUME');
  await cancel.click();
  await expect(event).toHaveText('RESUME is not awaited any more.');
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
});

test('a command can be given up, or given less time', async ({ fake, serve, page }) => {
  const endpoint = await fake({ rules: { 'query-qmp-schema': [{ return: [] }], slow: [], slower: [] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'slow');
  await send(page);
  await page.getByRole('button', { name: 'Cancel', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(reply(page).getByText('Outcome unknown: the command may or may not have been executed.')).toBeVisible();
  await expect(page.getByRole('form', { name: 'Command' }).getByRole('button', { name: 'Send' })).toBeFocused();
  await expect(page.getByRole('button', { name: 'Cancel', exact: true })).toBeHidden();
  await page.getByLabel('Timeout in seconds').fill('0.2');
  await send(page);
  await expect(reply(page).getByRole('alert')).toContainText(/within|time/i);
});

test('danger is seen in transactions and in lines of the human monitor', async ({ console, page, vm }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'human-monitor-command');
  await page.getByLabel('command-line', { exact: true }).fill('quit');
  await send(page);
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('In it, quit ends the process at once, without asking the guest.');
  await page.keyboard.press('Escape');
  await page.getByLabel('command-line', { exact: true }).fill('info status');
  await sendAndReturn(page);
  expect(vm.running).toBe(true);
});

test('copies run in a shell', async ({ console, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, console);
  const copy = async (kind: string): Promise<string> => {
    await page.getByRole('button', { name: 'Copy as…' }).click();
    await page.getByRole('menuitem', { name: kind, exact: true }).click();
    await expect(page.getByText(`Copied as ${kind}`)).toBeAttached();
    return await page.evaluate(() => navigator.clipboard.readText());
  };
  const run = (line: string): string =>
    execFileSync('/bin/sh', ['-c', line], {
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${dirname(consoleBinary())}:${process.env['PATH'] ?? ''}`,
        QMP_CONSOLE_TOKEN: console.token,
      },
    });
  await goToCommand(page, console, 'vm', 'human-monitor-command');
  await page.getByLabel('command-line', { exact: true }).fill(`info version # it's "$HOME" ü`);
  const curl = await copy('curl');
  expect(curl).toContain('$QMP_CONSOLE_TOKEN');
  expect(curl).not.toContain(console.token);
  expect(run(curl)).toMatch(/"return":".+"/);
  expect(run(await copy('qmp-console execute'))).toMatch(/^".+"\n$/);
  await view(page, 'JSON');
  expect(JSON.parse(await copy('QMP message'))).toMatchObject({
    arguments: { 'command-line': `info version # it's "$HOME" ü` },
  });
  expect(await copy('Python (qemu.qmp)')).toContain('QMPClient');
  expect(await copy('websocat')).toContain('--protocol qmp-console.v1');

  // A link fills in, and sends nothing.
  const link = await copy('Link');
  await page.goto('about:blank');
  await page.goto(link);
  await expect(page.getByLabel('command-line', { exact: true })).toHaveValue(`info version # it's "$HOME" ü`);
  await expect(reply(page).getByText('The reply appears here.')).toBeVisible();
});

test('the menu of copies is walked by keys, and says what it cannot', async ({ console, page }) => {
  await signIn(page, console);
  const long = encodeURIComponent(JSON.stringify({ 'command-line': 'x'.repeat(9000) }));
  await page.goto(`${console.url}commands/vm/human-monitor-command?arguments=${long}`);
  const button = page.getByRole('button', { name: 'Copy as…' });
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'QMP message' })).toBeFocused();
  await page.keyboard.press('ArrowUp');
  const link = page.getByRole('menuitem', { name: /^Link/ });
  await expect(link).toBeFocused();
  await expect(link).toContainText('too long for a link: 9,');
  await page.keyboard.press('Escape');
  await expect(button).toBeFocused();
  await expect(page.getByRole('menu')).toBeHidden();
});

test('what is missing in a line or a link is to be entered in the form', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'blockdev-add');
  await view(page, 'Line');
  await page.getByLabel('Command line').fill('blockdev-add driver=qcow2 node-name=n0');
  await view(page, 'Form');
  await expect(page.getByLabel('node-name', { exact: true })).toHaveValue('n0');
  await send(page);
  const file = page.getByLabel('Include file', { exact: true });
  await expect(file).toBeFocused();
  await expect(file).toHaveAccessibleDescription(/^required/);
  await page.keyboard.press('Space');
  await expect(file).toBeHidden();
  await expect(page.getByLabel('Type of file')).toBeVisible();

  await page.goto(`${console.url}commands/vm/set_link?arguments=%7B%22up%22%3Atrue%7D`);
  await expect(page.getByLabel('up', { exact: true })).toBeChecked();
  await send(page);
  await expect(page.getByLabel('name', { exact: true })).toBeFocused();
  await expect(reply(page).getByText('The reply appears here.')).toBeVisible();
});

test('a link that no form can show is shown as JSON', async ({ console, page }) => {
  await signIn(page, console);
  await page.goto(`${console.url}commands/vm/set_link?arguments=%7B%22name%22%3A1%7D`);
  await expect(page.getByRole('alert')).toContainText('The form cannot show this JSON');
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue(/"name": 1/);
  await page.goto(`${console.url}commands/vm/query-yank?oob=1`);
  await expect(page.getByLabel(/out of band/)).toBeChecked();
});

test('what was sent is kept, found and edited, but no secret', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'set_link');
  await page.getByLabel('name', { exact: true }).fill('net0');
  await send(page);
  await expect(reply(page).getByRole('alert')).toBeVisible();
  await goToCommand(page, console, 'vm', 'object-add');
  await view(page, 'Line');
  await page.getByLabel('Command line').fill('object-add qom-type=secret id=s0 data=hunter2');
  await sendAndReturn(page);
  await goToCommand(page, console, 'vm', 'query-status');
  await sendAndReturn(page);
  await page.getByRole('button', { name: 'History', exact: true }).click();
  const kept = page.getByRole('region', { name: 'Sent commands' });
  await expect(kept.getByRole('listitem')).toHaveCount(3);
  await expect(kept.getByRole('listitem').first()).toContainText('query-status');
  await expect(kept.getByRole('listitem').first()).toContainText('returned');
  await expect(kept.getByRole('listitem').nth(1)).toContainText('arguments not kept');
  await expect(kept.getByRole('listitem').nth(2)).toContainText('failed');
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('hunter2');
  await page.getByLabel('Search history').fill('NET0 link');
  await expect(kept.getByRole('listitem')).toHaveCount(1);
  await kept.getByRole('button', { name: 'Edit set_link' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'set_link' })).toBeVisible();
  await expect(page.getByLabel('name', { exact: true })).toHaveValue('net0');

  // On the page of the command itself, it replaces what is entered.
  await page.getByLabel('name', { exact: true }).fill('other');
  await page.getByRole('button', { name: 'History', exact: true }).click();
  await page.getByRole('button', { name: 'Edit set_link' }).click();
  await expect(page.getByLabel('name', { exact: true })).toHaveValue('net0');

  await page.getByLabel('Save this command as').fill('first link');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.reload();
  await page.getByRole('button', { name: 'History', exact: true }).click();
  const saved = page.getByRole('region', { name: 'Saved commands' });
  await expect(saved.getByRole('listitem')).toContainText('first link');
  await saved.getByRole('button', { name: 'Forget first link' }).click();
  await expect(saved).toBeHidden();
  await page.getByRole('button', { name: 'Clear history' }).click();
  await expect(kept.getByRole('listitem')).toHaveCount(0);
});

test('what was entered outlives a reload, but for secrets', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'set_password');
  await page.getByRole('textbox', { name: 'password', exact: true }).fill('hunter2');
  await goToCommand(page, console, 'vm', 'block-job-cancel');
  await page.getByLabel('device', { exact: true }).fill('drive0');
  await page.getByLabel('Timeout in seconds').fill('60');
  await page.getByRole('link', { name: 'stop', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'stop' })).toBeVisible();
  await page.getByRole('button', { name: 'Line', exact: true }).click();
  await page.getByRole('textbox', { name: 'Line' }).fill('stop oops');
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Line' })).toHaveValue('stop oops');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeVisible();
  await page.reload();
  await goToCommand(page, console, 'vm', 'block-job-cancel');
  await expect(page.getByLabel('device', { exact: true })).toHaveValue('drive0');
  await expect(page.getByLabel('Timeout in seconds')).toHaveValue('60');
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await expect(page.getByLabel('Timeout in seconds')).toHaveValue('');
  await goToCommand(page, console, 'vm', 'set_password');
  await expect(page.getByRole('textbox', { name: 'password', exact: true })).toHaveValue('');
});

test('a command of the history is sent again as it was, with what it waits for', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'stop');
  await page.getByLabel('Expect an event').check();
  await page.getByLabel('Event names').fill('STOP');
  await page.getByLabel('Timeout in seconds').fill('9');
  await sendAndReturn(page);
  await goToCommand(page, console, 'vm', 'cont');
  await sendAndReturn(page);
  await page.getByRole('button', { name: 'History', exact: true }).click();
  const sent = page.getByRole('region', { name: 'Sent commands' });
  await expect(sent.getByText('waits 9 s for the reply, expects STOP')).toBeVisible();
  await sent.getByRole('button', { name: 'Resend stop' }).click();
  await expect(reply(page).getByText('stop', { exact: true })).toBeVisible();
  const event = page.getByRole('region', { name: 'Expected event' });
  await expect(event.getByRole('treeitem', { name: /^event: "STOP"/ })).toBeVisible();
  await sent.getByRole('button', { name: 'Edit stop' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'stop' })).toBeVisible();
  await expect(page.getByLabel('Timeout in seconds')).toHaveValue('9');
  await expect(page.getByLabel('Event names')).toHaveValue('STOP');
  expect(new URL(page.url()).searchParams.get('expect')).toBe('STOP');
});

test('the history has the end of what was sent from another page', async ({ fake, serve, page }) => {
  const command = (name: string) => ({ name, 'meta-type': 'command', 'arg-type': '0', 'ret-type': '0' });
  const schema = [command('slow'), command('lost'), { name: '0', 'meta-type': 'object', members: [] }];
  const rules = {
    'query-qmp-schema': [{ return: schema }],
    slow: [{ hold: { until: 'query-name' } }, { return: {} }],
    lost: [],
    'query-name': [{ return: {} }],
  };
  const console = await serve({ vm: await fake({ rules }) });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'slow');
  await send(page);
  await expect(reply(page).getByText('Waiting for the reply')).toBeVisible();
  await openCommand(page, 'vm', 'lost');
  await page.getByRole('button', { name: 'History', exact: true }).click();
  const sent = page.getByRole('region', { name: 'Sent commands' });
  const entry = (name: string) => sent.getByRole('listitem').filter({ hasText: name });
  await expect(entry('slow')).toContainText('no reply seen');
  await console.execute('query-name');
  await expect(entry('slow')).toContainText('returned');
  await send(page);
  await expect(reply(page).getByText('Waiting for the reply')).toBeVisible();
  await page.reload();
  await page.getByRole('button', { name: 'History', exact: true }).click();
  await expect(entry('lost')).toContainText('no reply seen');
});

test('what was replaced comes back, and what has lines keeps them', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'human-monitor-command');
  const text = page.getByRole('textbox', { name: 'command-line', exact: true });
  await text.fill('info block');
  const undo = page.getByRole('button', { name: 'Undo', exact: true });
  await expect(undo).toBeHidden();
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await expect(text).toHaveValue('');
  await undo.click();
  await expect(text).toHaveValue('info block');
  await expect(undo).toBeHidden();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeFocused();
  await view(page, 'JSON');
  const message = page.getByRole('textbox', { name: 'Message' });
  await message.fill('{"execute": "human-monitor-command", "arguments": {"command-line": "info\\nblock"}}');
  await view(page, 'Form');
  await text.press('End');
  await text.press('x');
  await expect(page.getByLabel('Message', { exact: true })).toContainText(String.raw`"info\nblockx"`);
  // The navigation leads back to the same session.
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByRole('link', { name: 'Commands', exact: true }).click();
  await expect(page).toHaveURL(`${console.url}commands/vm`);
});

test('Ctrl+Enter sends once however long it is held, and the question shows what is sent', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-name');
  await page.keyboard.down('Control');
  for (let n = 0; n < 5; n += 1) await page.keyboard.down('Enter');
  await page.keyboard.up('Enter');
  await page.keyboard.up('Control');
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
  const audit = await page.request.get(console.api('audit'), { headers: console.authorization });
  const { entries } = (await audit.json()) as { entries: { command: string }[] };
  expect(entries.filter(({ command }) => command === 'query-name')).toHaveLength(1);
  await goToCommand(page, console, 'vm', 'device_del');
  await page.getByLabel('id', { exact: true }).fill('virtio-disk0');
  await send(page);
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('What is sent')).toHaveText('{"execute":"device_del","arguments":{"id":"virtio-disk0"}}');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});
