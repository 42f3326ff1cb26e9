// What a test gets: real endpoints and a real console, made when asked for,
// and gone with the test.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Page, type TestInfo, test as base, expect } from '@playwright/test';

import { Console, type Fate, type Sessions } from './console.ts';
import { Agent, Fake, type Script, Storage, Vm } from './endpoints.ts';

export { expect };

interface Fixtures {
  /** An empty directory, short enough for the paths of unix sockets. */
  directory: string;
  /** A running QEMU. */
  vm: Vm;
  /** A running storage daemon. */
  storage: Storage;
  /** A running guest agent. */
  agent: Agent;
  /** Starts a fake endpoint; several need several names. */
  fake: (script: Script, name?: string) => Promise<Fake>;
  /** Starts a console on sessions of the test's choice. */
  serve: (sessions: Sessions, args?: readonly string[], fate?: Fate) => Promise<Console>;
  /** A running console with the one session `vm`. */
  console: Console;
  /** The same with a data directory, and so with tokens and a journal. */
  durable: Console;
  /** What the page complained about that it should not; must stay empty. */
  complaints: string[];
}

export const test = base.extend<Fixtures>({
  directory: async ({}, use) => {
    const directory = await mkdtemp(join(tmpdir(), 'qmp-e2e-'));
    await use(directory);
    await rm(directory, { recursive: true });
  },

  vm: async ({ directory }, use, testInfo) => {
    await running(new Vm(directory), 'qemu', use, testInfo);
  },

  storage: async ({ directory }, use, testInfo) => {
    await running(new Storage(directory), 'storage', use, testInfo);
  },

  agent: async ({ directory }, use, testInfo) => {
    await running(new Agent(directory), 'agent', use, testInfo);
  },

  fake: async ({ directory }, use, testInfo) => {
    await several<[Script, string?], Fake>(
      (script, name) => new Fake(directory, script, name),
      'fake',
      use,
      testInfo,
    );
  },

  serve: async ({}, use, testInfo) => {
    await several<[Sessions, (readonly string[])?, Fate?], Console>(
      (sessions, args, fate) => new Console(sessions, args, fate),
      'console',
      use,
      testInfo,
    );
  },

  console: async ({ serve, vm }, use) => {
    const console = await serve({ vm });
    await use(console);
  },

  durable: async ({ serve, vm, directory }, use) => {
    await use(await serve({ vm }, ['--data-dir', join(directory, 'state')]));
  },

  // Every test that opens a page fails when the page breaks its own security
  // policy, panics, or says anything in the browser's console that is not about
  // a console that the test itself took away.
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() !== 'error' && message.type() !== 'warning') return;
        if (!EXPECTED.test(message.text())) complaints.push(message.text());
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

/** What Chromium itself says of refused, failed or cut connections. */
const EXPECTED = /Failed to load resource|WebSocket connection to|net::ERR_|TypeError: Failed to fetch/;

interface Startable {
  start(): Promise<void>;
  stop(): Promise<unknown>;
  readonly log: string;
}

/** Lends out one, and ends it. */
async function running<T extends Startable>(
  subject: T,
  name: string,
  use: (subject: T) => Promise<void>,
  testInfo: TestInfo,
): Promise<void> {
  const start = async (): Promise<T> => subject;
  await several(start, name, async (make) => await use(await make()), testInfo);
}

/** Lends out a way to make them, and ends all that were made. */
async function several<A extends unknown[], T extends Startable>(
  make: (...args: A) => T | Promise<T>,
  name: string,
  use: (make: (...args: A) => Promise<T>) => Promise<void>,
  testInfo: TestInfo,
): Promise<void> {
  const made: T[] = [];
  try {
    await use(async (...args) => {
      const subject = await make(...args);
      // Before it is started: a failed start may leave something too.
      made.push(subject);
      await subject.start();
      return subject;
    });
  } finally {
    await Promise.all(made.map((subject) => subject.stop()));
    if (testInfo.status !== testInfo.expectedStatus) {
      for (const [index, { log }] of made.entries()) {
        const title = index === 0 ? name : `${name}-${index + 1}`;
        await testInfo.attach(`${title}.log`, { body: log, contentType: 'text/plain' });
      }
    }
  }
}

/** Opens the console as its ready URL does, and waits until the page is there. */
export async function signIn(page: Page, console: Console, token = console.token): Promise<void> {
  await page.goto(console.signInUrlOf(token));
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  // The button is there before the console has answered.
  await expect(page.getByTitle(/^Signed in as /)).toBeVisible();
  // The token stays neither in the address bar nor in the history.
  await expect(page).toHaveURL((url) => url.hash === '');
}
