// Chromium, driven over a pipe with its DevTools protocol: pages at a size, light or dark.

import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-quic', '--font-render-hinting=none', '--force-color-profile=srgb',
  '--remote-debugging-pipe'
];

export class Browser {
  #calls = new Map();
  #next = 1;
  #rest = '';

  constructor(program) {
    this.profile = mkdtempSync(join(tmpdir(), 'sluice-browser-'));
    this.process = spawn(
        program, [...FLAGS, `--user-data-dir=${this.profile}`, 'about:blank'],
        {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
    this.ended = new Promise((done) => this.process.once('close', done));
    this.process.stdio[4].setEncoding('utf8').on('data', (text) => this.#hear(text));
    this.process.once('close', () => {
      for (const {reject} of this.#calls.values()) reject(new Error('the browser has ended'));
    });
  }

  // Messages are JSON, each ended by a zero byte.
  #hear(text) {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop();
    for (const {id, result, error} of messages.map((message) => JSON.parse(message))) {
      const call = this.#calls.get(id);
      if (!call) continue;  // an event
      this.#calls.delete(id);
      error ? call.reject(new Error(error.message)) : call.resolve(result);
    }
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.#next++;
    this.process.stdio[3].write(`${JSON.stringify({id, method, params, sessionId})}\0`);
    return new Promise((resolve, reject) => this.#calls.set(id, {resolve, reject}));
  }

  /** Opens a page and waits until it is drawn. */
  async open(url, {width = 1280, height = 900, dark = false, scripts = true} = {}) {
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
    const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true});
    const page = new Tab(this, targetId, sessionId);
    await page.send(
        'Emulation.setDeviceMetricsOverride',
        {width, height, deviceScaleFactor: 1, mobile: width < 500});
    await page.send(
        'Emulation.setEmulatedMedia',
        {features: [{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}]});
    await page.send('Emulation.setScriptExecutionDisabled', {value: !scripts});
    await page.send('Page.enable');
    const {errorText} = await page.send('Page.navigate', {url});
    if (errorText) throw new Error(`${url}: ${errorText}`);
    if (scripts) await page.run(settled);
    return page;
  }

  async close() {
    await this.send('Browser.close').catch(() => {});
    await this.ended;
    rmSync(this.profile, {recursive: true, force: true, maxRetries: 5});
  }
}

/** Waits until the page is loaded and its pictures are drawn. Runs in the page. */
const settled = async () => {
  while (document.readyState !== 'complete') await new Promise((done) => setTimeout(done, 20));
  for (let i = 0; i < 3; ++i) await new Promise((done) => requestAnimationFrame(done));
};

class Tab {
  constructor(browser, target, session) { Object.assign(this, {browser, target, session}); }

  send(method, params) { return this.browser.send(method, params, this.session); }

  /** Calls a function in the page. */
  async run(body, ...values) {
    const expression = `(${body})(${values.map((value) => JSON.stringify(value)).join(', ')})`;
    const {result, exceptionDetails} =
        await this.send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: true});
    if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
    return result.value;
  }

  async key(name) {
    for (const type of ['keyDown', 'keyUp']) {
      await this.send('Input.dispatchKeyEvent', {
        type,
        key: name,
        code: name,
        windowsVirtualKeyCode: {Tab: 9, Enter: 13}[name] || 0,
        text: name === 'Enter' ? '\r' : undefined
      });
    }
  }

  /** A finger's touch in the middle of an element, at a share of its width. */
  async tap(selector, share = 0.5) {
    const point = await this.run((what, at) => {
      const element = document.querySelector(what);
      element.scrollIntoView({block: 'center'});
      const box = element.getBoundingClientRect();
      return {x: box.left + box.width * at, y: box.top + box.height / 2};
    }, selector, share);
    await this.send('Input.dispatchTouchEvent', {type: 'touchStart', touchPoints: [point]});
    await this.send('Input.dispatchTouchEvent', {type: 'touchEnd', touchPoints: []});
  }

  /** The whole page as it is seen, at a share of its size. */
  async picture({scale = 1, format = 'png', quality = undefined, most = 20000} = {}) {
    const {width, height} =
        await this.run(() => ({width: innerWidth, height: document.documentElement.scrollHeight}));
    const {data} = await this.send('Page.captureScreenshot', {
      format,
      quality,
      captureBeyondViewport: true,
      clip: {x: 0, y: 0, width, height: Math.min(height, most), scale}
    });
    return Buffer.from(data, 'base64');
  }

  close() { return this.browser.send('Target.closeTarget', {targetId: this.target}); }
}
