// Pages of reports, comparisons and models in a browser: how they look, wide and narrow, light and
// dark, and what mouse, finger and keys do.

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, describe, it} from 'node:test';

import {Browser} from './browser.mjs';
import {choice, emptyChoice, measured, oddChoice} from './choices.mjs';
import {faults} from './faults.mjs';
import {MODELS, report, writeModel} from './models.mjs';
import {asReference, difference} from './pictures.mjs';

const sluice = process.env.SLUICE_PROGRAM;
const data = process.env.SLUICE_TEST_DATA;
const references = join(data, 'pages');
const folder = mkdtempSync(join(tmpdir(), 'sluice-pages-'));
const browser = new Browser(process.env.SLUICE_BROWSER || 'chromium');
const blank = browser.open('about:blank');  // no policy keeps it from showing pictures
after(async () => {
  await browser.close();
  rmSync(folder, {recursive: true});
});

const run = (...words) => execFileSync(sluice, words, {stdio: ['ignore', 'ignore', 'inherit']});
const pageOf = (name) => join(folder, `${name}.html`);

/** The page of runs' reports. */
const reportPage = (name, reports) => {
  const files = reports.map((each, i) => join(folder, `${name}-${i}.json`));
  files.forEach((file, i) => writeFileSync(file, JSON.stringify(reports[i])));
  run('report', ...files, '-o', pageOf(name));
};

/** The page of a choice of types, with files that were measured. */
const choicePage = (name, told, table = '') => {
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(told));
  writeFileSync(join(folder, `${name}.txt`), table);
  run('report', join(folder, `${name}.json`), '--measured', join(folder, `${name}.txt`), '-o',
      pageOf(name));
};

/** A report of names and numbers as no model has them. */
const odd = () => {
  const one = report(MODELS.small, 0, 7);
  const attack =
      '"><script>document.title = "owned"</script><img src=x onerror="document.title = 1">';
  one.model = `${'VeryLongNameWithoutAnySpace'.repeat(6)} ${attack}`;
  one.tensors[3].name = `blk.0.${'a_kind_of_a_name_that_does_not_end_'.repeat(8)}.weight`;
  one.tensors[4].name = `blk.1.${attack}`;
  one.tensors[5].name = '\u202eesrever\u0007';
  one.tensors[6].type = attack;
  one.tensors[7].name = 'blk.151.attn_q.weight';
  one.tensors[8].weighted_error = 1e-11;
  one.tensors[9].weighted_error = 1e9;
  one.tensors[10].bytes = 0;
  return one;
};

/** As older versions wrote them. */
const old = () => {
  const {tensors, samples, wall_s, read_bytes, isa} = report(MODELS.small, 0, 8);
  for (const tensor of tensors) {
    delete tensor.weighted_power;
    delete tensor.plain_power;
  }
  for (const sample of samples)
    for (const key of ['disk', 'cores', 'budget']) delete sample[key];
  return {tensors, samples, wall_s, read_bytes, isa};
};

before(async () => {
  await blank;  // a page that is not in front is not drawn
  for (const [name, model] of Object.entries(MODELS)) reportPage(name, [report(model, 0, 1)]);
  reportPage('two', [report(MODELS.dense, 0, 1), report(MODELS.dense, 1, 2)]);
  reportPage(
      'three',
      [0, 1, 1].map((types, i) => ({...report(MODELS.small, types, i), file_type: `TYPE_${i}`})));
  reportPage('odd', [odd()]);
  reportPage('old', [old()]);
  reportPage('empty', [{tensors: []}]);
  reportPage('projector', [{
               tensors: ['v.blk.0.attn_q', 'v.blk.1.attn_q', 'v.blk.0.ffn_up', 'mm.0'].map(
                   (name, i) => ({
                     name: `${name}.weight`,
                     source: 'f16',
                     type: 'q8_0',
                     bytes: 1000,
                     plain_error: 1e-5 * (i + 1),
                   }))
             }]);
  const chosen = choice(MODELS.dense, 0.3, 5);
  choicePage('choice', chosen, measured(chosen, 6));
  reportPage('run-for-size', [{...report(MODELS.dense, 0, 1), mix: chosen}]);
  choicePage('odd-choice', oddChoice());
  choicePage('empty-choice', emptyChoice);
  const model = join(data, 'model/tiny-llama-f16.gguf');
  const made = join(folder, 'made.gguf');
  run('quantize', '--quiet', '--imatrix', join(data, 'imatrix/tiny-llama.imatrix.gguf'), model,
      made, 'IQ1_M');
  run('compare', model, made, '--html', pageOf('compare'));
  run('compare', model, model, '--html', pageOf('same'));
  run('recipe', '--quiet', '--target-size', '2500K', '--imatrix',
      join(data, 'imatrix/tiny-llama.imatrix.gguf'), '--measurements',
      join(folder, 'measured.json'), model, '-o', join(folder, 'rules'), '--html',
      pageOf('recipe'));
  writeModel(MODELS.deepseek, join(folder, 'deepseek.gguf'));
  run('inspect', join(folder, 'deepseek.gguf'), '--html', pageOf('model'));
});

