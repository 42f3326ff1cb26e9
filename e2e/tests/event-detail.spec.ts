// The detail of an event: each value filters or excludes, and the manual tells
// what the event is.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, seesSession } from '../support/pages.ts';

const where = (page: Page): Locator => page.getByRole('combobox', { name: 'Where' });
const rows = (page: Page): Locator => page.getByRole('table', { name: 'Events' }).locator('[data-row]');
const detail = (page: Page): Locator => page.getByRole('region', { name: 'Event detail' });
const documentation = (page: Page): Locator => detail(page).getByRole('region', { name: 'Documentation' });
const line = (page: Page, text: string | RegExp): Locator =>
  detail(page).getByRole('treeitem').filter({ hasText: text });

/** Points at the line and presses its button. */
async function act(page: Page, text: RegExp, name: string): Promise<void> {
  await line(page, text).hover();
  await line(page, text).getByRole('button', { name }).click();
}

async function goToEvents(page: Page, console: Console): Promise<void> {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
}

test('a value is filtered by and excluded with the mouse', async ({ console, page }) => {
  await goToEvents(page, console);
  for (const command of ['stop', 'cont', 'system_reset', 'stop']) await console.execute(command);
  await eventRows(page, 'RESET').first().click();
  await act(page, /^guest: /, 'Filter by this');
  await expect(where(page)).toHaveValue('@.data.guest == false');
  await expect(rows(page)).toHaveCount(1);
  await act(page, /^reason: /, 'Exclude this');
  await expect(where(page)).toHaveValue('@.data.guest == false && @.data.reason != "host-qmp-system-reset"');
  await expect(page.getByText('No events yet that pass this filter.')).toBeVisible();
  // What is written with an "or" stays whole.
  await where(page).fill('@.event == "STOP" || @.event == "RESET"');
  await act(page, /^event: /, 'Exclude this');
  await expect(where(page)).toHaveValue('(@.event == "STOP" || @.event == "RESET") && @.event != "RESET"');
  await expect(rows(page)).toHaveCount(2);
  // Of the time and of what has members there is nothing to filter by.
  for (const of of [/^seconds: /, /^data: /]) {
    await expect(line(page, of).getByRole('button', { includeHidden: true })).toHaveCount(0);
  }
  await where(page).fill('');
  await detail(page).getByRole('link', { name: 'Only this session' }).click();
  await expect(page.getByLabel('Session', { exact: true })).toHaveValue('vm');
});

test('the same by the keyboard, and what cannot be said is said', async ({ fake, serve, page }) => {
  const odd = {
    'it\'s "n"': 'a"b\\c\u202e\u0000\n',
    nothing: null,
    list: [1, { on: true }],
    long: 'x'.repeat(1100),
  };
  // Half a character, which no script can hold.
  const half = '{"event":"HALF","data":{"half":"\\ud800"},"timestamp":{"seconds":1,"microseconds":2}}\r\n';
  const endpoint = await fake({
    rules: {
      go: [
        { event: { name: 'ODD', data: odd } },
        { event: { name: 'ODD', data: { nothing: 1 } } },
        { send: half },
        { return: {} },
      ],
    },
  });
  const console = await serve({ vm: endpoint });
  await goToEvents(page, console);
  await console.execute('go');
  await eventRows(page, 'ODD').last().click();
  const tree = detail(page).getByRole('tree');
  const press = async (text: string | RegExp, key: string): Promise<void> => {
    await line(page, text).click();
    await expect(tree).toBeFocused();
    await page.keyboard.press(key);
  };
  for (const [text, said] of [
    [/^it's "n": /, `@.data['it\\'s "n"'] == "a\\"b\\\\c\\u202e\\u0000\\n"`],
    [/^nothing: /, '@.data.nothing == null'],
    [/^0: 1/, '@.data.list[0] == 1'],
    [/^on: /, '@.data.list[1].on == true'],
  ] as const) {
    await where(page).fill('');
    await expect(rows(page)).toHaveCount(3);
    await press(text, 'f');
    await expect(where(page)).toHaveValue(said);
    await expect(where(page)).not.toHaveAttribute('aria-invalid');
    await expect(rows(page)).toHaveCount(1);
    // What is excluded is gone, and the other one comes.
    await where(page).fill('');
    await press(text, 'x');
    await expect(where(page)).toHaveValue(said.replace(' == ', ' != '));
    await expect(eventRows(page, 'ODD')).toHaveCount(1);
  }
  await where(page).fill('');
  await expect(line(page, /^long: /).getByText('This value is too long to filter by.')).toHaveCount(1);
  await expect(line(page, /^long: /).getByRole('button', { includeHidden: true })).toHaveCount(0);
  await press(/^long: /, 'f');
  await expect(detail(page).getByRole('alert')).toHaveText('This value is too long to filter by.');
  await eventRows(page, 'HALF').click();
  await press(/^half: /, 'f');
  await expect(detail(page).getByRole('alert')).toHaveText('No expression can tell this value.');
  await expect(where(page)).toHaveValue('');
});

