// REST and the headers, on the delivered binary and real endpoints.

import { type IncomingMessage, request as httpRequest } from 'node:http';

import type { APIRequestContext, APIResponse } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, test } from '../support/fixtures.ts';

const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Waits until the console says that the session is in this state. */
async function sessionIs(request: APIRequestContext, console: Console, name: string, state: string): Promise<void> {
  await expect
    .poll(async () => {
      const reply = await request.get(console.api(`sessions/${name}`), { headers: console.authorization });
      return (await reply.json()).state;
    })
    .toBe(state);
}

async function expectProblem(reply: APIResponse, status: number, slug: string, detail: RegExp): Promise<void> {
  expect(reply.status(), await reply.text()).toBe(status);
  expect(reply.headers()['content-type']).toBe('application/problem+json');
  expect(await reply.json()).toMatchObject({
    type: `/problems/${slug}`,
    status,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(detail),
  });
}

test('health needs no token', async ({ console, request }) => {
  for (const path of ['healthz', 'readyz']) {
    const reply = await request.get(console.url + path);
    expect(reply.status()).toBe(200);
    expect(await reply.text()).toBe('ok');
  }
});

test('the API needs a token, and says so', async ({ console, request }) => {
  const execute = console.api('sessions/vm/execute');
  await expectProblem(await request.get(console.api('sessions')), 401, 'unauthorized', /token/);
  await expectProblem(await request.get(console.api('sessions/vm/schema')), 401, 'unauthorized', /token/);
  await expectProblem(await request.post(execute, { data: { execute: 'stop' } }), 401, 'unauthorized', /token/);
  const headers = { authorization: 'Bearer 0123456789abcdef0123456789abcdef' };
  await expectProblem(await request.get(console.api('sessions'), { headers }), 401, 'unauthorized', /not valid/);
});

test('login sets a cookie that no script can read, logout clears it', async ({ console, request }) => {
  const login = console.api('login');
  expect(await (await request.get(login)).json()).toEqual({ role: null });
  await expectProblem(await request.post(login, { data: { token: 'wrong' } }), 401, 'unauthorized', /not valid/);

  const reply = await request.post(login, { data: { token: console.token } });
  expect(reply.status()).toBe(204);
  const cookie = reply.headers()['set-cookie'];
  expect(cookie).toContain('HttpOnly');
  expect(cookie).toContain('SameSite=Strict');
  expect(cookie).not.toContain(console.token);
  expect(await (await request.get(login)).json()).toMatchObject({ role: 'admin' });
  expect((await request.get(console.api('sessions'))).status()).toBe(200);

  expect((await request.delete(login)).status()).toBe(204);
  expect(await (await request.get(login)).json()).toEqual({ role: null });
  expect((await request.get(console.api('sessions'))).status()).toBe(401);
});

test('a page of another origin can neither log in nor execute', async ({ console, request }) => {
  await request.post(console.api('login'), { data: { token: console.token } });
  await sessionIs(request, console, 'vm', 'running');
  const execute = console.api('sessions/vm/execute');
  const stop = { data: { execute: 'stop' } };
  for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1']) {
    const headers = { origin };
    await expectProblem(await request.post(execute, { ...stop, headers }), 403, 'forbidden', /origin/);
    const login = { data: { token: console.token }, headers };
    await expectProblem(await request.post(console.api('login'), login), 403, 'forbidden', /origin/);
  }
  const status = await request.post(execute, {
    data: { execute: 'query-status' },
    headers: { origin: `http://${console.host}` },
  });
  expect(await status.json()).toMatchObject({ return: { status: 'running' } });
});

test('a host name that is not ours is refused', async ({ console }) => {
  const get = async (path: string, host: string): Promise<{ status: number | undefined; body: string }> => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { host, ...console.authorization };
      httpRequest(console.url + path, { headers }, resolve).on('error', reject).end();
    });
    const chunks = await response.toArray();
    return { status: response.statusCode, body: Buffer.concat(chunks).toString() };
  };
  for (const path of ['', 'healthz', 'api/v1/sessions']) {
    const { status, body } = await get(path, 'rebound.example:8090');
    expect(status, path).toBe(421);
    expect(JSON.parse(body).detail).toContain('rebound.example:8090');
  }
  const own = await get('api/v1/sessions', console.host);
  expect(own.status).toBe(200);
});

