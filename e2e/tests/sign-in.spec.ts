// Who gets in, and how.

import { expect, signIn, test } from '../support/fixtures.ts';

test('the ready URL signs in, and its token is gone from the address', async ({ console, page }) => {
  await signIn(page, console);
  await expect(page.getByRole('heading', { name: 'Sessions' })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie }));
  expect(stored).not.toContain(console.token);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Sessions' })).toBeVisible();
});

test('a token signs in, a wrong one does not', async ({ console, page }) => {
  await page.goto(`${console.url}events`);
  await page.getByLabel('Token').fill('not the token of this console');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('The token is not valid');
  await page.getByLabel('Token').fill(console.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Events' })).toBeVisible();
});

test('a wrong token in the address is said so, and the form is there', async ({ console, page }) => {
  await page.goto(`${console.url}#token=wrong`);
  await expect(page.getByRole('alert')).toHaveText(/not valid/);
  await expect(page.getByLabel('Token')).toBeVisible();
});

test('signing out ends it, here and at the console', async ({ console, page }) => {
  await signIn(page, console);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});

test('a token comes into the address while the page asks who is signed in', async ({ console, page }) => {
  let answer: (() => void) | undefined;
  const asked = new Promise<void>((done) => {
    void page.route('**/api/v1/login', async (route) => {
      if (answer !== undefined || route.request().method() !== 'GET') return await route.continue();
      // Nobody is, when it is asked.
      const response = await route.fetch();
      const wanted = new Promise<void>((go) => {
        answer = go;
      });
      done();
      await wanted;
      await route.fulfill({ response });
    });
  });
  await page.goto(console.url);
  await asked;
  const accepted = page.waitForResponse((it) => it.request().method() === 'POST' && it.url().endsWith('/login'));
  await page.goto(console.signInUrl);
  expect((await accepted).ok()).toBe(true);
  answer?.();
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
});
