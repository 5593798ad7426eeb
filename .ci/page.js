// Looks at the page with a real browser, at phone and desk size, light and dark: prints what is wrong, and
// writes a picture of each into a folder. Called by .ci/page.
'use strict';
const { chromium } = require('playwright-core');
const { readFileSync } = require('node:fs');

const [url, folder, executablePath] = process.argv.slice(2);
const wrong = [];

async function look(browser, name, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && wrong.push(`${name}: ${message.text()}`));
  page.on('pageerror', (error) => wrong.push(`${name}: ${error}`));
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && !asked.startsWith('data:')) wrong.push(`${name}: asked another host: ${asked}`);
  });
  await page.goto(url);
  await page.waitForSelector('#link.live');
  await page.waitForSelector('#chart canvas');
  await page.screenshot({ path: `${folder}/first-${name}.png` });
  await page.locator('#grid button').first().click();
  await page.waitForSelector('#detail-chart canvas');
  const [now, shown] = await Promise.all([
    (await fetch(`${url}/api/v1/now`)).json(),
    page.locator('#total').textContent(),
  ]);
  if (shown !== `of ${now.inverters_total} inverters`) wrong.push(`${name}: the page has "${shown}"`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  if (wide) wrong.push(`${name}: it is wider than the screen`);
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const found = await page.evaluate(() => globalThis.axe.run());
  for (const violation of found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')) {
    wrong.push(`${name}: ${violation.id}: ${violation.nodes.map((node) => node.target).join(', ')}`);
  }
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  await context.close();
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  for (const scheme of ['light', 'dark']) {
    await look(browser, `desk-${scheme}`, { width: 1280, height: 900 }, scheme);
    await look(browser, `phone-${scheme}`, { width: 390, height: 844 }, scheme);
  }
  await browser.close();
  wrong.forEach((line) => console.error(line));
  process.exit(wrong.length === 0 ? 0 : 1);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
