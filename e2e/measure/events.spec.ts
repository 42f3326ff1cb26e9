// The events page with all the rows that a tab keeps: prints figures and judges
// nothing, since machines differ.

import type { CDPSession, Page } from '@playwright/test';

import type { Console } from '../support/console.ts';
import type { Action, Fake, Script } from '../support/endpoints.ts';
import { expect, signIn, test } from '../support/fixtures.ts';
import { seesSession } from '../support/pages.ts';
import { memoryOf } from './memory.ts';

const ROWS = 100_000;
const ROUNDS = 9;

/** Events each tenth of a second, for as many tenths as it takes. */
const BATCH = 100;
const SECONDS = 60;

type Fakes = (script: Script) => Promise<Fake>;
type Serve = (sessions: Record<string, Fake>, args?: string[]) => Promise<Console>;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The events page with all its rows there. */
async function full(fake: Fakes, serve: Serve, page: Page, state: string): Promise<Console> {
  const flood = (count: number): Action[] => [{ flood: { event: 'FLOOD', count } }, { return: {} }];
  const endpoint = await fake({ rules: { begin: flood(ROWS), tick: flood(BATCH) } });
  const console = await serve({ vm: endpoint }, ['--data-dir', state]);
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await console.execute('begin');
  await expect(page.getByText('100,000 rows', { exact: false })).toBeVisible({ timeout: 60_000 });
  return console;
}

/** How many frames there were, how many of them took over 50 ms, and the longest of these in milliseconds. */
interface Frames {
  count: number;
  longest: number;
  over: number;
}

/** What the page's thread did since the session was made, in seconds of that thread. */
async function busy(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
}

test('scrolling through all rows', async ({ fake, serve, page, directory }) => {
  await full(fake, serve, page, `${directory}/state`);
  for (let round = 0; round < ROUNDS; round += 1) {
    const frames = await page.evaluate(async (): Promise<Frames> => {
      const scroller = document.querySelector('.table');
      if (scroller === null) throw new Error('no table');
      // Long tasks of the thread that draws; the time between frames also has what other programs take.
      const tasks: number[] = [];
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) tasks.push(entry.duration);
      });
      observer.observe({ type: 'long-animation-frame' });
      const height = scroller.scrollHeight;
      let count = 0;
      for (let part = 0; part < 240; part += 1) {
        // First by wheel-like steps, then in leaps, up and down.
        scroller.scrollTop = part < 120 ? part * 300 : ((part * 7919) % 1000) * (height / 1000);
        await new Promise(requestAnimationFrame);
        count += 1;
      }
      await new Promise((done) => setTimeout(done, 100));
      observer.disconnect();
      return { count, longest: Math.max(0, ...tasks), over: tasks.length };
    });
    say(`Scrolling: ${frames.count} frames, ${frames.over} over 50 ms, the longest ${frames.longest.toFixed(0)} ms`);
  }
});

test('a new filter over all rows', async ({ fake, serve, page, directory }) => {
  await full(fake, serve, page, `${directory}/state`);
  const apply = async (label: string, value: string, shown: string): Promise<void> => {
    const taken: [number, number][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [text, words] of [
        [value, shown],
        ['', '100,000 rows'],
      ] as const) {
        const pair = await page.evaluate(
          async ({ label, text, words }): Promise<[number, number]> => {
            const named = [...document.querySelectorAll('label')].find((found) => found.textContent === label);
            const field = named?.control;
            if (!(field instanceof HTMLInputElement)) throw new Error(`no ${label}`);
            const start = performance.now();
            field.value = text;
            field.dispatchEvent(new InputEvent('input', { bubbles: true }));
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            const first = performance.now() - start;
            while (!document.body.innerText.includes(words)) await new Promise(requestAnimationFrame);
            return [first, performance.now() - start];
          },
          { label, text, words },
        );
        if (text !== '') taken.push(pair);
      }
    }
    const median = (which: 0 | 1): string =>
      (taken.map((pair) => pair[which]).toSorted((a, b) => a - b)[Math.floor(taken.length / 2)] ?? NaN).toFixed(0);
    say(`Filter ${label} ${value}: drawn after ${median(0)} ms, complete after ${median(1)} ms (medians of ${ROUNDS})`);
  };
  await apply('Filter by name', 'NOTHING', '0 rows');
  await apply('Filter by name', 'FL*', '100,000 rows');
  await apply('Where', '@.data.n >= 50000', '50,000 rows');
});

test('a thousand events a second', async ({ fake, serve, page, directory }) => {
  const console = await full(fake, serve, page, `${directory}/state`);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const memory = await memoryOf(page);
  const before = await memory();
  const [start, from] = [performance.now(), await busy(devtools)];
  for (let tenth = 0; tenth < SECONDS * 10; tenth += 1) {
    await console.execute('tick');
    const rest = start + (tenth + 1) * 100 - performance.now();
    if (rest > 0) await new Promise((done) => setTimeout(done, rest));
  }
  const seconds = (performance.now() - start) / 1000;
  const part = ((await busy(devtools)) - from) / seconds;
  const rate = (SECONDS * 10 * BATCH) / seconds;
  say(`${rate.toFixed(0)} events/s: the page's thread is ${(100 * part).toFixed(0)} % busy; ${before}, then ${await memory()}`);
});
