// Makes pictures of pages of Home Assistant. Called by .ci/home-assistant.
'use strict';
const { chromium } = require('playwright-core');
const { readFileSync } = require('node:fs');

// Pages are a list of [name, path, text that the page has when it is loaded, width, height].
const [url, tokenFile, folder, executablePath, timezoneId, pages] = process.argv.slice(2);

(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, locale: 'en-GB', timezoneId });
  // The frontend takes a token from here that it has kept.
  const tokens = {
    access_token: readFileSync(tokenFile, 'utf8').trim(), token_type: 'Bearer', expires_in: 1e9, expires: Date.now() + 1e12,
    hassUrl: url, clientId: `${url}/`, refresh_token: '',
  };
  await context.addInitScript((kept) => localStorage.setItem('hassTokens', JSON.stringify(kept)), tokens);
  const page = await context.newPage();
  for (const [name, path, text, width, height] of JSON.parse(pages)) {
    await page.setViewportSize({ width, height: height + 180 });
    await page.goto(url + path);
    await page.getByText(text).filter({ visible: true }).first().waitFor({ timeout: 60000 });
    await page.waitForLoadState('networkidle');
    // Bars grow for a moment.
    await page.waitForTimeout(3000);
    // Without the side bar.
    await page.screenshot({ path: `${folder}/${name}.png`, clip: { x: 256, y: 0, width: width - 256, height } });
  }
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