const LOOKS = [1280, 390].flatMap((width) => [false, true].map((dark) => ({width, dark})));
const named = ({width, dark}) => `${width}-${dark ? 'dark' : 'light'}`;

/** Opens a page, does something with it, and closes it. */
const on = async (name, options, use) => {
  const page = await browser.open(`file://${pageOf(name)}`, options);
  try {
    return await use(page);
  } finally {
    await page.close();
  }
};

const hasNoFault = (name, look) =>
    it(`${name} at ${named(look)} has no fault`, () => on(name, look, async (page) => {
                                                   assert.deepEqual(await page.run(faults), []);
                                                 }));

/** Compares a page with the picture that is kept of it, or keeps that. */
const looksAsItDid = async (page, name, look) => {
  const file = join(references, `${name}-${named(look)}.webp`);
  const seen = await asReference(page);
  if (process.env.SLUICE_REWRITE) {
    mkdirSync(references, {recursive: true});
    return writeFileSync(file, seen);
  }
  assert.ok(existsSync(file), `${file} is missing: SLUICE_REWRITE=1 writes it`);
  const far = await difference(await blank, seen, readFileSync(file));
  assert.ok(
      far < 0.02,
      `${(100 * far).toFixed(1)} % of the picture is other than in ${file}; if it ` +
          'is meant to, SLUICE_REWRITE=1 ctest --preset release -R pages/ writes the new one');
};

describe('looks', () => {
  const pictured = ['small', 'dense', 'deepseek', 'two', 'compare', 'model', 'choice'];
  const others = [
    'three', 'odd', 'old', 'empty', 'same', 'recipe', 'run-for-size', 'odd-choice', 'empty-choice'
  ];
  for (const look of LOOKS) {
    for (const name of pictured) {
      it(`${name} at ${named(look)} has no fault, and looks as it did`,
         () => on(name, look, async (page) => {
           assert.deepEqual(await page.run(faults), []);
           await looksAsItDid(page, name, look);
         }));
    }
    for (const name of others) hasNoFault(name, look);
  }
  for (const name of [...pictured, ...others]) hasNoFault(name, {width: 320, dark: false});

  it('what is opened has no fault either',
     () => on('deepseek', {width: 390}, async (page) => {
       await page.run(
           () => document.querySelectorAll('.chip, #sizes .entry, #tensors button:last-child')
                     .forEach((button) => button.click()));
       assert.deepEqual(await page.run(faults), []);
     }));

  it('faults are seen',
     () => on('small', {width: 390}, async (page) => {
       const faultsWith = async (change, undo) => {
         await page.run(change);
         const found = (await page.run(faults)).join('\n');
         await page.run(undo);
         return found;
       };
       const style = (text) =>
           [`() => { document.body.append(Object.assign(document.createElement('style'),
        {textContent: ${JSON.stringify(text)}})); }`,
            '() => document.body.lastChild.remove()'];
       assert.match(
           await faultsWith(...style('.legend { width: 500px }')), /wider than the window/);
       assert.match(
           await faultsWith(
               ...style('.figures dd { white-space: nowrap; width: 40px; overflow: hidden }')),
           /cuts off/);
       assert.match(await faultsWith(...style(':root { --soft: #aaa }')), /little contrast/);
       assert.match(
           await faultsWith(...style('.plot svg { width: 200px }')), /not as wide as the page/);
       assert.match(
           await faultsWith(...style('svg text { font-size: 24px }')), /written over another/);
       assert.match(
           await faultsWith(...style('button { min-height: 10px; padding: 0; line-height: 1 }')),
           /too small for a finger/);
       assert.match(await faultsWith(...style('svg .mark { fill: var(--line) }')), /hardly seen/);
       assert.match(
           await faultsWith(
               () => document.querySelector('.plot rect').setAttribute('x', 5000),
               () => document.querySelector('.plot rect').setAttribute('x', 0)),
           /outside of its picture/);
       assert.match(
           await faultsWith(() => document.querySelector('caption').remove(), () => 0),
           /no caption/);
     }));

  it('what looks otherwise is seen',
     () => on('small', {}, async (page) => {
       const before = await asReference(page);
       assert.equal(await difference(await blank, await asReference(page), before), 0);
       const after = async (change) => {
         await page.run(change);
         return difference(await blank, await asReference(page), before);
       };
       assert.ok(
           await after(
               () => document.querySelectorAll('#map rect').forEach((cell) => cell.remove())) >
           0.02);
       assert.ok(await after(() => document.querySelector('#errors').remove()) > 0.02);
     }));
});

