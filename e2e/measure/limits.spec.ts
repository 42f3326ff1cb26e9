// What the user waits for, measured on the delivered binary: prints figures and
// judges nothing, since machines differ.

import { readFileSync } from 'node:fs';

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, seesSession } from '../support/pages.ts';

const ROUNDS = 25;

function summary(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? NaN).toFixed(1);
  return `median ${at(0.5)} ms, min ${at(0)}, max ${at(1)} (${sorted.length} rounds)`;
}

test('from Send to the reply shown', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await goToCommand(page, console, 'vm', 'query-status');
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeEnabled();
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const value = await page.evaluate(async () => {
      const button = [...document.querySelectorAll('button')].find((found) => found.textContent === 'Send');
      const pane = document.querySelector('section[aria-label="Reply"]');
      if (button === undefined || pane === null) throw new Error('no Send or no reply pane');
      // Until a frame is drawn that shows the tree of the reply to this very click.
      const before = pane.querySelector('[role="tree"]');
      const start = performance.now();
      button.click();
      for (;;) {
        await new Promise(requestAnimationFrame);
        const tree = pane.querySelector('[role="tree"]');
        if (tree !== null && tree !== before) return performance.now() - start;
      }
    });
    values.push(value);
  }
  await expect(reply(page).getByRole('tree')).toBeVisible();
  process.stdout.write(`Send to reply shown: ${summary(values)}\n`);
});

test('a cold load until the page can be used', async ({ console, page, browser }) => {
  await signIn(page, console);
  const state = await page.context().storageState();
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // A context of its own has an empty cache.
    const context = await browser.newContext({ storageState: state });
    const cold = await context.newPage();
    const start = performance.now();
    await cold.goto(`${console.url}commands/vm/query-status`, { waitUntil: 'commit' });
    await cold.getByRole('button', { name: 'Send', exact: true }).waitFor();
    values.push(performance.now() - start);
    await context.close();
  }
  process.stdout.write(`Cold load to a command with its form: ${summary(values)}\n`);
});

test('memory of an idle console with three sessions', async ({ serve, vm, storage, agent, page }) => {
  const console = await serve({ vm, storage, agent });
  await signIn(page, console);
  for (const name of ['vm', 'storage', 'agent']) await seesSession(page, name, 'running');
  const status = readFileSync(`/proc/${console.pid}/status`, 'utf8');
  process.stdout.write(`Resident: ${status.match(/^VmRSS:\s+(.*)$/m)?.[1]}\n`);
});
