// The console's log on the events page: what is older than the tab, gaps, and
// when the endpoint was lost and regained.

import type { Locator, Page } from '@playwright/test';

import type { Action } from '../support/endpoints.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { eventRows, seesSession } from '../support/pages.ts';

const flood = { rules: { go: [{ flood: { event: 'FLOOD', count: 2_500 } }, { return: {} }] } };

const table = (page: Page): Locator => page.getByRole('table', { name: 'Events' });

test('scrolling back goes on in the log, to where it begins', async ({ fake, serve, page }) => {
  const console = await serve({ vm: await fake(flood) });
  await console.execute('go');
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(page.getByText('1,000 rows')).toBeVisible();
  const end = async (): Promise<void> => {
    await page.locator('.table').evaluate((element) => element.scrollTo(0, element.scrollHeight));
  };
  // When it was connected is on record too.
  for (const count of ['1,500 rows', '2,000 rows', '2,501 rows']) {
    await end();
    await expect(page.getByText(count)).toBeVisible();
  }
  await end();
  await expect(page.getByText('The log begins here.')).toBeVisible();
  await expect(table(page).getByRole('row').last()).toContainText('Connected to the endpoint');
  // With another filter it is asked for anew.
  await page.getByRole('combobox', { name: 'Where' }).fill('@.event == "NONE"');
  await expect(page.getByText('0 rows')).toBeVisible();
  await page.getByRole('button', { name: 'Show older events' }).click();
  await expect(page.getByText('The log begins here.')).toBeVisible();
});

test('events from before a time, then live again', async ({ console, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('stop');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await page.getByLabel('Until', { exact: true }).fill('2020-01-01T00:00:00');
  await page.getByLabel('Until', { exact: true }).blur();
  await expect(page.getByText('The log has no such event until then.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeDisabled();
  await page.getByLabel('Until', { exact: true }).fill('2099-01-01T00:00:00');
  await page.getByLabel('Until', { exact: true }).blur();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await console.execute('cont');
  await page.getByLabel('Until', { exact: true }).fill('');
  await page.getByLabel('Until', { exact: true }).blur();
  await expect(eventRows(page, 'RESUME')).toHaveCount(1);
});

test('a lost and a regained endpoint stand among the events, live and in the log', async ({ console, vm, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await console.execute('stop');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await vm.restart();
  const lost = table(page).getByText(/^The connection to the endpoint was lost/);
  const regained = table(page).getByText('Connected to the endpoint');
  await expect(lost).toHaveCount(1);
  await expect(regained).toHaveCount(1, { timeout: 20_000 });
  await page.goto(`${console.url}events?until=2099-01-01T00:00:00Z`);
  await expect(eventRows(page, 'STOP')).toHaveCount(1);
  await expect(lost).toHaveCount(1);
  await expect(regained.first()).toBeVisible();
});

test('following keeps the newest in sight at the bottom', async ({ fake, serve, page }) => {
  const console = await serve({ vm: await fake(flood) });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByRole('button', { name: 'Follow' }).click();
  await console.execute('go');
  await expect(page.getByText(/^2,50[01] rows$/)).toBeVisible();
  const last = table(page).getByRole('row').last().getByRole('cell').nth(2);
  await expect(last).toHaveText('2500');
  // Also when the user comes back.
  await page.getByRole('link', { name: 'Commands', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Events' })).toBeHidden();
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await expect(last).toHaveText('2500');
  await page.reload();
  await expect(last).toHaveText('2500');
});

test('following goes on to the newest when older rows come in the same frame', async ({ fake, serve, page }) => {
  const flood = (count: number): Action[] => [{ flood: { event: 'FLOOD', count } }, { return: {} }];
  const console = await serve({ vm: await fake({ rules: { few: flood(25), many: flood(2_000) } }) });
  // Frames that wait, and the log's answer that waits, until they are let go.
  await page.addInitScript(() => {
    const draw = window.requestAnimationFrame.bind(window);
    let held: FrameRequestCallback[] = [];
    let holds = false;
    window.requestAnimationFrame = (callback) => (holds ? held.push(callback) : draw(callback));
    const step = (): void => {
      const due = held;
      held = [];
      due.forEach((callback) => callback(performance.now()));
    };
    const hold = (wanted: boolean): void => {
      holds = wanted;
      step();
    };
    Object.assign(window, { frames: { step, hold } });
  });
  let answer = (): void => undefined;
  const asked = new Promise<void>((done) => {
    void page.route(/\/events\?.*limit=500&/, async (route) => {
      const answered = new Promise<void>((let_go) => {
        answer = let_go;
      });
      done();
      await answered;
      await route.continue();
    });
  });
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByRole('button', { name: 'Follow' }).click();
  // So few that the end is near the beginning, where older ones are asked for.
  await console.execute('few');
  await asked;
  await page.evaluate('frames.hold(true)');
  await console.execute('many');
  // Events are shown with a frame: one frame after the other, until all are.
  const rows = async (): Promise<string | null> => {
    await page.evaluate('frames.step()');
    return await page.getByText(/^[\d,]+ rows$/).textContent();
  };
  await expect.poll(rows).toBe('2,025 rows');
  answer();
  await expect(page.getByText('2,026 rows')).toBeVisible();
  await page.evaluate('frames.hold(false)');
  await expect(table(page).getByRole('row').last().getByRole('cell').nth(2)).toHaveText('2025');
});
