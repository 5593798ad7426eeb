// Looks at the page while things happen: what is published by MQTT shows, what is hostile in it stays text, a lost
// connection shows and heals, and the numbers are those of the API. Called by .ci/page.
'use strict';
const { chromium } = require('playwright-core');
const { connectAsync } = require('mqtt');
const net = require('node:net');

const [url, broker, executablePath] = process.argv.slice(2);
const PATIENCE = { timeout: 60000 };

// A door to the page that can be shut: all connections through it end, and none is taken.
class Door {
  constructor(port) {
    this.open = true;
    this.sockets = new Set();
    this.server = net.createServer((from) => {
      if (!this.open) return from.destroy();
      const to = net.connect(port, '127.0.0.1');
      for (const [one, other] of [[from, to], [to, from]]) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => { this.sockets.delete(one); other.destroy(); });
        one.pipe(other);
      }
      return undefined;
    });
  }

  async listen() {
    await new Promise((done) => { this.server.listen(0, '127.0.0.1', done); });
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  shut() {
    this.open = false;
    for (const socket of this.sockets) socket.destroy();
  }
}

// The first retained message that this filter brings.
async function retained(client, filter) {
  const found = new Promise((done) => {
    client.on('message', (topic, payload) => done({ topic, payload: JSON.parse(payload) }));
  });
  await client.subscribeAsync(filter);
  const message = await found;
  client.removeAllListeners('message');
  await client.unsubscribeAsync(filter);
  return message;
}

// Publishes a power, dated a second after what is retained, until the page shows it. The simulated Envoy may be read
// between the two, and is right then: the page never shows what is older in place of it.
async function shows(client, page, filter, dated, power, where) {
  const text = `${power.toLocaleString('en')} W`;
  const deadline = Date.now() + PATIENCE.timeout;
  for (let seq = 1; ; seq += 1) {
    const { topic, payload } = await retained(client, filter);
    const at = new Date(Date.parse(payload[dated]) + 1000).toISOString().replace('.000', '');
    await client.publishAsync(topic, JSON.stringify({ ...payload, power_w: power, [dated]: at, journal: 'ofthecheck', seq }), { qos: 1 });
    const shown = page.waitForFunction(
      ([all, wanted]) => [...document.querySelectorAll(all)].some((b) => b.textContent.replace('\u00a0', ' ') === wanted),
      [where, text],
      { timeout: 10000 },
    );
    if (await shown.then(() => true, () => false)) return;
    if (Date.now() > deadline) throw new Error(`${topic} has ${text}, which no ${where} shows`);
  }
}

// What the API says.
const ask = async (path) => (await fetch(`${url}/api/v1/${path}`)).json();

// A power as the page writes it, without spaces and commas.
const watts = (power) => (power === null ? '' : Math.abs(power) >= 10000 ? `${(power / 1000).toFixed(2)}kW` : `${power}W`);
const bare = (text) => text.replace(/[\s\u00a0,]/g, '');

// What the chart says under the pointer at each of its values: a list for each line, by its label.
async function curves(page) {
  const over = page.locator('#chart .u-over');
  await over.scrollIntoViewIfNeeded();
  const box = await over.boundingBox();
  const lines = {};
  for (let i = 0; i < 144; i += 1) {
    await page.mouse.move(box.x + (box.width * (i + 0.5)) / 144, box.y + box.height / 2);
    const shown = await page.evaluate(() => [...document.querySelectorAll('#chart .legend li')].map((item) => [item.children[1].textContent, item.children[2].textContent]));
    for (const [label, text] of shown) (lines[label] ||= []).push(bare(text));
  }
  return lines;
}

// What differs between the chart and the API, which has the curves of today and yesterday.
async function wrongCurves(page, [yesterday, today]) {
  const series = ({ from, until }) => ask(`site?from=${from}&until=${until}&step=600`);
  const lines = await curves(page);
  const label = Object.keys(lines).find((name) => name.startsWith('Yesterday'));
  const [{ power_w: before }, { power_w: now }] = [await series(yesterday), await series(today)];
  // The simulated past is whole: what has no report in it is a night.
  if (before.includes(null)) return `yesterday has a gap: ${before}`;
  if (!label || String(lines[label]) !== String(before.map(watts))) return `yesterday is drawn as ${lines[label]}, and is ${before}`;
  const drawn = lines.Today.filter((text) => text !== '');
  // The last ones are left out until all have reported.
  const known = now.filter((power) => power !== null).slice(0, drawn.length);
  if (drawn.length === 0 || String(drawn) !== String(known.map(watts))) return `today is drawn as ${drawn}, and is ${now}`;
  const peak = bare(await page.textContent('#peak') + await page.textContent('#peak-unit'));
  const highest = watts(Math.max(...known));
  return peak === highest ? '' : `the peak is ${peak}, and the curve's is ${highest}`;
}

// What differs between the bars and these periods, in text or length.
async function wrongBars(page, periods) {
  const shown = await page.evaluate(() => [...document.querySelectorAll('#days li')].map((item) => `${item.children[2].textContent} ${(item.children[1].value / item.children[1].max).toFixed(3)}`));
  const most = Math.max(1, ...periods.map((period) => period.energy_wh));
  const current = periods[periods.length - 1];
  const expected = periods.slice().reverse().filter((period) => period.energy_wh || period === current)
    .map(({ energy_wh: energy }) => `${(energy / 1000).toFixed(1)}kWh${(energy / most).toFixed(3)}`);
  return String(shown.map(bare)) === String(expected) ? '' : `the bars are ${shown}, and should be ${expected}`;
}

