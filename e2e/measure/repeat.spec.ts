// A command that is repeated for hours, in the time of the page: prints figures
// and judges nothing.

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, sendAndReturn } from '../support/pages.ts';
import { memoryOf } from './memory.ts';

const REPEATS = 1_200;

test('a command repeated all the time', async ({ console, page }) => {
  await page.clock.install();
  let sent = 0;
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => (sent += payload.includes('query-blockstats') ? 1 : 0));
  });
  await signIn(page, console);
  await goToCommand(page, console, 'vm', 'query-blockstats');
  await sendAndReturn(page);
  await reply(page).getByRole('button', { name: 'Expand all' }).click();
  await reply(page).getByLabel('Every').selectOption('1 second');
  await reply(page).getByRole('button', { name: 'Repeat', exact: true }).click();
  const memory = await memoryOf(page);
  for (let part = 0; part < 4; part += 1) {
    const until = (REPEATS * part) / 3;
    while (sent < until) await page.clock.runFor(200);
    await expect(reply(page).getByRole('tree')).toBeVisible();
    process.stdout.write(`After ${sent} repetitions: ${await memory()}\n`);
  }
});
