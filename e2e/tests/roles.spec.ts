// What viewers, operators and admins see, and what happens to whose token ends.

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, reply, seesSession, send, sendAndReturn, sessionRow } from '../support/pages.ts';

test('a viewer sees everything and changes nothing', async ({ durable: console, page }) => {
  await signIn(page, console, await console.newToken('watcher', 'viewer'));
  await expect(page.getByTitle('Signed in as watcher (viewer)')).toBeVisible();
  await seesSession(page, 'vm', 'running');
  await expect(sessionRow(page, 'vm').getByRole('link')).toHaveText(['Commands', 'Events']);
  await expect(sessionRow(page, 'vm').getByRole('button')).toHaveCount(0);
  await expect(page.getByRole('form', { name: 'Add a session' })).toHaveCount(0);
  // What only reads is allowed.
  await goToCommand(page, console, 'vm', 'query-status');
  await sendAndReturn(page);
  // The rest is refused, with the reason, and was not sent.
  await goToCommand(page, console, 'vm', 'stop');
  await send(page);
  await expect(reply(page).getByRole('alert')).toContainText('Forbidden');
  await expect(reply(page).getByRole('alert')).toContainText('"stop" needs the role operator: ');
  await expect(reply(page).getByText('not allowed')).toBeVisible();
  await expect(reply(page).getByText('Nothing was sent to vm.')).toBeVisible();
  expect(await console.execute('query-status')).toMatchObject({ status: 'running' });
});

test('who lacks the role for a command is told before, by the arguments too', async ({ durable: console, page }) => {
  await signIn(page, console, await console.newToken('watcher', 'viewer'));
  await goToCommand(page, console, 'vm', 'system_reset');
  await expect(page.getByText('needs operator', { exact: true })).toBeVisible();
  await expect(page.getByText(/^This needs the role operator: .+\. Yours is viewer, so the console will not send it\.$/)).toBeVisible();
  // Nobody is asked whether to do what will not be done.
  await send(page);
  await expect(page.getByRole('form', { name: 'Command' }).getByRole('alert')).toContainText('Forbidden');
  await expect(page.getByRole('dialog')).toBeHidden();
  await goToCommand(page, console, 'vm', 'human-monitor-command');
  await expect(page.getByText(/^needs /)).toHaveCount(0);
  const line = page.getByLabel('command-line', { exact: true });
  await line.fill('quit');
  await expect(page.getByText(/^needs (operator|admin)$/)).toBeVisible();
  await line.fill('info status');
  await expect(page.getByText(/^needs /)).toHaveCount(0);
  await sendAndReturn(page);
});

test('an operator connects and disconnects, but neither adds nor removes', async ({ durable: console, page }) => {
  await signIn(page, console, await console.newToken('ops', 'operator'));
  await seesSession(page, 'vm', 'running');
  await expect(sessionRow(page, 'vm').getByRole('button')).toHaveText(['Disconnect']);
  await expect(page.getByRole('form', { name: 'Add a session' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Disconnect vm' }).click();
  await seesSession(page, 'vm', 'disconnected');
  await expect(sessionRow(page, 'vm').getByRole('button')).toHaveText(['Connect']);
  await page.getByRole('button', { name: 'Connect vm' }).click();
  await seesSession(page, 'vm', 'running');
  await goToCommand(page, console, 'vm', 'stop');
  await sendAndReturn(page);
  await goToCommand(page, console, 'vm', 'closefd');
  await page.getByLabel('fdname', { exact: true }).fill('disk');
  await send(page);
  await expect(reply(page).getByRole('alert')).toContainText('"closefd" needs the role admin: ');
});

test('an admin is offered all of it', async ({ durable: console, page }) => {
  await signIn(page, console, await console.newToken('boss', 'admin'));
  await expect(page.getByTitle('Signed in as boss (admin)')).toBeVisible();
  await seesSession(page, 'vm', 'running');
  await expect(sessionRow(page, 'vm').getByRole('button')).toHaveText(['Disconnect', 'Remove']);
  await expect(page.getByRole('form', { name: 'Add a session' })).toBeVisible();
});

test('a token that is revoked leads to the sign-in page, which says why', async ({ durable: console, page }) => {
  await signIn(page, console, await console.newToken('short', 'operator'));
  await goToCommand(page, console, 'vm', 'stop');
  await console.revoke('short');
  await send(page);
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await expect(page.getByRole('alert')).toHaveText(/^Your token has expired or was revoked\./);
  expect(await console.execute('query-status')).toMatchObject({ status: 'running' });
  // Nothing of the one before is left for the next one.
  await page.getByLabel('Token').fill(await console.newToken('next', 'viewer'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByTitle('Signed in as next (viewer)')).toBeVisible();
  await expect(page.getByText('Your token has expired')).toHaveCount(0);
});

test('a token that expires does so under an open page', async ({ durable: console, page }) => {
  await signIn(page, console, await console.newToken('brief', 'viewer', 2));
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible({ timeout: 15_000 });
  await expect(page.getByRole('alert')).toHaveText(/^Your token has expired or was revoked\./);
});

test('signing out in one tab ends the other', async ({ console, page, context }) => {
  await signIn(page, console);
  const other = await context.newPage();
  await other.goto(console.url);
  await seesSession(other, 'vm', 'running');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await expect(other.getByRole('alert')).toHaveText('You were signed out in another tab.');
});

test('a login that was lost while the console was away leads to the sign-in page', async ({ console, page, context }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await context.clearCookies();
  await console.restart();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible({ timeout: 15_000 });
  await expect(page.getByRole('alert')).toHaveText(/^The console does not know your sign-in any more: /);
});

test('who tries too many wrong tokens is told to wait, and the right one still lets in', async ({ console, page }) => {
  await page.goto(console.url);
  const tries = Array.from({ length: 20 }, async () => {
    const answer = await fetch(console.api('login'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"token":"wrong"}',
    });
    return answer.status;
  });
  expect(new Set(await Promise.all(tries))).toEqual(new Set([401]));
  await page.getByLabel('Token').fill('wrong-wrong-wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toHaveText('Too many wrong tokens were tried. Wait a minute, then try again.');
  await page.getByLabel('Token').fill(console.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
});
