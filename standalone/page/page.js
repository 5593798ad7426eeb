// The page: asks the JSON API for all numbers, and hears each reading as the broker's topics have it.
// What comes from outside is only ever set as text.
'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
  const one = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const two = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  const STEP = 600; // seconds of one value in the charts

  const state = { inverters: new Map(), chosen: null, chain: null, now: null, plot: null, detail: null };

  const make = (tag, text) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  async function ask(path) {
    const answer = await fetch(`/api/v1/${path}`);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error || `the program answered ${answer.status}`);
    return body;
  }

  function notice(text) {
    at('notice').textContent = text || '';
    at('notice').hidden = !text;
  }

  function showNow() {
    const all = [...state.inverters.values()];
    const reporting = all.filter((inverter) => inverter.reporting);
    const power = reporting.reduce((sum, inverter) => sum + inverter.power_w, 0);
    const large = Math.abs(power) >= 10000;
    at('power').textContent = all.length === 0 ? '–' : large ? two.format(power / 1000) : whole.format(power);
    at('power-unit').textContent = large ? 'kW' : 'W';
    at('reporting').textContent = all.length === 0 ? '–' : whole.format(reporting.length);
    at('total').textContent = all.length === 0 ? '' : `of ${all.length} inverters`;
    document.title = all.length === 0 ? 'envoy-scrape' : `${whole.format(power)} W – envoy-scrape`;
    showGrid(all);
    showNotice(all, reporting);
  }

  function showNotice(all, reporting) {
    const { now } = state;
    if (!now) return;
    if (all.length === 0) {
      notice(`No reading yet. ${now.status || 'Waiting for the Envoy.'}`);
    } else if (reporting.length === 0) {
      notice('No inverter has reported for two hours: at night that is as it should be.');
    } else if (now.simulated) {
      notice('This Envoy is simulated. To see your own: envoy-scrape --envoy ADDRESS');
    } else {
      notice('');
    }
  }

  function showGrid(all) {
    const grid = at('grid');
    const best = Math.max(1, ...all.filter((inverter) => inverter.reporting).map((inverter) => inverter.power_w));
    for (const inverter of all) {
      const id = `inverter-${inverter.envoy}-${inverter.serial}`;
      let button = at(id);
      if (!button) {
        const item = make('li');
        button = make('button');
        button.id = id;
        button.type = 'button';
        const bar = make('meter');
        bar.min = 0;
        bar.max = 1;
        bar.low = 0.5;
        bar.optimum = 1;
        button.append(make('b'), make('small'), bar);
        button.addEventListener('click', () => choose(inverter.serial));
        item.append(button);
        grid.append(item);
      }
      const [power, name, bar] = button.children;
      power.textContent = inverter.reporting ? `${whole.format(inverter.power_w)} W` : 'silent';
      name.textContent = `…${inverter.serial.slice(-5)}`;
      const share = inverter.reporting ? Math.min(1, Math.max(0, inverter.power_w / best)) : 0;
      bar.value = share;
      bar.setAttribute('aria-label', `${Math.round(share * 100)} % of the best`);
      button.setAttribute('aria-pressed', String(state.chosen === inverter.serial));
      button.title = `${inverter.serial}, reported ${moment.format(new Date(inverter.reported_at))}`;
    }
  }

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Seconds after midnight, so that days lie on each other.
  function draw(holder, series, before) {
    if (before) before.destroy();
    const width = holder.clientWidth;
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
    const hours = (values) => values.map((value) => `${String(Math.floor(value / 3600)).padStart(2, '0')}:00`);
    return new uPlot({
      width,
      height: Math.max(200, Math.min(320, width * 0.5)),
      scales: { x: { time: false, range: [0, 86400] }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(100, high * 1.08)] } },
      axes: [
        { ...axis, values: (_, splits) => hours(splits), incrs: width < 500 ? [21600] : [10800] },
        { ...axis, size: 58, values: (_, splits) => splits.map((value) => `${whole.format(value)} W`) },
      ],
      cursor: { y: false },
      legend: { live: width >= 500 },
      series: [
        { label: 'Time', value: (_, value) => (value === null ? '–' : `${String(Math.floor(value / 3600)).padStart(2, '0')}:${String(Math.floor((value % 3600) / 60)).padStart(2, '0')}`) },
        ...series.map(({ label, name, fill, dash }) => ({
          label, dash, stroke: colour(name), width: fill ? 2.5 : 1.5, fill: fill && colour('--soft'), points: { show: false },
          value: (_, value) => (value === null || value === undefined ? '–' : `${whole.format(value)} W`),
        })),
      ],
    }, [Array.from({ length: 86400 / STEP }, (_, i) => i * STEP + STEP / 2), ...series.map(({ values }) => values)], holder);
  }

  function padded(values) {
    const all = values.slice(0, 86400 / STEP);
    while (all.length < 86400 / STEP) all.push(null);
    return all;
  }

  const series = (path, from, until) => ask(`${path}?from=${from}&until=${until}&step=${STEP}`);

  // The last values of today are left out until each inverter that reports has reported beyond them: a sum
  // that lacks some would look like a cloud. One that is 20 minutes behind the newest is not waited for.
  function sofar(day, inverters) {
    const reported = inverters.map((inverter) => Date.parse(inverter.reported_at) / 1000);
    const newest = Math.max(...reported, 0);
    const until = Math.min(...reported.filter((time) => time > newest - 1200), newest);
    return day.power_w.filter((_, i) => day.from + (i + 1) * STEP <= until);
  }

  async function showDays() {
    const { days } = await ask(`days?days=14&zone=${encodeURIComponent(zone)}`);
    const today = days[days.length - 1];
    const past = days.slice(0, -1);
    const yesterday = past[past.length - 1];
    const best = past.reduce((a, b) => (b.energy_wh > a.energy_wh ? b : a));
    state.today = today;
    at('today').textContent = one.format(today.energy_wh / 1000);
    const [now, before, top] = await Promise.all([today, yesterday, best].map((day) => series('site', day.from, day.until)));
    const values = sofar(now, [...state.inverters.values()]);
    at('peak').textContent = values.length === 0 ? '–' : two.format(Math.max(...values) / 1000);
    at('chart-empty').hidden = values.length !== 0;
    const lines = [];
    if (best.energy_wh > 0) lines.push({ label: `Best (${best.date})`, name: '--quiet', dash: [4, 4], values: padded(top.power_w) });
    if (yesterday.energy_wh > 0) lines.push({ label: 'Yesterday', name: '--cool', values: padded(before.power_w) });
    lines.push({ label: 'Today', name: '--sun', fill: true, values: padded(values) });
    state.plot = draw(at('chart'), lines, state.plot);
    const list = at('days');
    list.replaceChildren();
    const most = Math.max(1, ...days.map((day) => day.energy_wh));
    const date = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });
    for (const day of days.slice().reverse().filter((day) => day.energy_wh !== 0 || day === today)) {
      const item = make('li');
      const bar = make('meter');
      bar.max = most;
      bar.value = Math.max(0, day.energy_wh);
      const label = day === today ? 'Today' : date.format(new Date(day.from * 1000));
      bar.setAttribute('aria-label', label);
      item.append(make('span', label), bar, make('b', `${one.format(day.energy_wh / 1000)} kWh`));
      list.append(item);
    }
    if (state.chosen) await showDetail();
  }

  async function choose(serial) {
    state.chosen = state.chosen === serial ? null : serial;
    at('detail').hidden = !state.chosen;
    showNow();
    if (!state.chosen) return;
    await attempt(showDetail);
    at('detail-title').focus({ preventScroll: false });
  }

  async function showDetail() {
    const inverter = [...state.inverters.values()].find((one) => one.serial === state.chosen);
    if (!inverter || !state.today) return;
    const day = await series(`inverters/${encodeURIComponent(inverter.serial)}`, state.today.from, state.today.until);
    at('detail-title').textContent = `Inverter ${inverter.serial}`;
    at('detail-text').textContent = `${whole.format(inverter.power_w)} W at ${clock.format(new Date(inverter.reported_at))}, `
      + `${two.format(day.energy_wh / 1000)} kWh today, record ${whole.format(inverter.peak_power_w)} W`;
    state.detail = draw(at('detail-chart'), [{ label: 'Today', name: '--sun', fill: true, values: padded(sofar(day, [inverter])) }], state.detail);
  }

  function showChain() {
    const { chain, now } = state;
    const rows = [];
    const gateway = chain && chain.gateway;
    const time = (text) => (text ? moment.format(new Date(text)) : 'not yet');
    rows.push(['Envoy', gateway ? `${gateway.envoy}, firmware ${gateway.firmware}, at ${gateway.address}` : 'not read yet']);
    rows.push(['Last answer', time(gateway && gateway.last_poll_at)]);
    rows.push(['Last report', time(now && now.last_report_at)]);
    if (gateway && gateway.token_expires_at) rows.push(['Token until', time(gateway.token_expires_at)]);
    rows.push(['Scraper', (chain && chain.scraper) || 'not connected yet']);
    rows.push(['Broker', chain && chain.broker ? 'connected' : 'not connected']);
    rows.push(['Store', (chain && chain.receiver) || 'not connected yet']);
    if (now && now.status) rows.push(['In words', now.status]);
    if (now) rows.push(['Version', now.version]);
    at('chain').replaceChildren(...rows.flatMap(([name, value]) => [make('dt', name), make('dd', value)]));
  }

  async function refresh() {
    state.now = await ask('now');
    state.chain = state.now.chain;
    state.inverters = new Map(state.now.inverters.map((inverter) => [`${inverter.envoy}/${inverter.serial}`, inverter]));
    showNow();
    showChain();
    await showDays();
  }

  async function attempt(what) {
    try {
      await what();
    } catch (error) {
      notice(`The numbers are not to be had now: ${error.message}`);
    }
  }

  function link(kind, text) {
    at('link').className = kind;
    at('link').textContent = text;
  }

  function listen() {
    const events = new EventSource('/api/v1/events');
    events.addEventListener('open', () => {
      link('live', 'live');
      attempt(refresh);
    });
    // The browser tries again by itself.
    events.addEventListener('error', () => link('lost', 'connection lost, trying again'));
    events.addEventListener('reading', (event) => {
      const reading = JSON.parse(event.data);
      const reporting = Date.now() - Date.parse(reading.reported_at) < 2 * 3600 * 1000;
      state.inverters.set(`${reading.envoy}/${reading.serial}`, { ...reading, reporting });
      showNow();
    });
    events.addEventListener('chain', (event) => {
      state.chain = JSON.parse(event.data);
      showChain();
    });
  }

  let resized;
  const redraw = () => {
    clearTimeout(resized);
    resized = setTimeout(() => attempt(showDays), 200);
  };
  window.addEventListener('resize', redraw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  listen();
  // What no message tells: energy, charts, who has fallen silent.
  setInterval(() => attempt(refresh), 60000);
})();
