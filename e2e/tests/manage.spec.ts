// Sessions that an admin adds and removes while pages are open.

import { expect, signIn, test } from '../support/fixtures.ts';
import { goToCommand, seesSession, sendAndReturn, sessionRow } from '../support/pages.ts';

test('a session is added: what is wrong is said at its place, then it is there', async ({ serve, vm, page, context }) => {
  const console = await serve({});
  await signIn(page, console);
  const other = await context.newPage();
  await other.goto(console.url);
  await expect(other.getByRole('heading', { name: 'No sessions yet' })).toBeVisible();

  const form = page.getByRole('form', { name: 'Add a session' });
  const name = form.getByLabel('Name');
  const address = form.getByLabel('Address');
  await form.getByRole('button', { name: 'Add session' }).click();
  await expect(name).toHaveAccessibleDescription('A session needs a name.');
  await expect(address).toHaveAccessibleDescription('A session needs an address.');
  await expect(name).toBeFocused();

  await name.fill('vm');
  await address.fill('localhost:44x');
  await address.press('Enter');
  await expect(address).toHaveAccessibleDescription('port "44x" is not a number from 1 to 65535');
  await expect(address).toHaveAttribute('aria-invalid', 'true');
  await expect(name).not.toHaveAttribute('aria-invalid', 'true');
  await expect(address).toBeFocused();

  await name.fill('my vm');
  await address.fill(vm.address);
  await address.press('Enter');
  await expect(name).toHaveAccessibleDescription(/^session name "my vm" is not 1 to 64 of the characters/);
  await expect(name).toBeFocused();

  await name.fill('vm');
  await name.press('Enter');
  await seesSession(page, 'vm', 'running');
  await seesSession(other, 'vm', 'running');
  await expect(name).toHaveValue('');

  await name.fill('vm');
  await address.fill(vm.address);
  await address.press('Enter');
  await expect(name).toHaveAccessibleDescription('there is a session named "vm" already');
});

test('a session is removed on purpose only, and its command page says so', async ({ durable: console, vm, page, context }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  const other = await context.newPage();
  await goToCommand(other, console, 'vm', 'query-status');
  const third = await context.newPage();
  await third.goto(`${console.url}commands/vm`);
  await expect(third.getByRole('heading', { name: 'Choose a command' })).toBeVisible();

  const dialog = page.getByRole('dialog', { name: 'Remove the session vm?' });
  const remove = page.getByRole('button', { name: 'Remove vm' });
  await remove.focus();
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText('Its recorded events stay in the journal.');
  // The safe answer has the focus, and the button gets it back.
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(remove).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(sessionRow(page, 'vm')).toBeVisible();

  await remove.click();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'No sessions yet' })).toBeVisible();
  await expect(other.getByText('The session “vm” was removed from the console.')).toBeVisible();
  await expect(other.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
  await expect(third.getByRole('heading', { name: 'No session', exact: true })).toBeVisible();

  // It comes back under the same name, and the page with it.
  await page.getByLabel('Name', { exact: true }).fill('vm');
  await page.getByLabel('Address', { exact: true }).fill(vm.address);
  await page.getByRole('button', { name: 'Add session' }).click();
  await seesSession(page, 'vm', 'running');
  await sendAndReturn(other);
  await third.getByRole('link', { name: 'Sessions', exact: true }).click();
  await seesSession(third, 'vm', 'running');
});

test('a session that cannot connect is tried again at once, or given up', async ({ console, vm, page }) => {
  await signIn(page, console);
  await seesSession(page, 'vm', 'running');
  await vm.kill();
  await seesSession(page, 'vm', 'retrying');
  await page.getByRole('button', { name: 'Disconnect vm' }).click();
  await seesSession(page, 'vm', 'disconnected');
  await vm.start();
  await page.getByRole('button', { name: 'Connect vm' }).click();
  await seesSession(page, 'vm', 'running');
});