test('a real QEMU, storage daemon and agent are sessions', async ({ serve, vm, storage, agent, request }) => {
  const console = await serve({ vm, storage, agent });
  const headers = console.authorization;
  for (const name of ['vm', 'storage', 'agent']) await sessionIs(request, console, name, 'running');
  const { sessions } = await (await request.get(console.api('sessions'), { headers })).json();
  const version = { qemu: { major: expect.any(Number), minor: expect.any(Number), micro: expect.any(Number) } };
  const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const state = 'running';
  expect(sessions).toMatchObject([
    { name: 'agent', kind: 'qga', address: agent.address, state, since },
    { name: 'storage', kind: 'qmp', address: storage.address, state, since, greeting: { version } },
    { name: 'vm', kind: 'qmp', address: vm.address, state, since, greeting: { version }, status: 'running' },
  ]);
  expect(sessions[0]).not.toHaveProperty('greeting');

  const execute = async (name: string, data: object): Promise<unknown> =>
    await (await request.post(console.api(`sessions/${name}/execute`), { headers, data })).json();
  expect(await execute('storage', { execute: 'query-named-block-nodes', arguments: { flat: true } })).toMatchObject({
    return: expect.arrayContaining([expect.objectContaining({ 'node-name': 'disk0', drv: 'qcow2' })]),
  });
  expect(await execute('agent', { execute: 'guest-ping' })).toEqual({ return: {} });
  expect(await execute('agent', { execute: 'guest-shutdown' })).toMatchObject({ status: 422, class: 'CommandNotFound' });
});

test('a command returns what QEMU returned, with the id that came with it', async ({ console, request }) => {
  await sessionIs(request, console, 'vm', 'running');
  const headers = console.authorization;
  const id = { any: ['value', null] };
  const data = { execute: 'query-status', id };
  const reply = await request.post(console.api('sessions/vm/execute'), { headers, data });
  expect(reply.status()).toBe(200);
  expect(await reply.json()).toMatchObject({ return: { status: 'running', running: true }, id });
});

test("an argument that QEMU refuses is answered in QEMU's own words", async ({ console, request }) => {
  await sessionIs(request, console, 'vm', 'running');
  const headers = console.authorization;
  const execute = async (data: object): Promise<APIResponse> =>
    await request.post(console.api('sessions/vm/execute'), { headers, data });

  const noDevice = await execute({ execute: 'device_del', arguments: { id: 'nothing' } });
  await expectProblem(noDevice, 422, 'execute-error', /nothing/);
  expect(await noDevice.json()).toMatchObject({
    class: 'DeviceNotFound',
    desc: "Device 'nothing' not found",
    session: 'vm',
  });
  const unexpected = await execute({ execute: 'query-status', arguments: { colour: 'blue' } });
  await expectProblem(unexpected, 422, 'execute-error', /colour/);
  expect(await unexpected.json()).toMatchObject({
    class: 'GenericError',
    desc: "Parameter 'colour' is unexpected",
  });
  const unknown = await execute({ execute: 'make-coffee' });
  await expectProblem(unknown, 422, 'execute-error', /make-coffee/);
  expect(await unknown.json()).toMatchObject({ class: 'CommandNotFound' });
  const after = await execute({ execute: 'query-status' });
  expect(after.status()).toBe(200);
});

