import { defineConfig } from '@playwright/test';

import tests from './playwright.config.ts';

/** `npx playwright test -c measure.config.ts`: figures, one after the other, and no verdict. */
export default defineConfig({ ...tests, testDir: 'measure', workers: 1, fullyParallel: false, timeout: 180_000 });
