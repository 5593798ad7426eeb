// Compares what the page shows with the ledger of the simulated Envoy, which knows nothing of this program: the power of
// now, today's energy, each inverter's newest report, one in detail. One inverter is dead, one is shaded, two have names. Called by .ci/page.
'use strict';
const { chromium } = require('playwright-core');
const { readFileSync, writeFileSync } = require('node:fs');
const net = require('node:net');

const [url, work, folder, executablePath] = process.argv.slice(2);
const PATIENCE = 240000;

// What was shown, each inverter's reports in the order of time.
function ledger() {
  const reports = new Map();
  for (const line of readFileSync(`${work}/ledger`, 'utf8').split('\n').slice(0, -1)) {
    const { inverter, reported_at: at, power_w: power } = JSON.parse(line);
    if (!reports.has(inverter)) reports.set(inverter, []);
    reports.get(inverter).push({ at: Date.parse(at) / 1000, power });
  }
  for (const list of reports.values()) list.sort((a, b) => a.at - b.at);
  return reports;
}

// The interval at which an inverter reports: the middle of the times between two reports of a UTC day and the three
// hours before it, brought up to one that there is.
function interval(times) {
  const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  if (gaps.length === 0) return 300;
  const middle = gaps[Math.floor(gaps.length / 2)];
  return [300, 900].find((known) => middle <= known + 60) || 3600;
}

// Watt-seconds since a moment: each report stands for the time since the one before, a minute over the interval at most.
function energy(reports, since) {
  const utcDay = (time) => Math.floor(time / 86400);
  const learned = (time, at) => time >= utcDay(at) * 86400 - 3 * 3600 && utcDay(time) <= utcDay(at);
  return reports.reduce((sum, { at, power }, i) => {
    if (at < since) return sum;
    const longest = interval(reports.filter((other) => learned(other.at, at)).map((other) => other.at)) + 60;
    const gap = i === 0 ? longest : at - reports[i - 1].at;
    return sum + power * Math.min(gap, longest);
  }, 0);
}

const kilowattHours = (wattSeconds) => (Math.floor((wattSeconds + 1800) / 3600) / 1000).toFixed(1);
const digits = (text) => text.replace(/[^0-9.]/g, '');
const newest = (reports) => reports[reports.length - 1];

async function until(what, condition) {
  const deadline = Date.now() + PATIENCE;
  let state;
  for (;;) {
    state = await condition();
    if (state === true) return;
    if (Date.now() > deadline) throw new Error(`${what}: ${state}`);
    await new Promise((done) => { setTimeout(done, 500); });
  }
}

function tell(line) {
  return new Promise((done, failed) => {
    const socket = net.connect(`${work}/control`, () => socket.write(`${line}\n`));
    socket.on('error', failed);
    socket.on('data', (answer) => {
      socket.end();
      if (String(answer).startsWith('ok')) done();
      else failed(new Error(`${line}: ${answer}`));
    });
  });
}

// A zone in which it is about two in the afternoon, so that all of the half day is today.
function zoneOfAfternoon() {
  const ahead = ((14 - new Date().getUTCHours() + 36) % 24) - 12;
  return ahead === 0 ? 'Etc/GMT' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

(async () => {
  const wrong = [];
  await until('the ledger has all inverters', () => ledger().size === 12 || `${ledger().size} of them`);
  const [dead, shaded, left, right] = [...ledger().keys()].sort();
  await tell(`dead ${dead}`);
  await tell(`shade ${shaded} 30`);
  writeFileSync(`${work}/names.toml`, `[inverters]\n${left} = "Garage left"\n${right} = { name = "A name that is rather long for a tile", array = "Garage" }\n`);
  // It has caught up with our time when the newest report is as old as one is.
  const age = () => Date.now() / 1000 - Math.max(...[...ledger().values()].map((reports) => newest(reports).at));
  await until('the simulated clock catches up', () => age() < 400 || `${Math.round(age())} s behind`);

  const timezoneId = zoneOfAfternoon();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage({ locale: 'en-GB', timezoneId, viewport: { width: 390, height: 844 } });
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(url);
  const midnight = await page.evaluate(() => new Date().setHours(0, 0, 0, 0) / 1000);
  await until('names and states are there', async () => {
    const shown = await page.locator('#grid button').allTextContents();
    const all = ['silent', 'Garage left', 'A name that is rather long'].filter((text) => !shown.some((one) => one.includes(text)));
    return all.length === 0 || `without ${all}: ${shown}`;
  });

  // Until no reading comes between the looks.
  await until('the page has what was shown', async () => {
    await page.reload();
    await page.waitForSelector('#chart canvas');
    const reports = ledger();
    const living = [...reports].filter(([serial]) => serial !== dead).map(([, list]) => list);
    const expected = [
      living.reduce((sum, list) => sum + newest(list).power, 0).toFixed(0),
      kilowattHours([...reports.values()].reduce((sum, list) => sum + energy(list, midnight), 0)),
      '11',
    ];
    const shown = [digits(await page.textContent('#power')), digits(await page.textContent('#today')), await page.textContent('#reporting')];
    if (String(shown) !== String(expected)) return `the page has ${shown}, the ledger ${expected}`;
    for (const [serial, list] of reports) {
      const tile = await page.textContent(`[id$="-${serial}"] b`);
      if (serial !== dead && digits(tile) !== String(newest(list).power)) return `${serial} has ${tile}, the ledger ${newest(list).power}`;
    }
    // One of them in detail.
    await page.click(`[id$="-${left}"]`);
    await page.waitForSelector('#detail-chart canvas');
    const detail = await page.textContent('#detail-text');
    const list = reports.get(left);
    const highest = Math.max(...list.filter(({ at }) => at >= midnight).map(({ power }) => power));
    const parts = [`${newest(list).power}\u00a0W at `, `${kilowattHours(energy(list, midnight))}\u00a0kWh, up to ${highest}\u00a0W`];
    const missing = parts.filter((part) => !detail.includes(part));
    return missing.length === 0 || `the detail has no ${missing}: ${detail}`;
  });
  await page.screenshot({ path: `${folder}/named.png`, fullPage: true });

  // What the meters and batteries show is there. Consumption comes each five minutes, and is current for half an hour of
  // the Envoy's clock: at this one for a few seconds.
  const tiles = await page.locator('#home .tiles .label').allTextContents();
  const missing = [/ the grid$/, /^2 batteries$/, /^Solar meter$/].filter((label) => !tiles.some((tile) => label.test(tile)));
  if (missing.length > 0) wrong.push(`house and grid have only ${tiles}`);
  await browser.close();
  wrong.forEach((line) => console.error(line));
  process.exit(wrong.length === 0 ? 0 : 1);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
