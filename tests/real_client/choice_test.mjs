// Types chosen for a size, written as rules, edited by hand and given back, are what real llama.cpp
// loads, tensor for tensor; and they are nearer to the model than a mix of the same size.

import assert from "node:assert/strict";
import {readFileSync, rmSync, statSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {GgmlType, readGgufFileInfo} from "node-llama-cpp";
import {Reference, shutDown} from "./divergence.mjs";
import {IMATRIX, MODEL, outputFolder, sluice, TEXT} from "./sluice.mjs";

rmSync(outputFolder("choice"), {recursive: true});
const folder = outputFolder("choice");
const path = (name) => join(folder, name);
const size = ["--imatrix", IMATRIX, "--measurements", path("measurements.json"), "--target-size"];
let reference;

before(async () => {
  reference = await Reference.load(MODEL, TEXT, 2);
});
after(shutDown);

/** [regular expression, type] of each line that is no comment. */
const rulesOf = (text) => text.split("\n").filter((line) => line && !line.startsWith("#"))
  .map((line) => line.split("=")).map(([name, type]) => [new RegExp(name), type]);

test("rules that are edited by hand and given back", async () => {
  const choice = JSON.parse(sluice("recipe", "-q", ...size, "2500000", MODEL, "--json"));
  sluice("recipe", "-q", ...size, "2500000", MODEL, "-o", path("recipe.txt"));
  const written = readFileSync(path("recipe.txt"), "utf8");
  const edited = written.replace(/^(\^blk.*ffn_down.*)=.*$/m, "$1=q6_k");
  assert.notEqual(edited, written);
  writeFileSync(path("recipe.txt"), edited);

  const made = path("edited.gguf");
  sluice("quantize", "-q", "--imatrix", IMATRIX, "--tensor-type-file", path("recipe.txt"), MODEL, made,
    choice.file_type);
  const {divergence} = await reference.compare(made);
  assert.ok(divergence > 0 && divergence < 0.2, `KL divergence ${divergence}`);

  const {fullTensorInfo} = await readGgufFileInfo(made);
  const types = new Map(
    fullTensorInfo.map(({name, ggmlType}) => [name, GgmlType[ggmlType].toLowerCase()]));
  const rules = rulesOf(edited);
  let free = 0;
  for (const tensor of choice.tensors) {
    const matching = rules.filter(([name]) => name.test(tensor.name));
    assert.equal(matching.length, tensor.types.length > 1 ? 1 : 0, tensor.name);
    const asked = matching.length ? matching[0][1] : tensor.types[tensor.chosen].type;
    assert.equal(types.get(tensor.name), asked, tensor.name);
    free += matching.length;
  }
  assert.equal(types.size, choice.tensors.length);
  assert.ok(free > 50 && new Set(types.values()).size > 4, `${free} tensors had a choice`);
});

test("a choice is nearer than a mix of its size", async (t) => {
  sluice("quantize", "-q", "--imatrix", IMATRIX, MODEL, path("mix.gguf"), "IQ2_S");
  const bytes = statSync(path("mix.gguf")).size;
  sluice("quantize", "-q", ...size, String(bytes), MODEL, path("chosen.gguf"));
  const chosen = statSync(path("chosen.gguf")).size;
  assert.ok(chosen <= bytes && chosen >= 0.995 * bytes, `${chosen} of ${bytes} bytes`);
  const mix = await reference.compare(path("mix.gguf"));
  const best = await reference.compare(path("chosen.gguf"));
  t.diagnostic(`KL divergence ${best.divergence.toFixed(4)}, of the mix ${mix.divergence.toFixed(4)}`);
  assert.ok(best.divergence < 0.9 * mix.divergence);
});
