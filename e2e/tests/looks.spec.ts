// Every page and its main states, in both themes, wide and narrow: a picture of
// each under `test-results/looks`, nothing clipped, and what axe-core finds.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { connectNow, eventRows, goToCommand, openCommand, reply, seesSession, send, sendAndReturn } from '../support/pages.ts';
import { Way } from '../support/way.ts';

test.describe.configure({ timeout: 90_000 });

interface Look {
  name: string;
  show: (page: Page, console: Console) => Promise<void>;
}

const LOOKS: Look[] = [
  {
    name: 'sessions',
    show: async (page) => {
      for (const session of ['vm', 'storage', 'agent']) await seesSession(page, session, 'running');
      await seesSession(page, 'gone', 'retrying');
    },
  },
  {
    name: 'commands',
    show: async (page, console) => {
      await page.goto(`${console.url}commands/vm`);
      await expect(page.getByRole('link', { name: 'block-commit', exact: true })).toBeVisible();
    },
  },
  {
    name: 'commands-search',
    show: async (page) => {
      await page.getByLabel('Search commands').fill('dirty bitmap');
      await expect(page.getByRole('list', { name: 'In the documentation' })).toBeVisible();
    },
  },
  {
    name: 'command-reply',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'query-block');
      await sendAndReturn(page);
    },
  },
  {
    name: 'reply-changes',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'query-status');
      await sendAndReturn(page);
      const headers = console.authorization;
      await page.request.post(console.api('sessions/vm/execute'), { headers, data: { execute: 'stop' } });
      await sendAndReturn(page);
      await reply(page).getByRole('button', { name: 'Changes' }).click();
      await expect(reply(page).getByText('2 changed', { exact: true })).toBeVisible();
      await page.getByLabel('Search in the reply').fill('status');
      await page.request.post(console.api('sessions/vm/execute'), { headers, data: { execute: 'cont' } });
    },
  },
  {
    name: 'reply-large',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'query-qmp-schema');
      await sendAndReturn(page);
      await reply(page).getByRole('tree').focus();
      await page.keyboard.press('Shift+ArrowRight');
      await page.getByLabel('Search in the reply').fill('blockdev');
      await expect(reply(page).getByText(/^1 of \d+$/)).toBeVisible();
    },
  },
  {
    name: 'reply-raw',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'query-qmp-schema');
      await sendAndReturn(page);
      await reply(page).getByRole('button', { name: 'Raw' }).click();
      await expect(reply(page).getByText(/^The first /)).toBeVisible();
    },
  },
  {
    name: 'reply-raw-search',
    show: async (page) => {
      await page.getByLabel('Search in the raw reply').fill('"meta-type"');
      await page.keyboard.press('Shift+Enter');
      await expect(reply(page).getByText(/^Bytes /)).toBeVisible();
    },
  },
  {
    name: 'reply-text',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'human-monitor-command');
      await page.getByLabel('command-line', { exact: true }).fill('info status');
      await sendAndReturn(page);
      await page.getByLabel('command-line', { exact: true }).fill('info qtree');
      await sendAndReturn(page);
      await reply(page).getByRole('button', { name: 'Changes' }).click();
      await expect(reply(page).getByText(/ new lines$/)).toBeVisible();
      await page.getByLabel('Search in the text').fill('bus: ');
      await page.keyboard.press('Enter');
      await expect(reply(page).getByText(/^2 of /)).toBeVisible();
    },
  },
  {
    name: 'reply-text-opened',
    show: async (page) => {
      await reply(page).getByRole('button', { name: 'Tree', exact: true }).click();
      await reply(page).getByRole('button', { name: 'As text', exact: true }).click();
      await expect(reply(page).getByRole('region', { name: 'Text' })).toBeFocused();
    },
  },
  {
    name: 'reply-plot',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'query-blockstats');
      await sendAndReturn(page);
      await reply(page).getByRole('button', { name: 'Expand all' }).click();
      await page.getByLabel('Search in the reply').fill('rd_bytes');
      await reply(page).getByRole('button', { name: 'Plot', exact: true }).click();
      await reply(page).getByRole('button', { name: 'Repeat', exact: true }).click();
      await expect(reply(page).getByText(/^[23] values in/)).toBeVisible();
    },
  },
  {
    name: 'reply-blame',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'block_resize');
      await page.getByLabel('Include node-name').check();
      await page.getByLabel('node-name', { exact: true }).fill('nothing');
      await page.getByLabel('size', { exact: true }).fill('1M');
      await send(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
      await expect(reply(page).getByText('It speaks of the argument')).toBeVisible();
    },
  },
  {
    name: 'command-form',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'blockdev-add');
      await page.getByLabel('driver', { exact: true }).selectOption('qcow2');
      await page.getByLabel('Include discard').first().check();
      await page.getByLabel('Include read-only').first().check();
      await send(page);
      await expect(page.getByText('This cannot be sent')).toBeVisible();
    },
  },
  {
    name: 'command-left-out',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'block_resize');
      await page.getByLabel('size', { exact: true }).fill('1x');
      await page.getByRole('button', { name: 'Copy as…' }).click();
      await expect(page.getByText('Without what is not valid: size')).toBeVisible();
    },
  },
  {
    name: 'command-left-out-json',
    show: async (page) => {
      await page.getByRole('button', { name: 'JSON', exact: true }).click();
      await expect(page.getByText(/^In the form there is more/)).toBeVisible();
    },
  },
  {
    name: 'command-documentation',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'blockdev-backup');
      const documentation = page.getByRole('region', { name: 'Documentation' });
      const title = documentation.getByText('Documentation', { exact: true });
      const arrow = documentation.getByRole('heading', { name: 'Arguments' });
      if (!(await arrow.isVisible())) await title.click();
      await documentation.locator('summary').filter({ hasText: 'BlockdevOnError' }).first().click();
      await expect(documentation.getByText('Values', { exact: true })).toBeVisible();
      await page.getByRole('button', { name: 'More about bitmap-mode' }).click();
    },
  },
  {
    name: 'commands-favourites',
    show: async (page, console) => {
      await page.goto(`${console.url}commands/vm`);
      const group = page.getByRole('list', { name: 'VM run state' });
      await group.getByRole('button', { name: 'Favourite query-status' }).click();
      await expect(page.getByRole('list', { name: 'Favourites' })).toBeVisible();
      await expect(page.getByRole('list', { name: 'Recent' })).toBeVisible();
    },
  },
  {
    name: 'command-json',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'set_link');
      await page.getByRole('button', { name: 'JSON' }).click();
      const message = '{"execute": "set_link", "arguments": {"name": "net0", "up": 1}}';
      await page.getByRole('textbox', { name: 'Message' }).fill(message);
      await send(page);
      await expect(reply(page).getByRole('alert')).toBeVisible();
    },
  },
  {
    name: 'command-question',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'system_reset');
      await send(page);
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  {
    name: 'command-line',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'blockdev-add');
      await page.getByRole('button', { name: 'Line', exact: true }).click();
      await page.getByLabel('Command line').fill("blockdev-add driver=qcow2 node-name='disk 0' file.driver=null-co");
      await page.getByRole('button', { name: 'JSON', exact: true }).click();
      const message = '{"execute": "blockdev-add", "arguments": {"driver": "raw", "a.b": 1}}';
      await page.getByRole('textbox', { name: 'Message' }).fill(message);
      await page.getByRole('button', { name: 'Line', exact: true }).click();
      await expect(page.getByText('The line cannot show this JSON:')).toBeVisible();
      await page.getByRole('button', { name: 'Reset', exact: true }).click();
      await page.getByRole('button', { name: 'Line', exact: true }).click();
      await page.getByLabel('Command line').fill("blockdev-add driver=raw node-name='disk 0' x=1");
      await expect(page.getByText('x: no such member', { exact: false })).toBeVisible();
    },
  },
  {
    name: 'command-waits',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'stop');
      await page.getByLabel('Timeout in seconds').fill('4000');
      await page.getByLabel('Expect an event').check();
      await page.getByLabel('Event names').fill('STOP');
      await page.getByLabel('Timeout in seconds').fill('60');
      await sendAndReturn(page);
      await expect(page.getByRole('region', { name: 'Expected event' })).toContainText('STOP');
      await page.getByLabel('Timeout in seconds').fill('4000');
    },
  },
  {
    name: 'command-awaits',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'cont');
      await page.getByRole('button', { name: 'Reset', exact: true }).click();
      await page.getByLabel('Expect an event').check();
      await page.getByLabel('Event names').fill('SHUTDOWN');
      await sendAndReturn(page);
      await expect(page.getByRole('region', { name: 'Expected event' })).toContainText('Waiting for SHUTDOWN');
      await page.getByRole('button', { name: 'History', exact: true }).click();
      await expect(page.getByText('expects SHUTDOWN', { exact: true })).toBeVisible();
    },
  },
  {
    name: 'command-properties',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'device_add');
      await page.getByRole('combobox', { name: 'driver', exact: true }).fill('virtio-rng-pci');
      await page.getByLabel('Include id', { exact: true }).check();
      await expect(page.getByText(/^\d+ properties of virtio-rng-pci:/)).toBeVisible();
      const another = page.getByRole('combobox', { name: 'Another argument', exact: true });
      for (const name of ['event_idx', 'max-bytes', 'addr']) {
        await another.fill(name);
        await another.press('Enter');
      }
      await another.fill('dis');
      await another.press('ArrowDown');
      await expect(page.getByRole('option', { name: /^disable-legacy/ })).toHaveAttribute('aria-selected', 'true');
    },
  },
  {
    name: 'command-path',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'qom-get');
      await page.getByRole('combobox', { name: 'path', exact: true }).fill('/machine/unattached/');
      await expect(page.getByRole('option', { name: /^device\[0\]/ })).toBeVisible();
    },
  },
  {
    name: 'command-transaction',
    show: async (page) => {
      const add = page.getByRole('button', { name: 'Add to transaction' });
      await openCommand(page, 'vm', 'block-dirty-bitmap-add');
      await page.getByLabel('node', { exact: true }).fill('disk0');
      for (const name of ['monday', 'tuesday']) {
        await page.getByLabel('name', { exact: true }).fill(name);
        await add.click();
      }
      const tray = page.getByRole('region', { name: 'Transaction' });
      await expect(tray.getByRole('listitem')).toHaveCount(2);
      await openCommand(page, 'vm', 'query-status');
      await tray.scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'command-copy-as',
    show: async (page, console) => {
      await page.goto(`${console.url}commands/vm/set_link?arguments=%7B%22name%22%3A%22a%20secret%22%2C%22up%22%3Atrue%7D`);
      await page.getByRole('button', { name: 'Copy as…' }).click();
      await expect(page.getByRole('menuitem', { name: 'curl' })).toBeVisible();
    },
  },
  {
    name: 'command-history',
    show: async (page, console) => {
      const filled = '?arguments=%7B%22id%22%3A%22nobody%22%7D';
      await page.goto(`${console.url}commands/vm/query-block${filled}`);
      await page.getByRole('button', { name: 'Reset', exact: true }).click();
      await sendAndReturn(page);
      await page.getByRole('button', { name: 'History', exact: true }).click();
      await page.getByLabel('Save this command as').fill('the disks');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await expect(page.getByRole('region', { name: 'Saved commands' })).toBeVisible();
      await page.getByRole('button', { name: 'Clear history' }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'command-agent',
    show: async (page, console) => {
      await goToCommand(page, console, 'agent', 'guest-get-osinfo');
      await sendAndReturn(page);
    },
  },
  {
    name: 'command-down',
    show: async (page, console) => {
      await page.goto(`${console.url}commands/gone/query-status`);
      await expect(page.getByRole('heading', { name: 'No commands yet' })).toBeVisible();
    },
  },
  {
    name: 'events',
    show: async (page, console) => {
      for (const command of ['stop', 'cont', 'system_reset', 'stop', 'cont']) {
        const data = { execute: command };
        await page.request.post(console.api('sessions/vm/execute'), { headers: console.authorization, data });
      }
      await page.goto(`${console.url}events`);
      await expect(eventRows(page, 'RESUME').first()).toBeVisible();
    },
  },
  {
    name: 'event-detail',
    show: async (page, console) => {
      const data = { execute: 'system_reset' };
      await page.request.post(console.api('sessions/vm/execute'), { headers: console.authorization, data });
      await page.goto(`${console.url}events`);
      await eventRows(page, 'RESET').first().click();
      await expect(page.getByRole('region', { name: 'Event detail' })).toBeVisible();
    },
  },
  {
    name: 'event-filter-by-value',
    show: async (page) => {
      const detail = page.getByRole('region', { name: 'Event detail' });
      const line = detail.getByRole('treeitem').filter({ hasText: /^reason: / });
      await line.click();
      await expect(line.getByRole('button', { name: 'Exclude this' })).toBeVisible();
    },
  },
  {
    name: 'event-documentation',
    show: async (page) => {
      const documentation = page.getByRole('region', { name: 'Documentation' });
      await documentation.getByText('Documentation', { exact: true }).click();
      await documentation.locator('summary').filter({ hasText: 'ShutdownCause' }).click();
      await documentation.getByText('guest-panic', { exact: true }).scrollIntoViewIfNeeded();
      await documentation.getByText('Documentation', { exact: true }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'events-commands',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'stop');
      await sendAndReturn(page);
      await openCommand(page, 'vm', 'cont');
      await sendAndReturn(page);
      await page.getByRole('link', { name: 'Events', exact: true }).click();
      await page.getByRole('button', { name: 'Show my commands' }).click();
      await expect(page.getByRole('row').filter({ hasText: 'Command cont returned' })).toBeVisible();
    },
  },
  {
    name: 'event-command-detail',
    show: async (page) => {
      await openCommand(page, 'vm', 'block_resize');
      await page.getByLabel('Include node-name').check();
      await page.getByLabel('node-name', { exact: true }).fill('nothing');
      await page.getByLabel('size', { exact: true }).fill('1M');
      await send(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click();
      await expect(reply(page).getByRole('alert')).toBeVisible();
      await page.getByRole('link', { name: 'Events', exact: true }).click();
      await page.getByRole('row').filter({ hasText: 'Command block_resize failed' }).click();
      await expect(page.getByRole('region', { name: 'Command detail' })).toBeVisible();
    },
  },
  {
    name: 'events-empty',
    show: async (page, console) => {
      await page.goto(`${console.url}events?names=NOTHING`);
      await expect(page.getByText('No events yet that pass this filter.')).toBeVisible();
    },
  },
  {
    name: 'events-faults',
    show: async (page, console) => {
      const where = encodeURIComponent('@.data.id = "a"');
      await page.goto(`${console.url}events?names=stop+Resume&where=${where}&until=yesterday&except=storage`);
      await page.getByRole('combobox', { name: 'Filter by name' }).focus();
      await expect(page.getByRole('button', { name: 'STOP, RESUME' })).toBeVisible();
      await expect(page.getByRole('link', { name: 'Show what is live' })).toBeVisible();
      await page.getByText('Filters', { exact: true }).click();
      await expect(page.getByText(/^The filter is not valid/)).toBeVisible();
    },
  },
  {
    name: 'events-hint',
    show: async (page, console) => {
      const where = encodeURIComponent("@.data.guset == true && @.data['node-name'] == 'disk0'");
      await page.goto(`${console.url}events?names=SHUTDOWN&where=${where}`);
      await page.getByRole('combobox', { name: 'Where' }).focus();
      await expect(page.getByText(/^No such field is known: @.data.guset/)).toBeVisible();
      await page.keyboard.press('Escape');
    },
  },
  {
    name: 'events-file',
    show: async (page, console) => {
      const event = (seq: number, name: string): string =>
        `{"session":"${seq % 2 === 0 ? 'vm' : 'b'}","seq":${seq},"received":"2026-01-01T00:00:${seq % 60}Z","event":{"event":"${name}"}}`;
      const link = '{"session":"vm","link":{"time":"2026-01-01T00:00:09Z","running":';
      const lines = [
        ...Array.from({ length: 70 }, (_, at) => event(at + 10, `EVENT_${at % 35}_CHANGED`)),
        `${link}false,"cause":"the endpoint closed the connection"}}`,
        `${link}true}}`,
        '{"session":"vm","gap":{"from":80,"to":99}}',
        '{"session":"b","not_loaded":{"from":80,"to":900}}',
        event(100, 'M'.repeat(2_000)),
        event(101, 'hidden\\u202e<b>'),
      ];
      await page.goto(`${console.url}events`);
      await page.getByText('File', { exact: true }).click();
      const buffer = Buffer.from(lines.join('\n'));
      const open = page.getByLabel('Open a file of events (NDJSON)');
      await open.setInputFiles({ name: 'kept.ndjson', mimeType: 'application/x-ndjson', buffer });
      await page.getByRole('button', { name: 'and 25 other names' }).click();
      await page.getByRole('row').nth(2).click();
      await expect(page.getByText(/^Only this name: This value is too long/)).toBeVisible();
    },
  },
  {
    name: 'events-until',
    show: async (page, console) => {
      await page.goto(`${console.url}events?until=2026-12-31T22:58:59Z&except=storage`);
      await expect(page.getByRole('link', { name: 'without storage: show it again' })).toBeVisible();
    },
  },
  {
    name: 'palette',
    show: async (page, console) => {
      await page.goto(`${console.url}commands/vm/query-status`);
      await expect(page.getByRole('heading', { level: 1, name: 'query-status' })).toBeVisible();
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Search everything' }).fill('block');
      await page.keyboard.press('ArrowDown');
      await expect(page.getByRole('listbox').getByRole('option', { selected: true })).toHaveText(/ · vm/);
    },
  },
  {
    name: 'palette-empty',
    show: async (page) => {
      await page.getByRole('combobox', { name: 'Search everything' }).fill('no such thing');
      await expect(page.getByRole('heading', { name: 'Nothing found' })).toBeVisible();
    },
  },
  {
    name: 'keys',
    show: async (page) => {
      await page.getByRole('button', { name: 'All keys' }).click();
      await expect(page.getByRole('dialog', { name: 'Keys' }).getByText('Go to Sessions')).toBeVisible();
    },
  },
  {
    name: 'no-such-page',
    show: async (page, console) => {
      await page.goto(`${console.url}nothing/here`);
      await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
    },
  },
  {
    name: 'sign-in',
    show: async (page) => {
      await page.getByRole('button', { name: 'Sign out' }).click();
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    },
  },
];

/** What the console's own state does to the pages, in this order. `address` is that of `vm`. */
const troubles = (address: string): Look[] => [
  {
    name: 'sessions-admin',
    show: async (page) => {
      await seesSession(page, 'vm', 'running');
      await seesSession(page, 'gone', 'retrying');
      await page.getByLabel('Name', { exact: true }).fill('vm');
      await page.getByLabel('Address', { exact: true }).fill('localhost:44x');
      await page.getByRole('button', { name: 'Add session' }).click();
      await expect(page.getByText(/^port "44x" is not/)).toBeVisible();
    },
  },
  {
    name: 'session-question',
    show: async (page) => {
      await page.getByRole('button', { name: 'Remove gone' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  {
    name: 'session-removed',
    show: async (page, console) => {
      await page.goto(`${console.url}commands/vm/query-status`);
      await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeEnabled();
      await console.removeSession('vm');
      await expect(page.getByText('The session “vm” was removed from the console.')).toBeVisible();
    },
  },
  {
    name: 'events-gap',
    show: async (page, console) => {
      await console.addSession('vm', address);
      await page.goto(console.url);
      await seesSession(page, 'vm', 'running');
      await console.execute('stop');
      await page.getByRole('link', { name: 'Events', exact: true }).click();
      await expect(eventRows(page, 'STOP').first()).toBeVisible();
      await console.kill();
      await console.start();
      await connectNow(page);
      await expect(async () => {
        await console.execute('cont');
      }).toPass();
      await expect(page.getByText(/^Events may be missing/)).toBeVisible();
    },
  },
  {
    name: 'viewer-refused',
    show: async (page, console) => {
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Token').fill(await console.newToken('observer', 'viewer'));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByTitle('Signed in as observer (viewer)')).toBeVisible();
      await goToCommand(page, console, 'vm', 'stop');
      await expect(page.getByText('needs operator', { exact: true })).toBeVisible();
      await send(page);
      await expect(reply(page).getByText('not allowed')).toBeVisible();
    },
  },
  {
    name: 'sessions-viewer',
    show: async (page, console) => {
      await page.goto(console.url);
      await seesSession(page, 'vm', 'running');
    },
  },
  {
    name: 'sign-in-again',
    show: async (page, console) => {
      await console.revoke('observer');
      await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
      await expect(page.getByRole('alert')).toHaveText(/^Your token/);
    },
  },
  {
    name: 'events-unconnected',
    show: async (page, console) => {
      await page.goto(`${console.url}events`);
      await signIn(page, console);
      await page.getByRole('link', { name: 'Events', exact: true }).click();
      await expect(eventRows(page, 'STOP').first()).toBeVisible();
      await console.stop();
      await expect(page.getByText('No connection to the console.')).toBeVisible();
    },
  },
];

/** By how many pixels the page is wider than the window. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** In both themes a picture, nothing clipped, and nothing serious that axe-core finds. */
async function look(page: Page, console: Console, { name, show }: Look, width: number): Promise<void> {
  await test.step(name, async () => {
    await show(page, console);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `test-results/looks/${name}-${width}-${colorScheme}.png` });
      expect(await overflow(page), `${name} is wider than the window`).toBe(0);
      const axe = new AxeBuilder({ page });
      // Between the themes only colours differ.
      if (colorScheme === 'dark') axe.withRules('color-contrast');
      const { violations } = await axe.analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      const found = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      expect(found, `${name}, ${colorScheme}`).toEqual([]);
    }
  });
}

test('no page is wider than the window, whatever its width', async ({ serve, vm, agent, page }) => {
  const console = await serve({ vm, agent });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await seesSession(page, 'agent', 'running');
  const addresses = ['', 'commands/vm', 'commands/vm/blockdev-add', 'events?names=STOP'];
  for (const address of addresses) {
    await page.goto(`${console.url}${address}`);
    await expect(page.getByText('Connected', { exact: true })).toBeAttached();
    for (const width of [360, 600, 761, 900, 1041, 1199, 1601, 2560]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await overflow(page), `/${address} at ${width} pixels`).toBe(0);
    }
  }
});

test('each column of a command is wide enough to read', async ({ console, page }) => {
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-named-block-nodes');
  await sendAndReturn(page);
  const columns = page.locator('.desk-side, .documentation, .desk > .reply');
  for (const width of [1800, 2200, 2560, 3840]) {
    await page.setViewportSize({ width, height: 1000 });
    const boxes = await columns.evaluateAll((all) => all.map((each) => each.getBoundingClientRect()));
    expect(boxes.length).toBe(3);
    for (const box of boxes) expect(box.width, `at ${width} pixels`).toBeGreaterThan(300);
    expect(new Set(boxes.map((box) => box.top)).size).toBe(1);
  }
});

for (const [width, height] of [
  [1440, 900],
  [390, 844],
] as const) {
  test.describe(`at ${width} pixels`, () => {
    test.use({ viewport: { width, height }, contextOptions: { reducedMotion: 'reduce' } });

    test('every page', async ({ serve, vm, storage, agent, page, directory }) => {
      // Many pages, each with pictures and with axe-core.
      test.setTimeout(600_000);
      // Each look begins without what was entered for the one before.
      await page.addInitScript(() => sessionStorage.removeItem('qmp-console.unsent'));
      const gone = `unix:${join(directory, 'gone.sock')}`;
      const console = await serve({ vm, storage, agent, gone });
      await signIn(page, console);
      for (const each of LOOKS) await look(page, console, each, width);
    });

    test('roles and troubles', async ({ serve, vm, page, directory }) => {
      const gone = `unix:${join(directory, 'gone.sock')}`;
      const console = await serve({ vm, gone }, ['--data-dir', join(directory, 'state')]);
      await signIn(page, console);
      for (const each of troubles(vm.address)) await look(page, console, each, width);
    });

    test('what was missed and no sessions', async ({ serve, vm, page }) => {
      const way = await Way.of(page);
      const console = await serve({ vm });
      await signIn(page, console);
      await seesSession(page, 'vm', 'running');
      const show = async (): Promise<void> => {
        await way.cut();
        await console.execute('stop');
        await way.heal();
        await expect(page.getByRole('region', { name: 'While away' })).toBeVisible();
      };
      await look(page, console, { name: 'missed', show }, width);
      const remove = async (): Promise<void> => {
        await console.removeSession('vm');
        await expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible();
      };
      await look(page, console, { name: 'no-sessions', show: remove }, width);
    });

    test('a journal in memory', async ({ serve, vm, page, directory }) => {
      const state = join(directory, 'state');
      // A directory where the file should be.
      mkdirSync(join(state, 'journal.sqlite3'), { recursive: true });
      const console = await serve({ vm }, ['--data-dir', state]);
      await signIn(page, console);
      const show = async (): Promise<void> => {
        await goToCommand(page, console, 'vm', 'query-block');
        await sendAndReturn(page);
        await expect(page.getByRole('region', { name: 'State of the console' })).toBeVisible();
      };
      await look(page, console, { name: 'not-ready', show }, width);
    });
  });
}
