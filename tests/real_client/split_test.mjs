// Outputs in several files are one model to real llama.cpp, the same as in one file.

import assert from "node:assert/strict";
import {readdirSync, rmSync} from "node:fs";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {readGgufFileInfo} from "node-llama-cpp";
import {loadModel, Reference, shutDown} from "./divergence.mjs";
import {IMATRIX, MODEL, outputFolder, sluice, TEXT} from "./sluice.mjs";

rmSync(outputFolder("split"), {recursive: true});
const folder = outputFolder("split");
const quantize = (input, name, type, ...flags) =>
  sluice("quantize", "--imatrix", IMATRIX, ...flags, input, join(folder, name), type);
const partsOf = (name) =>
  readdirSync(folder).filter((file) => file.startsWith(`${name}-0`)).sort()
    .map((file) => join(folder, file));

let reference;
let whole;

before(async () => {
  reference = await Reference.load(MODEL, TEXT, 2);
  quantize(MODEL, "whole.gguf", "IQ1_M");
  whole = await reference.compare(join(folder, "whole.gguf"));
});
after(shutDown);

async function assertSameModel(name, count) {
  const parts = partsOf(name);
  assert.equal(parts.length, count);
  // Its own reader of the format, in another language, agrees on what is where.
  const info = await readGgufFileInfo(parts[0]);
  assert.equal(info.splicedParts, count);
  assert.equal(info.totalTensorCount, 75);
  assert.equal(info.fullTensorInfo.length, 75);
  const split = await reference.compare(parts[0]);
  assert.equal(split.perplexity, whole.perplexity);
  assert.equal(split.divergence, whole.divergence);
}

test("by size", async () => {
  quantize(MODEL, "size.gguf", "IQ1_M", "--split-max-size", "300K");
  await assertSameModel("size", 7);
});

test("a file for each tensor", async () => {
  quantize(MODEL, "each.gguf", "IQ1_M", "--split-max-tensors", "1");
  await assertSameModel("each", 75);
});

test("a single numbered file", async () => {
  quantize(MODEL, "single.gguf", "IQ1_M", "--split-max-size", "40G");
  await assertSameModel("single", 1);
});

test("the input's files are kept", async () => {
  quantize(MODEL, "source.gguf", "F16", "--split-max-tensors", "30");
  await (await loadModel(partsOf("source")[0])).dispose();
  quantize(partsOf("source")[0], "kept.gguf", "IQ1_M", "--keep-split");
  await assertSameModel("kept", 3);
});

test("llama.cpp refuses a set that is not whole", async () => {
  quantize(MODEL, "torn.gguf", "IQ1_M", "--split-max-tensors", "30");
  rmSync(partsOf("torn")[1]);
  await assert.rejects(loadModel(join(folder, "torn-00001-of-00003.gguf")));
});
