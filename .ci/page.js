// Looks at the page with a real browser, at phone and desk size, light and dark: prints what is wrong, and
// writes a picture of each into a folder. Called by .ci/page.
'use strict';
const { chromium } = require('playwright-core');
const { readFileSync } = require('node:fs');

const [url, folder, executablePath] = process.argv.slice(2);
const wrong = [];

// Text of twice the size, as readers set it, and a screen of the narrowest phones: nothing is cut off, nothing has to be
// scrolled sideways to.
async function squeeze(browser, name, width, size) {
  const context = await browser.newContext({ viewport: { width, height: 700 } });
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate((text) => { document.documentElement.style.fontSize = text; }, size);
  await page.waitForSelector('#chart canvas');
  await page.locator('#grid button').first().click();
  await page.waitForSelector('#detail-chart canvas');
  for (const length of ['years', 'months', 'days']) {
    await page.click(`#lengths [data-length=${length}]`);
    await page.waitForFunction((chosen) => document.querySelector('#days').dataset.length === chosen, length);
    const wide = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((one) => {
      const { right, width: wide } = one.getBoundingClientRect();
      const isCut = one.matches('#days b, #days span, .now b, .tiles b, dd, h2, button') && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).textOverflow !== 'ellipsis';
      return (wide > 0 && right > innerWidth + 1 && !one.closest('.uplot')) || (isCut && one.clientWidth > 0);
    }).map((one) => `${one.tagName} ${one.id || one.className} "${one.textContent.slice(0, 30)}"`));
    if (wide.length > 0) wrong.push(`${name}, ${length}: too wide: ${wide.slice(0, 5)}`);
  }
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  await context.close();
}

async function look(browser, name, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme });
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
  for (const flow of await page.locator('#flows button').all()) await flow.click();
  await page.waitForFunction(() => ['In use', 'Grid', 'Battery'].every((name) => document.querySelector('#chart .legend').textContent.includes(name)));
  for (const length of ['months', 'years', 'days']) {
    await page.click(`#lengths [data-length=${length}]`);
    await page.waitForSelector(`#lengths [data-length=${length}][aria-pressed=true]`);
  }
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
  await squeeze(browser, 'narrow', 320, '100%');
  await squeeze(browser, 'large-text', 390, '200%');
  await browser.close();
  wrong.forEach((line) => console.error(line));
  process.exit(wrong.length === 0 ? 0 : 1);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