// Looks again until nothing is wrong: a reading may come between two looks.
async function until(look) {
  const deadline = Date.now() + PATIENCE.timeout;
  for (;;) {
    const wrong = await look();
    if (!wrong) return;
    if (Date.now() > deadline) throw new Error(wrong);
  }
}

const digits = (text) => text.replace(/[^0-9]/g, '');

(async () => {
  const door = new Door(Number(new URL(url).port));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage({ locale: 'en-GB', timezoneId: 'UTC' });
  const client = await connectAsync(broker);
  await page.goto(await door.listen());
  await page.waitForSelector('#link.live', PATIENCE);

  // The numbers: until no reading comes between the two looks.
  await until(async () => {
    await page.reload();
    await page.waitForSelector('#chart canvas', PATIENCE);
    await page.waitForSelector('#days li', PATIENCE);
    const [{ days }, now] = await Promise.all(['days?days=14', 'now'].map(ask));
    const expected = [digits((days[13].energy_wh / 1000).toFixed(1)), String(now.inverters_reporting), `of ${now.inverters_total} inverters`];
    const shown = [digits(await page.textContent('#today')), await page.textContent('#reporting'), await page.textContent('#total')];
    if (String(shown) !== String(expected)) return `the page has ${shown}, and the API ${expected}`;
    return await wrongBars(page, days) || wrongCurves(page, days.slice(-2));
  });
  await page.click('#lengths [data-length=months]');
  const month = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' }).format(new Date());
  await page.waitForFunction((name) => document.querySelector('#days span').textContent === name, month, PATIENCE);
  await until(async () => wrongBars(page, (await ask('months?months=12')).months));

  // A reading that is published shows, and so does what the grid gives.
  await shows(client, page, 'envoy/+/inverters/+', 'reported_at', 7654, '#grid b');
  await shows(client, page, 'envoy/+/net', 'measured_at', 4321, '#home b');
  for (const name of ['Used', 'From grid', 'To grid']) {
    await page.click(`#quantities button:text-is("${name}")`);
    await page.waitForFunction(() => document.querySelector('#days b').textContent.includes('kWh'), undefined, PATIENCE);
  }

  // What is hostile in a message is text.
  const hostile = '<img src=x onerror="document.title=1">';
  const has = (where, text) => page.waitForFunction(
    ([place, wanted]) => document.querySelector(place).textContent === wanted,
    [where, text],
    { timeout: 10000 },
  ).then(() => true, () => false);
  // Until no reading and no health of the simulated Envoy comes between.
  await until(async () => {
    await shows(client, page, 'envoy/+/inverters/+', 'reported_at', 7654, '#grid b');
    const health = await retained(client, 'envoy/+/health');
    const named = Object.fromEntries(Object.entries(health.payload.inverters).map(([serial, one]) => [serial, { ...one, name: hostile, array: hostile }]));
    await client.publishAsync(health.topic, JSON.stringify({ ...health.payload, inverters: named }), { qos: 1, retain: true });
    if (!await has('#grid small', hostile)) return 'a name in the health topic is not shown as it is';
    // What was published last still shows after this look at all numbers.
    if (await page.locator('#grid b', { hasText: '7,654' }).count() !== 1) return 'a newer reading gave way to an older one';
    await page.click('#grid button');
    if (await has('#detail-title', hostile)) return '';
    await page.click('#grid button');
    return 'a name is not the title of its details as it is';
  });
  const gateway = await retained(client, 'envoy/+/gateway');
  await client.publishAsync(gateway.topic, JSON.stringify({ ...gateway.payload, firmware: hostile }), { qos: 1, retain: true });
  await page.waitForFunction((text) => document.querySelector('#chain').textContent.includes(text), hostile, PATIENCE);
  if (await page.locator('img').count() !== 0) throw new Error('a message became markup');

  // An Envoy that does not answer is said to, with the reason.
  const problem = 'nothing answers at this address';
  await client.publishAsync(gateway.topic, JSON.stringify({ ...gateway.payload, reachable: false, problem }), { qos: 1, retain: true });
  await page.waitForFunction((text) => document.querySelector('#notice').textContent.toLowerCase().includes(text), problem, PATIENCE);
  await client.publishAsync(gateway.topic, JSON.stringify(gateway.payload), { qos: 1, retain: true });

  // A lost connection shows, and heals by itself.
  door.shut();
  await page.waitForSelector('#link.lost', PATIENCE);
  const said = [await page.textContent('#link'), await page.textContent('#now-label')];
  if (!/^connection lost at \d\d:\d\d/.test(said[0]) || !/^At \d\d:\d\d$/.test(said[1])) throw new Error(`while the connection is lost there is ${said}`);
  if (await page.title() !== 'Connection lost – envoy-scrape') throw new Error(`while the connection is lost the title is ${await page.title()}`);
  const current = await page.locator('#home .tiles > div:not(.old)').count();
  if (current !== 0) throw new Error(`while the connection is lost ${current} values are shown as those of now`);
  door.open = true;
  await page.waitForSelector('#link.live', PATIENCE);
  await page.waitForFunction(() => document.querySelector('#now-label').textContent === 'Now', undefined, PATIENCE);

  await client.endAsync();
  await browser.close();
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
