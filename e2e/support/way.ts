// The way between a page and its console, which a test can cut.

import type { Page } from '@playwright/test';

/** To be made before the page is opened. */
export class Way {
  readonly #page: Page;
  #isCut = false;
  #close: (() => Promise<void>)[] = [];

  private constructor(page: Page) {
    this.#page = page;
  }

  /** A way that is open; the page's clock stands under the test's control. */
  static async of(page: Page): Promise<Way> {
    const way = new Way(page);
    await page.clock.install();
    await page.routeWebSocket(/\/api\/v1\/ws$/, (socket) => {
      if (way.#isCut) {
        void socket.close();
        return;
      }
      const server = socket.connectToServer();
      way.#close.push(async () => {
        // First the page's side, which then writes no more.
        await socket.close();
        await server.close();
      });
    });
    await page.route('**/api/v1/**', async (route) => {
      await (way.#isCut ? route.abort() : route.continue());
    });
    return way;
  }

  /** From now on nothing comes through, for long enough to be noticed. */
  async cut(): Promise<void> {
    this.#isCut = true;
    for (const close of this.#close.splice(0)) await close();
    // The page is to hear of it before its clock goes on: it must not write to a socket that closes.
    await this.#page.getByText('Connected', { exact: true }).waitFor({ state: 'detached' });
    await this.#page.clock.fastForward('00:10');
  }

  /** A minute later everything comes through again. */
  async heal(): Promise<void> {
    this.#isCut = false;
    await this.#page.clock.fastForward('01:00');
  }
}
