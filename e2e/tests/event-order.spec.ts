// What a page shows of events that were there before it, and how it is walked by keyboard.

import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, seesSession } from '../support/pages.ts';

test('events of several sessions are in the order of time after a reload', async ({ fake, serve, page }) => {
  const script = (name: string): { rules: Record<string, [{ event: { name: string } }, { return: object }]> } => ({
    rules: { go: [{ event: { name } }, { return: {} }] },
  });
  const console = await serve({ a: await fake(script('FIRST'), 'a'), b: await fake(script('SECOND'), 'b') });
  await signIn(page, console);
  for (const session of ['a', 'b']) await seesSession(page, session, 'running');
  for (let round = 0; round < 3; round += 1) {
    for (const session of ['a', 'b']) {
      const headers = console.authorization;
      const url = console.api(`sessions/${session}/execute`);
      expect((await page.request.post(url, { headers, data: { execute: 'go' } })).status()).toBe(200);
    }
  }
  await page.goto(`${console.url}events`);
  await expect(eventRows(page, 'FIRST')).toHaveCount(3);
  await expect(eventRows(page, 'SECOND')).toHaveCount(3);
  const names = page.getByRole('table', { name: 'Events' }).getByRole('cell', { name: /^(FIRST|SECOND)$/ });
  await expect(names).toHaveText(['SECOND', 'FIRST', 'SECOND', 'FIRST', 'SECOND', 'FIRST']);
});

test('a quiet session stands among no busy one of which only the latest is loaded', async ({ fake, serve, page }) => {
  const quiet = await fake({ rules: { go: [{ event: { name: 'QUIET' } }, { return: {} }] } }, 'quiet');
  const flood = { flood: { event: 'FLOOD', count: 1_500 } };
  const busy = await fake({ rules: { go: [flood, { return: {} }] } }, 'busy');
  const console = await serve({ quiet, busy });
  await signIn(page, console);
  for (const session of ['quiet', 'busy']) await seesSession(page, session, 'running');
  for (const session of ['quiet', 'busy']) await console.execute('go', undefined, session);
  await page.goto(`${console.url}events`);
  const table = page.getByRole('table', { name: 'Events' });
  await expect(page.getByText('1,000 rows')).toBeVisible();
  // Scrolled back, it is where it was: before all of the flood.
  const toEnd = async (): Promise<string | null> => {
    await page.locator('.table').evaluate((element) => element.scrollTo(0, element.scrollHeight));
    return await table.getByRole('row').nth(-2).textContent();
  };
  await expect.poll(toEnd).toContain('Connected to the endpoint');
  const last = await table.getByRole('row').allTextContents();
  const quietAt = last.findIndex((row) => row.includes('QUIET'));
  expect(last.findLastIndex((row) => row.includes('FLOOD'))).toBe(quietAt - 1);
  // By itself all of it is there at once.
  await page.goto(`${console.url}events?session=quiet`);
  await expect(eventRows(page, 'QUIET')).toHaveCount(1);
});

test('what the console had already comes once, however late', async ({ fake, serve, page }) => {
  const console = await serve({ vm: await fake({ rules: { go: [{ event: { name: 'ONCE' } }, { return: {} }] } }) });
  await page.clock.install();
  // All that the console says after its greeting waits, when it is to.
  let holds = false;
  const held: (() => void)[] = [];
  await page.routeWebSocket(/\/api\/v1\/ws$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      const pass = (): void => socket.send(message);
      if (holds && !message.toString().includes('"type":"hello"')) held.push(pass);
      else pass();
    });
  });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('go');
  holds = true;
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('limit=500')) asked.push(request.url());
  });
  await page.goto(`${console.url}events?session=vm`);
  await expect(page.getByText('Connected', { exact: true })).toBeVisible();
  await page.clock.runFor(2_000);
  await expect(page.getByText('0 rows')).toBeVisible();
  expect(asked).toEqual([]);
  holds = false;
  for (const pass of held.splice(0)) pass();
  await page.clock.runFor(2_000);
  await expect(eventRows(page, 'ONCE')).toHaveCount(1);
  // And what was before it when that is asked for.
  await page.getByRole('button', { name: 'Show older events' }).click();
  await expect(page.getByText('The log begins here.')).toBeVisible();
  await expect(eventRows(page, 'ONCE')).toHaveCount(1);
});

test('a filter that nothing here passes is asked of the log', async ({ fake, serve, page }) => {
  const flood = { flood: { event: 'FLOOD', count: 1_500 } };
  const endpoint = await fake({ rules: { rare: [{ event: { name: 'RARE' } }, flood, { return: {} }] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('rare');
  // The page has the newest thousand only.
  await page.goto(`${console.url}events?names=RARE`);
  await expect(eventRows(page, 'RARE')).toHaveCount(1);
});

test('rows are one stop of Tab, marks are walked over, and Escape goes back to the row', async ({ fake, serve, page }) => {
  const several = ['A', 'B', 'C'].map((name) => ({ event: { name } }));
  const endpoint = await fake({ rules: { go: [...several, { return: {} }], end: [{ return: {} }, 'close'] } });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('go');
  await console.execute('end');
  await expect(page.getByText(/^Connected to the endpoint/)).toBeVisible();
  await console.execute('go');
  // The last of them: they need not come in one frame.
  await expect(eventRows(page, 'C')).toHaveCount(2);
  await expect(page.locator('[data-row][tabindex="0"]')).toHaveCount(1);
  const newest = eventRows(page, 'C').first();
  await newest.focus();
  for (let row = 0; row < 5; row += 1) await page.keyboard.press('ArrowDown');
  // Past the two marks of the connection.
  await expect(eventRows(page, 'C').last()).toBeFocused();
  await page.keyboard.press('Enter');
  const detail = page.getByRole('region', { name: 'Event detail' });
  await detail.getByRole('tree').focus();
  await page.keyboard.press('Escape');
  await expect(detail).toBeHidden();
  await expect(eventRows(page, 'C').last()).toBeFocused();
  await page.keyboard.press('Enter');
  await detail.getByRole('button', { name: 'Close' }).click();
  await expect(eventRows(page, 'C').last()).toBeFocused();
  // What comes meanwhile does not take it away.
  await console.execute('go');
  await expect(eventRows(page, 'C')).toHaveCount(3);
  await expect(eventRows(page, 'C').last()).toBeFocused();
});

test('the keys go on from a row that others have pushed out of sight', async ({ fake, serve, page }) => {
  const flood = { flood: { event: 'FLOOD', count: 300 } };
  const endpoint = await fake({
    rules: { go: [{ event: { name: 'A' } }, { event: { name: 'B' } }, { return: {} }], more: [flood, { return: {} }] },
  });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('go');
  await eventRows(page, 'B').focus();
  await console.execute('more');
  await expect(page.getByText('302 rows')).toBeVisible();
  await expect(eventRows(page, 'B')).toHaveCount(0);
  await expect(page.getByRole('table', { name: 'Events' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(eventRows(page, 'A')).toBeFocused();
  await expect(eventRows(page, 'A')).toBeInViewport();
  // Also when the frame gets lower, as by what is said above it.
  await page.setViewportSize({ width: 1280, height: 480 });
  await expect(eventRows(page, 'A')).toBeInViewport();
});
