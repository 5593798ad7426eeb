// Looks at the page in states that are hard to bring about: the API's answers are changed on their way to it. Called by
// .ci/page.
'use strict';
const { chromium } = require('playwright-core');

const [url, folder, executablePath] = process.argv.slice(2);
const wrong = [];
const iso = (at) => new Date(at).toISOString().replace(/\.\d+/, '');
const HOUR = 3600000;

// The page with these changes, each a function of an answer of the API by its path, and a stream that is there or refused.
async function stand(browser, name, changes, look, streams = true) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => wrong.push(`${name}: ${error}`));
  // So that minutes pass when they are told to.
  if (!streams) await page.clock.install();
  // What happens really is not what is made up here.
  await page.addInitScript((isThere) => {
    globalThis.EventSource = class extends EventTarget {
      static CLOSED = 2;

      constructor() {
        super();
        this.readyState = isThere ? 1 : 2;
        setTimeout(() => this.dispatchEvent(new Event(isThere ? 'open' : 'error')));
      }

      close() {}
    };
  }, streams);
  for (const [path, change] of Object.entries(changes)) {
    await page.route(`**/api/v1/${path}`, async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: change(answer) || answer });
    });
  }
  await page.goto(url);
  await page.waitForSelector('#days li');
  const differs = (what, found, expected) => {
    const is = expected instanceof RegExp ? expected.test(found) : found === expected;
    if (!is) wrong.push(`${name}: ${what} is ${JSON.stringify(found)} instead of ${expected}`);
  };
  await look(page, differs);
  await page.screenshot({ path: `${folder}/state-${name}.png`, fullPage: true });
  // It may be looking again.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
}

// The text of the tile with this label, and its classes.
async function tile(page, label) {
  const one = page.locator('#home .tiles > div', { has: page.locator(`.label:text-is("${label}")`) });
  if (await one.count() !== 1) return { value: 'no tile', note: '', kind: '' };
  return { value: (await one.locator('b').textContent()).replace(/\u00a0/g, ' '), note: await one.locator('small').allTextContents().then(String), kind: await one.getAttribute('class') || '' };
}

