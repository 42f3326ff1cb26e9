import { defineConfig } from '@playwright/test';

/** The system's browser: nothing is downloaded. */
const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // Every test has endpoints and a console of its own.
  fullyParallel: true,
  workers: 2,
  // A test that fails sometimes is a failing test.
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
    actionTimeout: 5_000,
    navigationTimeout: 10_000,
    screenshot: 'off',
    trace: 'off',
    video: 'off',
  },
});
