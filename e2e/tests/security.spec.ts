// What a browser must not be able to do, and text that must stay text.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, goToCommand, reply, seesSession, send } from '../support/pages.ts';

test('a page of a foreign origin is refused, although the browser sends the cookie along', async ({
  console,
  page,
  context,
  request,
}) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>foreign</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const foreign = await context.newPage();
  // Another port is another origin, but the same site: the cookie comes along.
  await foreign.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const opened = await foreign.evaluate(async (host) => {
    const socket = new WebSocket(`ws://${host}/api/v1/ws`, 'qmp-console.v1');
    return await new Promise((resolve) => {
      socket.onopen = () => resolve('open');
      socket.onclose = () => resolve('closed');
    });
  }, console.host);
  expect(opened).toBe('closed');
  await foreign.evaluate(async (url) => {
    // The browser hides the answer, refused or not; what counts is what it did.
    const init: RequestInit = { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"execute":"stop"}' };
    await fetch(url, init).catch(() => undefined);
  }, console.api('sessions/vm/execute'));
  const status = await request.post(console.api('sessions/vm/execute'), {
    headers: console.authorization,
    data: { execute: 'query-status' },
  });
  expect(await status.json()).toMatchObject({ return: { status: 'running' } });
  await new Promise((resolve) => server.close(resolve));
});

const MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const TURNED = 'safe\u202eelgnat\u0007';

test('text of an endpoint stays text', async ({ fake, serve, page }) => {
  const schema = [
    { name: MARKUP, 'meta-type': 'command', 'arg-type': '0', 'ret-type': '1' },
    { name: '0', 'meta-type': 'object', members: [{ name: MARKUP, type: 'str' }, { name: TURNED, type: '2' }] },
    { name: '1', 'meta-type': 'object', members: [] },
    { name: '2', 'meta-type': 'enum', members: [{ name: MARKUP }, { name: 'b' }] },
    { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  ];
  const hostile = { [MARKUP]: MARKUP, [TURNED]: TURNED, long: 'x'.repeat(1_000_000) };
  const endpoint = await fake({
    rules: {
      'query-qmp-schema': [{ return: schema }],
      [MARKUP]: [{ event: { name: MARKUP, data: hostile } }, { return: hostile }],
      fails: [{ error: { class: MARKUP, desc: MARKUP } }],
    },
  });
  const console = await serve({ vm: endpoint });
  await signIn(page, console);
  await page.goto(`${console.url}commands/vm`);
  await page.getByRole('link', { name: MARKUP }).click();
  await page.getByLabel(MARKUP, { exact: true }).fill(MARKUP);
  await page.getByLabel('safe\\u202eelgnat\\u0007', { exact: true }).selectOption('b');
  await send(page);
  await expect(reply(page).getByText(/^return in/)).toBeVisible();
  await expect(reply(page).getByRole('treeitem', { name: 'safe\\u202eelgnat\\u0007: ' })).toBeVisible();
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await eventRows(page, MARKUP).click();
  const detail = page.getByRole('region', { name: 'Event detail' });
  await expect(detail.getByRole('heading').first()).toHaveText(MARKUP);
  // As the value of a filter too.
  await detail.getByRole('treeitem').filter({ hasText: /^event: / }).click();
  await page.keyboard.press('x');
  const where = page.getByRole('combobox', { name: 'Where' });
  await expect(where).toHaveValue(`@.event != ${JSON.stringify(MARKUP)}`);
  await expect(where).not.toHaveAttribute('aria-invalid');
  await expect(eventRows(page, MARKUP)).toHaveCount(0);
  await goToCommand(page, console, 'vm', 'fails');
  await send(page);
  await expect(reply(page).getByRole('alert')).toContainText(MARKUP);
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});
