// Makes a picture of each flow as Node-RED's editor shows it, and one of the page of the live table. Called by
// .ci/node-red.
'use strict';
const { chromium } = require('playwright-core');

const [url, folder, executablePath, tabs] = process.argv.slice(2);

(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  // Wide enough for the palette, all nodes and the side bar.
  const page = await browser.newPage({ viewport: { width: 1500, height: 700 } });
  for (const [name, tab] of Object.entries(JSON.parse(tabs))) {
    await page.goto(`${url}/#flow/${tab}`);
    await page.reload();
    await page.waitForSelector(`.red-ui-flow-node-group`);
    await page.waitForFunction(() => !document.querySelector('#red-ui-loading-progress:not([style*="none"])'));
    const clip = await page.evaluate(() => {
      const boxes = [...document.querySelectorAll('.red-ui-flow-node-group')].map((node) => node.getBoundingClientRect());
      const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
      const [right, bottom] = [Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
      return { x: left - 15, y: top - 15, width: right - left + 30, height: bottom - top + 45 };
    });
    await page.screenshot({ path: `${folder}/${name}.png`, clip });
  }
  await page.setViewportSize({ width: 760, height: 640 });
  await page.goto(`${url}/inverters`);
  await page.screenshot({ path: `${folder}/live-table-page.png` });
  await browser.close();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
