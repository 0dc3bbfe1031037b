// Vocabularies as they were published, turned into GGUF metadata: llama.cpp makes the same tokens of
// texts as the checkpoint's own tokenizer does, in transformers' port to JavaScript.
import {TokenizerLoader} from "@lenml/tokenizers";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";
import assert from "node:assert";
import {execFileSync} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, test} from "node:test";

const folder = mkdtempSync(join(tmpdir(), "sluice-tokenizers-"));
after(() => rmSync(folder, {recursive: true}));
const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.disabled});

const texts = [
  ...readFileSync(join(process.env.SLUICE_TEST_DATA, "../../CONTRIBUTING.md"), "utf8").split("\n")
    .filter((line) => line.trim().length > 3),
  "Ein größeres Beispiel: Straße, 12345 Äpfel und 3,14 — naïve café",
  "今日は世界。你好，世界！ 한국어 텍스트",
  "for (int i = 0; i < n; ++i) {\n\t\tx[i] += 2;\n    }\n\n\n",
  "I'll don't we've  multiple   spaces \t tabs 🙂👍🏽",
];

/// How many of the texts have the same tokens.
async function same(name, architecture, size, ...options) {
  const models = join(import.meta.dirname, "node_modules/@lenml", `tokenizer-${name}`, "models");
  const path = join(folder, `${name}.gguf`);
  execFileSync(process.env.SLUICE_VOCABULARIES,
    ["write", models, architecture, String(size), path, ...options]);
  const json = (file) => JSON.parse(readFileSync(join(models, file)));
  const own = TokenizerLoader.fromPreTrained({
    tokenizerJSON: json("tokenizer.json"), tokenizerConfig: json("tokenizer_config.json")});
  const model = await llama.loadModel({modelPath: path, vocabOnly: true});
  const equal = texts.filter((text) => own.encode(text, {add_special_tokens: false}).join() ===
    model.tokenize(text, true).join());
  await model.dispose();
  return equal.length;
}

for (const [name, architecture, size] of [
  ["deepseek_v3", "deepseek2", 129280], ["gemma3", "gemma3", 262208], ["gptoss", "gpt-oss", 201088],
  ["llama2", "llama", 32000], ["llama3_1", "llama", 128256], ["qwen3", "qwen3", 151936]]) {
  test(`${name} makes the checkpoint's own tokens`, async () => {
    assert.strictEqual(await same(name, architecture, size), texts.length);
  });
}

test("scores that are all the same make other tokens", async () => {
  assert.ok(await same("llama2", "llama", 32000, "flat") < texts.length / 2);
});
