// Published checkpoints are models to real llama.cpp: the tiny ones of all families, in 16 bits and
// quantized, load and evaluate; the trained model, turned into one, says what its GGUF file says.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {rmSync} from "node:fs";
import {join} from "node:path";
import {after, test} from "node:test";
import {distributions, meanDivergence, Reference, shutDown} from "./divergence.mjs";
import {CHECKPOINT_NAMES, IMATRIX, MODEL, outputFolder, quantizeCheckpoint, sluice, TEXT}
  from "./sluice.mjs";

rmSync(outputFolder("checkpoints"), {recursive: true});
const folder = outputFolder("checkpoints");
after(shutDown);

// llama.cpp knows a Lite model by its 26 or 27 layers, and the tiny one has fewer.
const UNKNOWN = ["deepseek_v2_lite"];
const made = (name, type) => {
  const path = join(folder, `${name}-${type}.gguf`);
  quantizeCheckpoint(name, path, type);
  return path;
};

for (const name of CHECKPOINT_NAMES.filter((each) => !UNKNOWN.includes(each))) {
  test(`${name} evaluates`, async (t) => {
    const whole = await distributions(made(name, "BF16"));
    const small = await distributions(made(name, "Q8_0"));
    for (const row of [...whole, ...small]) {
      assert.ok(Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-3, "no distribution");
    }
    const far = meanDivergence(whole, small);
    t.diagnostic(`KL divergence ${far.toExponential(2)}`);
    assert.ok(far < 0.02, `KL divergence ${far}`);
  });
}

test("the trained model says the same, before and after", async () => {
  execFileSync(process.env.SLUICE_CHECKPOINTS, [folder]);
  const make = (source, name, type, ...flags) => {
    sluice("quantize", "--ignore-imatrix-rules", ...flags, source, join(folder, name), type);
    return join(folder, name);
  };
  const reference = await Reference.load(MODEL, TEXT, 2);
  const input = join(folder, "trained");
  const back = await reference.compare(make(input, "trained.gguf", "F16"));
  assert.equal(back.divergence, 0);
  assert.equal(back.perplexity, reference.perplexity);
  const [ours, theirs] = [input, MODEL].map((source, i) =>
    make(source, `iq1_m-${i}.gguf`, "IQ1_M", "--imatrix", IMATRIX));
  const quantized = await reference.compare(ours);
  assert.equal(quantized.divergence, (await reference.compare(theirs)).divergence);
  assert.ok(quantized.divergence > 0);
});