// Each inverter as it was so many hours ago.
function aged(now, hours, state) {
  const at = iso(Date.now() - hours * HOUR);
  const inverters = now.inverters.map((inverter) => ({ ...inverter, reported_at: at, reporting: false, state }));
  return { ...now, inverters, last_report_at: at };
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const envoy = (now) => now.inverters[0].envoy;

  await stand(browser, 'never-answered', {
    now: (now) => {
      const old = aged(now, 30, null);
      return { ...old, status: 'nothing listens there', chain: { ...now.chain, gateway: null } };
    },
  }, async (page, differs) => {
    differs('the notice', await page.textContent('#notice'), /^The Envoy has not answered since .* Nothing listens there\.$/);
    differs('the label', await page.textContent('#now-label'), /^At \d+ .*\d\d:\d\d$/);
  });

  await stand(browser, 'night', { now: (now) => aged(now, 5, 'asleep') }, async (page, differs) => {
    differs('the notice', await page.textContent('#notice'), /^No inverter reports: at night/);
    differs('the label', await page.textContent('#now-label'), 'Now');
    differs('the power', await page.textContent('#power'), '0');
  });

  await stand(browser, 'away', {
    now: (now) => {
      const old = aged(now, 5, 'reporting');
      for (const inverter of old.inverters) inverter.power_w = 100;
      return { ...old, chain: { ...now.chain, gateway: { ...now.chain.gateway, reachable: false, problem: 'nothing answers at this address' } } };
    },
  }, async (page, differs) => {
    differs('the label', await page.textContent('#now-label'), /^At .*\d\d:\d\d$/);
    differs('the power', await page.textContent('#power'), '1,200');
    differs('the class', await page.getAttribute('.lead', 'class'), 'lead old');
    const net = await tile(page, 'To the grid').then(async (to) => (to.kind === '' ? tile(page, 'From the grid') : to));
    differs('what the grid takes', `${net.kind}: ${net.note}`, /^old: at \d\d:\d\d/);
  });

  // Powers of one moment; what the gateway calls consumption is five minutes older.
  const measured = (now, consumption, at) => ({
    production: [{ envoy: envoy(now), measured_at: iso(at), power_w: 1000, current: true }],
    net: [{ envoy: envoy(now), measured_at: iso(at), power_w: -600.2, current: true }],
    consumption: [{ envoy: envoy(now), measured_at: iso(at - 300000), power_w: consumption, current: true }],
    battery: [{ envoy: envoy(now), serial: '1', measured_at: iso(at), power_w: -187.5, state_of_charge_pct: 87.3333, current: true }],
  });
  await stand(browser, 'moment', { now: (now) => ({ ...now, measured: measured(now, 2142, Date.now()) }) }, async (page, differs) => {
    differs('what is in use', (await tile(page, 'In use')).value, '212 W');
    differs('how full', await page.locator('#home meter').evaluate((bar) => bar.value), 87);
  });
  await stand(browser, 'no-net-meter', {
    now: (now) => {
      const { net, ...rest } = measured(now, 700, Date.now());
      return { ...now, measured: rest };
    },
  }, async (page, differs) => {
    differs('what is in use', (await tile(page, 'In use')).value, '513 W');
  });
  await stand(browser, 'stale', {
    now: (now) => ({ ...now, measured: measured(now, 700, Date.now() - HOUR), chain: { ...now.chain, gateway: { ...now.chain.gateway, stale: ['net', 'batteries/1'] } } }),
  }, async (page, differs) => {
    for (const label of ['In use', 'To the grid', 'Battery']) {
      const { kind, note } = await tile(page, label);
      differs(label, `${kind}: ${note}`, /^old: at .*\d\d:\d\d/);
    }
    differs('the meter of production', (await tile(page, 'Solar meter')).kind, '');
  });

  // A sum of different moments is none: the battery charged hours ago.
  await stand(browser, 'moments', {
    now: (now) => {
      const all = measured(now, 700, Date.now());
      Object.assign(all.battery[0], { power_w: -3000, measured_at: iso(Date.now() - 3 * HOUR), current: false });
      return { ...now, measured: all };
    },
  }, async (page, differs) => {
    const used = await tile(page, 'In use');
    differs('what is in use', `${used.value}, ${used.kind}`, '– W, ');
    differs('the battery', (await tile(page, 'Battery')).kind, 'old');
  });
  // One of two batteries is silent.
  const two = (minutes) => ({
    now: (now) => {
      const all = measured(now, 700, Date.now());
      all.battery.push({ ...all.battery[0], serial: '2', power_w: -1000, measured_at: iso(Date.now() - minutes * 60000), current: false });
      return { ...now, measured: all };
    },
  });
  await stand(browser, 'half-the-batteries', two(60), async (page, differs) => {
    differs('what is in use', (await tile(page, 'In use')).value, '– W');
    differs('the battery that is known', (await tile(page, '1 of 2 batteries')).note, 'charging 188\u00a0W');
  });
  await stand(browser, 'half-the-batteries-now', two(5), async (page, differs) => {
    const used = await tile(page, 'In use');
    differs('what was in use', `${used.value}, ${used.kind}`, '-788 W, old');
  });
  // The Envoy's clock is two days behind, and was a day ahead.
  await stand(browser, 'clock', {
    now: (now) => {
      const all = measured(now, 700, Date.now() - 48 * HOUR);
      for (const [one] of Object.values(all)) one.current = false;
      return { ...now, measured: all, chain: { ...now.chain, gateway: { ...now.chain.gateway, clock_skew_s: -48 * 3600 } } };
    },
  }, async (page, differs) => {
    differs('what is in use', (await tile(page, 'In use')).value, '212 W');
    const shown = await page.evaluate(async () => {
      const home = await import('/home.js');
      const at = (hours) => new Date(Date.now() + hours * 3600000).toISOString();
      const net = (hours, watts) => ({ envoy: '1', measured_at: at(hours), power_w: watts, current: true });
      home.judge({ clock_skew_s: 0 }, true);
      home.take({ net: [net(24, 7)] });
      home.take({ net: [net(0, 42)] });
      home.show(document.getElementById('home'), null);
      return document.querySelector('#home b').textContent;
    });
    differs('what is not ahead', shown, '42 W');
  });
  await stand(browser, 'unknown-batteries', {}, async (page, differs) => {
    const used = await page.evaluate(async () => {
      const { usedSeries } = await import('/home.js');
      const met = { production_w: [100, 100], net_w: [50, 50] };
      return JSON.stringify([usedSeries({ ...met, battery_w: [null, -20] }), usedSeries(met)]);
    });
    differs('the curve of what was in use', used, '[[null,130],[150,150]]');
  });

  // The 33rd viewer has numbers, and no stream; whether there is a connection the numbers tell, in the title too.
  await stand(browser, 'no-stream', {}, async (page, differs) => {
    await page.waitForFunction(() => /each minute/.test(document.querySelector('#link').textContent));
    differs('the label', await page.textContent('#now-label'), 'Now');
    differs('the title', await page.title(), /^[\d,.]+ k?W – envoy-scrape$/);
    const blocked = (route) => route.abort();
    await page.route('**/api/v1/**', blocked);
    await page.clock.runFor(61000);
    await page.waitForSelector('#link.lost');
    differs('the title without a connection', await page.title(), 'Connection lost – envoy-scrape');
    differs('the label without a connection', await page.textContent('#now-label'), /^At \d\d:\d\d$/);
    await page.unroute('**/api/v1/**', blocked);
    await page.clock.runFor(61000);
    await page.waitForSelector('#link:not(.lost)');
    differs('the title again', await page.title(), /^[\d,.]+ k?W – envoy-scrape$/);
  }, false);

  // What nobody read is no line, and no peak.
  await stand(browser, 'first-day', {
    'days?*': (answer) => {
      for (const day of answer.days.slice(0, -1)) Object.assign(day, { energy_wh: 0, reports: 0 });
    },
    'site?*': (answer) => {
      const first = answer.power_w.findLastIndex((power) => power !== null);
      answer.power_w = answer.power_w.map((power, i) => (i < first - 6 ? null : power));
    },
    now: (now) => {
      // One whose clock is hours ahead.
      now.inverters[0].reported_at = iso(Date.now() + 5 * HOUR);
    },
  }, async (page, differs) => {
    differs('the lines', String(await page.locator('#chart .legend li').allTextContents()), 'Today');
  });

  // A name that turns text around leaves what is beside it alone; nothing is told by a pointer alone.
  await stand(browser, 'names', {
    now: (now) => {
      for (const inverter of now.inverters) Object.assign(inverter, { name: '\u202eroof 12', array: '\u05d2\u05d2' });
    },
  }, async (page, differs) => {
    await page.click('#grid button');
    await page.waitForSelector('#detail-chart canvas');
    // In one step: what the page puts in the place of another element meanwhile has no style any more.
    const turned = await page.evaluate(() => [...document.querySelectorAll('#grid small:first-of-type, #detail-title, #detail-text dd')].filter((one) => getComputedStyle(one).unicodeBidi !== 'isolate').length);
    differs('how many names turn text around', turned, 0);
    differs('how many titles there are', await page.locator('body [title]').count(), 0);
    const values = await page.locator('meter').evaluateAll((all) => all.map((bar) => bar.value).filter((value) => !Number.isInteger(value)));
    differs('values of bars with a fraction', String(values), '');
    const read = await page.locator('#grid').ariaSnapshot();
    differs('what is read out', String(read.match(/button.*\d\.\d{2,}.*/) || /button.*of the best/.test(read)), 'true');
  });

  await browser.close();
  wrong.forEach((line) => console.error(line));
  process.exit(wrong.length === 0 ? 0 : 1);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