test('a request that is wrong is refused before QEMU sees it', async ({ console, request }) => {
  await sessionIs(request, console, 'vm', 'running');
  const execute = console.api('sessions/vm/execute');
  const headers = { ...console.authorization, 'content-type': 'application/json' };
  const wrong: [string, RegExp][] = [
    ['stop', /body/],
    ['{"execute":"stop"', /body/],
    ['{"execute":"stop","execute":"cont"}', /execute/],
    ['{"arguments":{}}', /`execute`/],
    ['{"execute":"stop","arguments":[]}', /object/],
    ['{"execute":"stop","timeout":-1}', /`timeout`/],
    ['{"execute":"stop","exec-oob":"stop"}', /both/],
    [`{"execute":"stop","arguments":{"a":${'['.repeat(1100)}${']'.repeat(1100)}}}`, /nest|deep/],
  ];
  for (const [data, detail] of wrong) {
    await expectProblem(await request.post(execute, { headers, data }), 400, 'invalid-request', detail);
  }
  const status = await request.post(execute, { headers, data: '{"execute":"query-status"}' });
  expect(await status.json()).toMatchObject({ return: { status: 'running' } });
});

test('what is not there is named', async ({ console, request }) => {
  const headers = console.authorization;
  const data = { execute: 'query-status' };
  const nobody = await request.post(console.api('sessions/nobody/execute'), { headers, data });
  await expectProblem(nobody, 404, 'not-found', /nobody/);
  await expectProblem(await request.get(console.api('sessions/nobody'), { headers }), 404, 'not-found', /nobody/);
  await expectProblem(await request.get(console.api('nothing'), { headers }), 404, 'not-found', /./);
});

test('a session without its QEMU says why, and comes back by itself', async ({ console, vm, request }) => {
  const headers = console.authorization;
  const data = { execute: 'query-status' };
  await sessionIs(request, console, 'vm', 'running');
  await vm.kill();
  await sessionIs(request, console, 'vm', 'retrying');
  const session = await (await request.get(console.api('sessions/vm'), { headers })).json();
  expect(session.cause).toMatch(/./);
  const refused = await request.post(console.api('sessions/vm/execute'), { headers, data });
  await expectProblem(refused, 409, 'state-error', /vm/);
  await vm.start();
  await sessionIs(request, console, 'vm', 'running');
  const reply = await request.post(console.api('sessions/vm/execute'), { headers, data });
  expect(reply.status()).toBe(200);
});

test('a command whose connection is lost has an unknown outcome', async ({ fake, serve, request }) => {
  const endpoint = await fake({ rules: { 'system_reset': ['close'] } });
  const console = await serve({ vm: endpoint });
  await sessionIs(request, console, 'vm', 'running');
  const headers = console.authorization;
  const data = { execute: 'system_reset' };
  const reply = await request.post(console.api('sessions/vm/execute'), { headers, data });
  await expectProblem(reply, 502, 'execute-interrupted', /./);
  expect(await reply.json()).toMatchObject({ outcome: 'unknown', session: 'vm' });
});

test('every answer carries the security headers', async ({ console, request }) => {
  const paths = ['', 'commands/vm/query-status', 'healthz', 'api/v1/sessions', 'api/v1/login', 'api/v1/nothing'];
  for (const path of paths) {
    const reply = await request.get(console.url + path);
    expect(reply.headers(), path).toMatchObject({
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  }
});

test('the schema is QEMU\'s own, and is asked for only once', async ({ console, request }) => {
  await sessionIs(request, console, 'vm', 'running');
  const schema = console.api('sessions/vm/schema');
  const first = await request.get(schema, { headers: console.authorization });
  const entities: { name: string; 'meta-type': string }[] = (await first.json()).schema;
  const commands = entities.filter((entity) => entity['meta-type'] === 'command').map(({ name }) => name);
  expect(commands).toEqual(expect.arrayContaining(['query-status', 'blockdev-add', 'migrate', 'quit']));
  const etag = first.headers()['etag'];
  expect(etag).toMatch(/^".+"$/);
  const headers = { ...console.authorization, 'if-none-match': etag ?? '' };
  expect((await request.get(schema, { headers })).status()).toBe(304);
});

test('the console ends in order when asked to', async ({ console, vm }) => {
  expect(await console.stop()).toBe('exit code 0');
  expect(vm.running).toBe(true);
});
