import { readFileSync } from 'node:fs';

import type { Page } from '@playwright/test';

/** Says how much memory the page's process has, after what is not used any more has gone. */
export async function memoryOf(page: Page): Promise<() => Promise<string>> {
  const devtools = await page.context().newCDPSession(page);
  const system = await page.context().browser()?.newBrowserCDPSession();
  if (system === undefined) throw new Error('no browser');
  return async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    const { processInfo } = await system.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    const resident = renderers.map(({ id }) => {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      return Number(status.match(/^VmRSS:\s+(\d+)/m)?.[1]) / 1024;
    });
    // It is the largest of those that draw.
    return `${Math.max(...resident).toFixed(0)} MiB resident`;
  };
}
