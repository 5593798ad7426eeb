// Looks at the page of an Envoy that does not answer, with a store that is empty: it says why, and what will be where
// nothing is yet. Called by .ci/page.
'use strict';
const { chromium } = require('playwright-core');

const [url, folder, executablePath] = process.argv.slice(2);

(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('#notice').textContent.includes('nothing listens there'), undefined, { timeout: 90000 });
  await page.waitForFunction(() => document.querySelector('#chain').textContent.includes('nothing listens there'));
  for (const [id, hidden] of [['#home', true], ['#chart', true], ['#chart-empty', false], ['#flows', true]]) {
    if (await page.locator(id).isHidden() !== hidden) throw new Error(`${id} is ${hidden ? 'to be seen' : 'hidden'}`);
  }
  await page.screenshot({ path: `${folder}/away.png`, fullPage: true });
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
