// Makes the README's pictures of the page: what is to be seen minutes after `cargo run`. Called by .ci/page.
'use strict';
const { chromium } = require('playwright-core');

const [url, folder, executablePath] = process.argv.slice(2);

// The simulated noon is an hour ahead: a zone in which it is noon then.
function zoneOfNoon() {
  const ahead = ((11 - new Date().getUTCHours() + 36) % 24) - 12;
  return ahead === 0 ? 'Etc/GMT' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

async function picture(browser, name, viewport, colorScheme, fullPage) {
  const scale = viewport.width < 500 ? 2 : 1;
  const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: scale, locale: 'en-GB', timezoneId: zoneOfNoon() });
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForSelector('#link.live');
  await page.waitForSelector('#flows button');
  await page.click('#flows button');
  await page.waitForFunction(() => document.querySelector('#chart .legend').textContent.includes('In use'));
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage });
  await context.close();
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  await picture(browser, 'page', { width: 1080, height: 960 }, 'light', false);
  await picture(browser, 'page-dark', { width: 390, height: 844 }, 'dark', false);
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
