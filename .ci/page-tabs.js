// Opens eight tabs of the page in a browser as people have it, in which one tab is to be seen: each shows the power in
// its title. A browser has six connections to a host for all its tabs. Called by .ci/page.
'use strict';
const { spawn } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');

const [url, browser] = process.argv.slice(2);
const TABS = 8;
const PATIENCE = 60000;

// The address at which the browser is driven, once it says it.
function listening(program) {
  return new Promise((done, failed) => {
    let said = '';
    program.stderr.on('data', (piece) => {
      said += piece;
      const found = /DevTools listening on ws:\/\/([^/]+)\//.exec(said);
      if (found) done(`http://${found[1]}`);
    });
    program.on('exit', () => failed(new Error(`the browser ended: ${said}`)));
  });
}

(async () => {
  const profile = mkdtempSync(`${tmpdir()}/page-tabs-`);
  const program = spawn(browser, ['--headless=new', '--no-sandbox', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank']);
  const ended = new Promise((done) => { program.on('close', done); });
  try {
    const driven = await listening(program);
    for (let i = 0; i < TABS; i += 1) await fetch(`${driven}/json/new?${url}`, { method: 'PUT' });
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const targets = await (await fetch(`${driven}/json/list`)).json();
      const titles = targets.filter((target) => target.url.startsWith(url)).map((target) => target.title);
      const shown = titles.filter((title) => /\d.* – envoy-scrape$/.test(title));
      if (shown.length === TABS) break;
      if (Date.now() > deadline) throw new Error(`${TABS} tabs were opened, and have the titles ${titles.join(', ')}`);
      await new Promise((done) => { setTimeout(done, 200); });
    }
  } finally {
    program.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
