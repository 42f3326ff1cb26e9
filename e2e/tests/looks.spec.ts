// Every page and its main states, in both themes, wide and narrow: a picture of
// each under `test-results/looks`, nothing clipped, and what axe-core finds.

import { join } from 'node:path';

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, goToCommand, reply, seesSession, send, sendAndReturn } from '../support/pages.ts';

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
    name: 'command-reply',
    show: async (page, console) => {
      await goToCommand(page, console, 'vm', 'query-block');
      await sendAndReturn(page);
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
    name: 'events-empty',
    show: async (page, console) => {
      await page.goto(`${console.url}events?names=NOTHING`);
      await expect(page.getByText('No events yet that pass this filter.')).toBeVisible();
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

for (const [width, height] of [
  [1440, 900],
  [390, 844],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`every page at ${width} pixels, ${colorScheme}`, async ({ serve, vm, storage, agent, page, directory }) => {
      test.setTimeout(90_000);
      const gone = `unix:${join(directory, 'gone.sock')}`;
      const console = await serve({ vm, storage, agent, gone });
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await signIn(page, console);
      for (const { name, show } of LOOKS) {
        await test.step(name, async () => {
          await show(page, console);
          await page.screenshot({ path: `test-results/looks/${name}-${width}-${colorScheme}.png` });
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          expect(overflow, `${name} is wider than the window`).toBe(0);
          const { violations } = await new AxeBuilder({ page }).analyze();
          const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
          const found = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
          expect(found, name).toEqual([]);
        });
      }
    });
  }
}
