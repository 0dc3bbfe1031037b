// What `sluice demo` makes is a model to real llama.cpp: the source that it writes and the
// quantized file.

import assert from "node:assert/strict";
import {createHash} from "node:crypto";
import {readdirSync, readFileSync, rmSync} from "node:fs";
import {join} from "node:path";
import {after, test} from "node:test";
import {loadModel, Reference, shutDown} from "./divergence.mjs";
import {outputFolder, sluice, TEXT} from "./sluice.mjs";

rmSync(outputFolder("demo"), {recursive: true});
const folder = outputFolder("demo");
sluice("demo", folder);
const source = join(folder, "demo-bf16.gguf");
const made = readdirSync(folder).filter((name) => name.endsWith(".gguf"));

after(shutDown);

test("the source is the same on every machine", () => {
  assert.equal(createHash("sha256").update(readFileSync(source)).digest("hex"),
    "c19ff3bed45c65e48d47912253a6f4269edd608363554c300cc4b9ddcee30abc");
});

test("llama.cpp runs the source and the IQ1_M file", async (t) => {
  const types = new Map();
  for (const name of made.filter((file) => !file.endsWith(".imatrix.gguf"))) {
    const model = await loadModel(join(folder, name));
    types.set(model.fileInfo.metadata.general.file_type, name);
    await model.dispose();
  }
  assert.equal(types.get(32), "demo-bf16.gguf");
  assert.ok(types.has(31), `no IQ1_M file among ${made.join(", ")}`);

  // Two chunks say too little: among files as good as each other they differ by a fifth.
  const reference = await Reference.load(source, TEXT, 6);
  const {divergence} = await reference.compare(join(folder, types.get(31)));
  t.diagnostic(`KL divergence ${divergence.toFixed(4)}`);
  // Random weights have no redundancy, so 1.75 bits lose much; llama.cpp's file of the same model
  // has 0.67 over twelve chunks, and so has sluice's. Two unrelated models of this kind are more than
  // twice as far apart.
  assert.ok(divergence > 0 && divergence < 0.75, `KL divergence ${divergence}`);
});