const told = (page, part) =>
    page.run((id) => document.querySelector(`#${id} .told span`).textContent, part);
const rows = (page, part) => page.run(
    (id) => [...document.querySelectorAll(`#${id} tbody tr`)].map(
        (row) => [...row.children].map((cell) => cell.textContent)),
    part);

describe('use', () => {
  it('keys go from mark to mark, and to the table',
     () => on('dense', {}, async (page) => {
       await page.run(() => document.querySelector('#map .plot svg').focus());
       await page.key('ArrowRight');
       assert.match(await told(page, 'map'), /^blk\.0\.attn_q\.weight: /);
       await page.key('ArrowRight');
       assert.match(await told(page, 'map'), /^blk\.1\.attn_q\.weight: /);
       await page.key('ArrowDown');
       assert.match(
           await told(page, 'map'),
           /^blk\.1\.attn_k\.weight: .* as iq2_xxs, .* % of the total error; [×÷]/);
       await page.key('Enter');
       const found = await rows(page, 'tensors');
       assert.deepEqual(found.map((row) => row[0]), ['blk.1.attn_k.weight']);
       assert.equal(await page.run(() => document.activeElement.type), 'search');
     }));

  it('a name that ends others is found alone',
     () => on('dense', {}, async (page) => {
       await page.tap('#errors .plot .stroke');
       await page.run(() => document.querySelector('#errors .told button').click());
       assert.deepEqual((await rows(page, 'tensors')).map((row) => row[0]), ['output.weight']);
     }));

  it('layers of projectors are layers',
     () => on('projector', {}, async (page) => {
       assert.deepEqual(
           await page.run(
               () => [...document.querySelectorAll('#map .name')].map((name) => name.textContent)),
           ['v.attn_q', 'v.ffn_up']);
     }));

  it('everything is reached by Tab',
     () => on('dense', {}, async (page) => {
       const reached = new Set();
       for (let i = 0; i < 120; ++i) {
         await page.key('Tab');
         reached.add(await page.run(() => {
           const element = document.activeElement;
           return `${element.closest('section, nav')?.id} ${element.tagName.toLowerCase()}`;
         }));
       }
       for (const place
                of ['errors svg', 'map select', 'map svg', 'layers button', 'layers svg',
                    'sizes button', 'history svg', 'tensors input', 'tensors button'])
         assert.ok(reached.has(place), `${place} of ${[...reached]}`);
     }));

  it('a finger reads marks', () => on('deepseek', {width: 390}, async (page) => {
                               await page.tap('#map .plot svg');
                               assert.match(await told(page, 'map'), /^blk\.3\d\./);
                               await page.tap('#errors .plot .stroke');
                               assert.match(await told(page, 'errors'), /^output\.weight: /);
                             }));

  it('each of q, k, v and output has a colour and a shape',
     () => on('dense', {}, async (page) => {
       const styles = await page.run(
           () => [...document.querySelectorAll('#layers .chip[aria-pressed=true]')].map(
               (chip) =>
                   [chip.textContent, getComputedStyle(chip.querySelector('path')).fill,
                    chip.querySelector('path').getAttribute('d')]));
       assert.deepEqual(
           styles.map(([kind]) => kind), ['attn_q', 'attn_k', 'attn_v', 'attn_output']);
       for (const part of [1, 2]) assert.equal(new Set(styles.map((style) => style[part])).size, 4);
       const lines = () => page.run(() => document.querySelectorAll('#layers polyline').length);
       assert.equal(await lines(), 4);
       await page.run(() => document.querySelector('#layers .chip[aria-pressed=false]').click());
       assert.equal(await lines(), 5);
       await page.run(
           () => [...document.querySelectorAll('#layers .group')]
                     .find((each) => each.textContent === 'feed-forward')
                     .click());
       assert.equal(await lines(), 3);
     }));

  it('colours of the map do not tell the type',
     () => on('dense', {}, async (page) => {
       // Of each type about as many tensors are above its median as below.
       const counts = await page.run(() => {
         const styles = {};
         for (const cell of document.querySelectorAll('#map .plot rect[class^=d]')) {
           const row = Math.round(cell.getAttribute('y'));
           (styles[row] = styles[row] || new Set()).add(cell.getAttribute('class'));
         }
         return Object.values(styles).map((each) => each.size);
       });
       assert.equal(counts.length, 7);
       assert.ok(counts.every((count) => count >= 3), String(counts));
     }));

  it('tables sort and search',
     () => on('deepseek', {}, async (page) => {
       const errors = async () => (await rows(page, 'tensors')).map((row) => Number(row[4]));
       const sorted = await errors();
       assert.equal(sorted.length, 30);
       assert.deepEqual(sorted, [...sorted].sort((a, b) => b - a));
       const click = (title) => page.run(
           (name) => [...document.querySelectorAll('#tensors th button')]
                         .find((button) => button.textContent === name)
                         .click(),
           title);
       await click('weighted error');
       const rising = await errors();
       assert.deepEqual(rising, [...rising].sort((a, b) => a - b));
       await click('tensor');
       assert.deepEqual(
           (await rows(page, 'tensors')).slice(0, 1).map((row) => row[0]),
           ['blk.0.attn_k_b.weight']);
       assert.equal(
           await page.run(
               () => document.querySelector('#tensors [aria-sort=ascending]').textContent),
           'tensor');
       await page.run(() => {
         const input = document.querySelector('#tensors input');
         input.value = 'blk.9. EXPS iq1_m';
         input.dispatchEvent(new Event('input'));
       });
       assert.deepEqual(
           (await rows(page, 'tensors')).map((row) => row[0]),
           ['down', 'gate', 'up'].map((kind) => `blk.9.ffn_${kind}_exps.weight`));
       assert.equal(
           await page.run(() => document.querySelector('#tensors output').textContent),
           '3 of 1,223');
     }));

  it('sizes open as folders do, and sum up',
     () => on('model', {}, async (page) => {
       const names = () => page.run(
           () => [...document.querySelectorAll('#sizes .name')].map(
               (each) => each.firstChild.data));
       const bytes = () => page.run(
           () => [...document.querySelectorAll('#sizes .bar-row .number:nth-child(2)')].map(
               (each) => each.textContent));
       assert.equal((await names())[0], 'layer 0');
       await page.run(() => document.querySelector('#sizes .entry').focus());
       await page.key('ArrowDown');
       await page.key('ArrowRight');
       assert.equal((await names())[0], 'blk.1.ffn_gate_exps.weight');
       assert.equal((await bytes())[0], '7.0 GiB');  // 2 · 7168 · 2048 · 256
       await page.key('Backspace');
       assert.equal((await names())[0], 'layer 0');
       await page.run(() => {
         const select = document.querySelector('#sizes select');
         select.value = 'type';
         select.dispatchEvent(new Event('change'));
       });
       assert.deepEqual(await names(), ['bf16', 'f32']);
     }));

  it('the frontier tells of choices, mixes and measured files',
     () => on('choice', {}, async (page) => {
       await page.run(() => document.querySelector('#frontier svg[tabindex]').focus());
       await page.key('Home');
       assert.match(await told(page, 'frontier'), /iB: .* foretold for the best choice$/);
       await page.key('End');
       assert.match(await told(page, 'frontier'), /^this choice, foretold: /);
       const names = await page.run(
           () => [...document.querySelectorAll('#frontier .name')].map((name) => name.textContent));
       for (const name of ['IQ1_M', 'Q2_K', 'Q6_K']) assert.ok(names.includes(name), String(names));
       assert.ok(names.some((name) => name.startsWith('chosen for')), String(names));
     }));

  it('a picture is saved as a file that loads nothing, light and dark',
     () => on('choice', {}, async (page) => {
       const picture = await page.run(async () => {
         let saved;
         URL.createObjectURL = (blob) => {
           saved = blob;
           return '#';
         };
         document.querySelector('#frontier figure > button').click();
         return saved.text();
       });
       assert.doesNotMatch(picture.replaceAll('http://www.w3.org/', ''), /http|url\(|<script|href/);
       writeFileSync(join(folder, 'saved.svg'), picture);
       const inks = [];
       for (const dark of [false, true]) {
         const file = await browser.open(`file://${join(folder, 'saved.svg')}`, {dark});
         inks.push(await file.run(
             () => ['text', '.mark', 'rect'].map(
                 (each) => getComputedStyle(document.querySelector(each)).fill)));
         await file.close();
       }
       for (const [light, dark] of inks[0].map((ink, i) => [ink, inks[1][i]])) {
         assert.notEqual(light, 'rgb(0, 0, 0)');
         assert.notEqual(light, dark);
       }
     }));

  it('a run for a size shows its choice',
     () => on('run-for-size', {}, async (page) => {
       assert.match(
           await page.run(() => document.querySelector('header').innerText), /Foretold divergence/);
       await page.tap('#choice .plot svg');
       assert.match(await told(page, 'choice'), /^blk\.\d+\..*, adds /);
       const [row] = await rows(page, 'tensors');
       assert.match(row.at(-1), /^8 types/);
     }));

  it('a tensor shows what it could have had when asked',
     () => on('choice', {}, async (page) => {
       const [[name, type, size]] = await rows(page, 'tensors');
       const shown = () => page.run(
           () => [...document.querySelectorAll('#tensors tr:nth-child(1) li')]
                     .filter((each) => each.checkVisibility())
                     .map((each) => [each.textContent, each.getAttribute('aria-current')]));
       assert.deepEqual(await shown(), []);
       await page.run(() => document.querySelector('#tensors summary').click());
       const types = await shown();
       assert.equal(types.length, 8, name);
       assert.deepEqual(
           types.filter(([, current]) => current).map(([text]) => text.split(',')[0]),
           [`${type}: ${size}`]);
     }));

  it('of two runs the map shows the difference',
     () => on('two', {}, async (page) => {
       assert.equal(
           await page.run(
               () => document.querySelector('#map select').selectedOptions[0].textContent),
           'Q4_K_M against IQ1_M');
       const [first] = (await rows(page, 'tensors'));
       // Ratio of errors, to three digits as they are shown.
       assert.ok(
           Math.abs(Number(first[3]) / Number(first[6]) / Number(first[7].slice(2)) - 1) < 0.02,
           String(first));
     }));

  it('without scripts there are facts, and a word on it',
     () => on('dense', {scripts: false}, async (page) => {
       await new Promise((done) => setTimeout(done, 300));
       const {root} = await page.send('DOM.getDocument', {depth: -1});
       const {outerHTML} = await page.send('DOM.getOuterHTML', {nodeId: root.nodeId});
       assert.match(outerHTML, /<noscript><p/);
       assert.match(outerHTML, /<div id="page"><\/div>/);
       assert.match(outerHTML, /<strong>0\.134<\/strong>/);
     }));

  it('of a choice, too, names stay text',
     () => on('odd-choice', {}, async (page) => {
       await page.run(() => [...document.querySelectorAll('#tensors button')].pop().click());
       const [title, images, text] =
           await page.run(() => [document.title, document.images.length, document.body.innerText]);
       assert.match(title, /^odd-choice/);
       assert.equal(images, 0);
       assert.match(text, /blk\.1\."><script>document\.title = "owned"<\/script>/);
     }));

  it('names that would be markup or scripts stay text',
     () => on('odd', {}, async (page) => {
       await page.run(() => [...document.querySelectorAll('#tensors button')].pop().click());
       const seen = await page.run(() => ({
                                     title: document.title,
                                     images: document.images.length,
                                     scripts: document.scripts.length,
                                     text: document.body.innerText
                                   }));
       assert.match(seen.title, /^VeryLong/);
       assert.equal(seen.images, 0);
       assert.equal(seen.scripts, 2);
       assert.match(seen.text, /blk\.1\."><script>document\.title = "owned"<\/script>/);
       assert.match(seen.text, /\\xe2\\x80\\xaeesrever\\x07/);
     }));

  it('the policy stops a script that is not the page\'s', async () => {
    const text = readFileSync(pageOf('small'), 'utf8');
    writeFileSync(
        pageOf('injected'),
        text.replace('</h1>', '</h1><script>document.title = "owned"</script>'));
    await on('injected', {}, async (page) => {
      assert.equal(await page.run(() => document.title), 'Tiny Llama as IQ1_M');
      assert.ok(await page.run(() => document.querySelectorAll('.plot svg').length) > 3);
    });
  });
});
