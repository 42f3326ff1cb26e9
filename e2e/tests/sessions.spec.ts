// Endpoints and consoles that go and come, and endpoints that are none.

import { readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { expect, signIn, test } from '../support/fixtures.ts';
import { connectNow, eventRows, goToCommand, openCommand, reply, seesSession, sendAndReturn } from '../support/pages.ts';
import { connect } from '../support/sockets.ts';

test('QEMU is killed, the session goes down; QEMU starts, it comes back', async ({ console, vm, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await vm.kill();
  await seesSession(page, 'vm', 'retrying');
  await expect(page.getByText(/Connection refused|No such file|connection/i).first()).toBeVisible();
  await vm.start();
  await seesSession(page, 'vm', 'running', 15_000);
  await openCommand(page, 'vm', 'query-status');
  await sendAndReturn(page);
});

test('a command page of a session that went down says why and does not send', async ({ console, vm, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'set_link');
  await page.getByLabel('name', { exact: true }).fill('net0');
  await vm.kill();
  await expect(page.getByText(/^The session is retrying: /)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
  await vm.start();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeEnabled({ timeout: 15_000 });
  // The same QEMU has the same schema: what was entered is still there.
  await expect(page.getByLabel('name', { exact: true })).toHaveValue('net0');
});

test('a monitor that another client has is waited for, and said so', async ({ serve, vm, page }) => {
  const owner = await connect(vm.socket);
  const console = await serve({ vm });
  await signIn(page, console);
  await seesSession(page, 'vm', 'waiting', 10_000);
  await expect(page.getByText('the monitor may be in use by another client')).toBeVisible();
  owner.destroy();
  await seesSession(page, 'vm', 'running');
});

test('a socket that is not there, and one that is not QMP', async ({ serve, directory, page }) => {
  const path = join(directory, 'http.sock');
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  const nowhere = join(directory, 'nowhere.sock');
  const console = await serve({ other: `unix:${path}`, nowhere: `unix:${nowhere}` });
  await signIn(page, console);
  await seesSession(page, 'other', 'retrying');
  await seesSession(page, 'nowhere', 'retrying');
  const row = (name: string) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) });
  await expect(row('nowhere')).toContainText('No such file or directory');
  await expect(row('other')).toContainText(/JSON|QMP/);
  await page.goto(`${console.url}commands/nowhere/query-status`);
  await expect(page.getByText(/The session is retrying: .*No such file or directory/)).toBeVisible();
  await new Promise((resolve) => server.close(resolve));
});

test('the console is restarted: the page comes back by itself', async ({ durable: console, directory, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await openCommand(page, 'vm', 'stop');
  await sendAndReturn(page);
  await page.evaluate(() => Object.assign(window, { loadedOnce: true }));
  await console.stop();
  await expect(page.getByText('No connection to the console.')).toBeVisible();
  await expect(page.getByText(/^Connecting again in \d+ s\.$/)).toBeVisible();
  // The login is kept; the events are not.
  const state = join(directory, 'state');
  for (const name of await readdir(state)) if (name.startsWith('journal')) await rm(join(state, name));
  await console.start();
  await connectNow(page);
  // A console without its journal counts anew, and the page says so.
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page.getByText(/The console started anew/)).toBeVisible();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  expect(await page.evaluate(() => 'loadedOnce' in window)).toBe(true);
});

test('without a session the page says how to get one', async ({ serve, page }) => {
  const console = await serve({});
  await signIn(page, console);
  await expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible();
  await expect(page.getByText('qmp-console serve --session vm=unix:/run/vm.qmp')).toBeVisible();
});

test('two pages see the same events', async ({ console, page, context }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  const other = await context.newPage();
  await other.goto(`${console.url}events`);
  await expect(other.getByText('No events yet.')).toBeVisible();
  await openCommand(page, 'vm', 'stop');
  await sendAndReturn(page);
  await expect(reply(page).getByRole('tree')).toBeVisible();
  await expect(eventRows(other, 'STOP')).toHaveCount(1);
});

test('a page that is opened while the console is away is there when it is back', async ({ durable: console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.stop();
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'The page could not be loaded' })).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { name: 'The page could not be loaded' })).toBeVisible();
  await console.start();
  await expect(page.getByRole('combobox', { name: 'Filter by name' })).toBeVisible({ timeout: 15_000 });
});
