// Models of all families, run by sluice, give the next token the probabilities that real llama.cpp
// gives it. Weights are random and in F32; llama.cpp keeps keys and values in F32 too, not in F16 as
// it does unless told otherwise; what is left is rounding, and Gemma's GELU, of which llama.cpp has a
// table in F16.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readFileSync, rmSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {after, test} from "node:test";
import {chunks, probabilities, shutDown} from "./divergence.mjs";
import {CHECKPOINT_NAMES, MODEL, outputFolder, quantizeCheckpoint, sluice, TEXT}
  from "./sluice.mjs";

rmSync(outputFolder("networks"), {recursive: true});
const folder = outputFolder("networks");
after(shutDown);

const VOCABULARY = 288;
const models = (...args) =>
  execFileSync(process.env.SLUICE_MODELS, args.map(String), {encoding: "utf8"});
const path = (name) => join(folder, `${name}.gguf`);

/**
 * Tokens that are the same each time, of a generator of pseudorandom numbers; none is special. Of some
 * seeds a token's last expert and the next one are the same but for the last bit, and it goes to
 * either: that token alone is then far beyond the bar.
 */
function sequences(count, length, most = VOCABULARY) {
  let state = 17;
  const next = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return 3 + Math.floor(state / 2 ** 31 * (most - 3));
  };
  return Array.from({length: count}, () => Array.from({length}, next));
}

/** Logits of sluice, a row after each token of each sequence from the one numbered `first` on. */
function logits(model, tokens, first, vocabulary) {
  const [input, output] = ["tokens", "logits"].map((file) => join(folder, file));
  writeFileSync(input, Int32Array.from(tokens.flat()));
  models("run", model, input, tokens[0].length, first, output);
  const all = new Float32Array(readFileSync(output).buffer);
  return Array.from({length: all.length / vocabulary}, (_, i) =>
    all.subarray(i * vocabulary, (i + 1) * vocabulary));
}

/**
 * Kullback-Leibler divergence in nats of the softmax of some logits from probabilities, whose sum is 1
 * but for rounding.
 */
function divergence(probabilities, row) {
  const total = probabilities.reduce((a, p) => a + p);
  const highest = Math.max(...row);
  const shift = highest + Math.log(row.reduce((a, x) => a + Math.exp(x - highest), 0));
  return probabilities.reduce((a, p, i) =>
    p > 0 ? a + p / total * (Math.log(p / total) - (row[i] - shift)) : a, 0);
}

/** Mean divergence of one model in sluice from another, or the same, in llama.cpp. */
async function compare(ours, theirs, tokens, first = 0, type = "F32") {
  const truth = await probabilities(theirs, tokens, first, type);
  const rows = logits(ours, tokens, first, truth[0].length);
  assert.equal(rows.length, truth.length);
  const all = rows.map((row, i) => divergence(truth[i], row));
  return all.reduce((a, b) => a + b) / all.length;
}

function expectSame(t, mean, bar) {
  t.diagnostic(`KL divergence ${mean.toExponential(1)}`);
  assert.ok(mean < bar, `KL divergence ${mean}`);
}

/** A test that a model is the same in both. */
const check = (name, model, bar, ...how) => test(name, async (t) =>
  expectSame(t, await compare(model, model, ...how), bar));

const names = models("write", folder).trim().split("\n");
const short = sequences(3, 96);
for (const name of names) check(name, path(name), 1e-6, short);
check("Llama 4 beyond the chunk of 8192 tokens that it looks at", path("llama4-scout"), 1e-6,
  sequences(1, 8256), 8160);

// llama.cpp knows DeepSeek-V2-Lite by its 27 layers.
const OTHERS = ["deepseek_v2_lite"];
// Weights of several types. llama.cpp has them in F32, since it rounds what goes into its products to
// what suits the type.
for (const name of CHECKPOINT_NAMES.filter((each) => !OTHERS.includes(each))) {
  test(`${name}, a checkpoint`, async (t) => {
    const [file, wide] = ["", "-f32"].map((end) => path(`checkpoint-${name}${end}`));
    quantizeCheckpoint(name, file, "BF16");
    models("widen", file, wide);
    expectSame(t, await compare(file, wide, sequences(2, 48, 250)), 1e-6);
  });
}

const text = await chunks(MODEL, TEXT, 4);
sluice("quantize", MODEL, path("trained"), "F32");
check("the trained model", path("trained"), 1e-6, text);
// There llama.cpp rounds what goes into its products to the weights' 16 bits too.
check("the trained model in F16, keys and values too", MODEL, 1e-5, text, 0, "F16");

test("positions that turn other pairs of numbers are seen", async () => {
  assert.ok(await compare(path("control"), path("qwen2"), short) > 1e-3);
});