test('a number of 64 bits is filtered by as it is', async ({ console, page }) => {
  await goToEvents(page, console);
  const event = (n: string): string => `{"seq":1,"session":"vm","event":{"event":"BIG","data":{"n":${n}}}}\n`;
  const buffer = Buffer.from(event('18446744073709551615') + event('1'));
  await page.getByText('File', { exact: true }).click();
  const open = page.getByLabel('Open a file of events (NDJSON)');
  await open.setInputFiles({ name: 'big.ndjson', mimeType: 'application/x-ndjson', buffer });
  await rows(page).last().click();
  await line(page, /^n: /).click();
  await page.keyboard.press('f');
  await expect(where(page)).toHaveValue('@.data.n == 18446744073709551615');
  await expect(rows(page)).toHaveCount(1);
});

test('another event takes the place of the one before, and closing goes back to its row', async ({ fake, serve, page }) => {
  const events = ['A', 'B'].map((name) => ({ event: { name, data: { name } } }));
  const flood = { flood: { event: 'FLOOD', count: 300 } };
  const endpoint = await fake({ rules: { go: [...events, { return: {} }], more: [flood, { return: {} }] } });
  const console = await serve({ vm: endpoint });
  await goToEvents(page, console);
  await console.execute('go');
  await expect(rows(page)).toHaveCount(2);
  await eventRows(page, 'B').click();
  const lines = detail(page).getByRole('tree', { name: 'Event' }).getByRole('treeitem');
  await expect(lines.filter({ hasText: 'name: "B"' })).toHaveCount(1);
  const count = await lines.count();
  await page.keyboard.press('ArrowDown');
  await expect(lines.filter({ hasText: 'name: "A"' })).toHaveCount(1);
  await expect(lines).toHaveCount(count);
  // Its row is drawn no more, and yet the keys go on from there.
  await console.execute('more');
  await expect(page.getByText('302 rows')).toBeVisible();
  await detail(page).getByRole('button', { name: 'Close' }).click();
  await page.keyboard.press('ArrowUp');
  await expect(eventRows(page, 'B')).toBeFocused();
});

test('the manual tells what the event is, in its detail', async ({ console, page }) => {
  await goToEvents(page, console);
  await console.execute('system_reset');
  await eventRows(page, 'RESET').first().click();
  await expect(documentation(page).getByText('Emitted when the virtual machine is reset')).toHaveCount(0);
  await documentation(page).getByText('Documentation', { exact: true }).click();
  await expect(documentation(page).getByText('Emitted when the virtual machine is reset')).toBeVisible();
  await expect(documentation(page).getByRole('heading', { name: 'Data' })).toBeVisible();
  await expect(documentation(page).getByRole('term').filter({ hasText: /^guest/ })).toBeVisible();
  await documentation(page).locator('summary').filter({ hasText: 'ShutdownCause' }).click();
  await expect(documentation(page).getByText('guest-panic', { exact: true })).toBeVisible();
  // It stays open for the next one.
  await console.execute('stop');
  await eventRows(page, 'STOP').first().click();
  await expect(documentation(page).getByText('Emitted when the virtual machine is stopped')).toBeVisible();
});

test.describe('a host without the manual', () => {
  test.beforeEach(({ directory }) => {
    mkdirSync(join(directory, 'man', 'man7'), { recursive: true });
    process.env['MANPATH'] = join(directory, 'man');
  });
  test.afterEach(() => {
    delete process.env['MANPATH'];
  });

  test('says so beside an event', async ({ console, page }) => {
    await goToEvents(page, console);
    await console.execute('stop');
    await eventRows(page, 'STOP').click();
    await documentation(page).getByText('Documentation', { exact: true }).click();
    await expect(documentation(page)).toContainText("The console's host has no manual page qemu-qmp-ref(7)");
  });

  test('or has one without the event, whose text is shown as text', async ({ console, directory, page }) => {
    const roff = [
      '.TH "QEMU-QMP-REF" "7" "Nov 25, 2026" "9.9.9" "QEMU"',
      '.SH CHAPTER',
      '.SS STOP (Event)',
      '<img src=x onerror=alert(1)> was stopped',
    ];
    writeFileSync(join(directory, 'man', 'man7', 'qemu-qmp-ref.7'), roff.join('\n'));
    await goToEvents(page, console);
    for (const command of ['stop', 'cont']) await console.execute(command);
    await eventRows(page, 'STOP').click();
    await documentation(page).getByText('Documentation', { exact: true }).click();
    await expect(documentation(page)).toContainText('<img src=x onerror=alert(1)> was stopped');
    await expect(documentation(page)).toContainText(/The endpoint is QEMU 7\.2\.\d+/);
    await eventRows(page, 'RESUME').click();
    await expect(documentation(page)).toContainText('The manual does not have this event.');
  });
});
