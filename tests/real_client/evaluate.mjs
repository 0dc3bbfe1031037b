// Perplexity and mean Kullback-Leibler divergence of quantized models in real llama.cpp.
//
//   node evaluate.mjs --model OUT.gguf [--model OTHER.gguf …] --reference SOURCE.gguf
//                     --text FILE [--chunks 24] [--json]
//
// By hand: the test real_client/install puts this script and the packages it needs into the build
// folder's tests/real_client; run it there, with the Node in node_modules/.bin.

import {parseArgs} from "node:util";
import {Reference, shutDown} from "./divergence.mjs";

const {values: options} = parseArgs({
  options: {
    model: {type: "string", multiple: true, default: []},
    reference: {type: "string"},
    text: {type: "string"},
    chunks: {type: "string", default: "24"},
    json: {type: "boolean", default: false},
  },
});
const chunks = Number(options.chunks);
if (!options.reference || !options.text || !Number.isInteger(chunks) || chunks < 1) {
  console.error("usage: evaluate.mjs --model OUT.gguf … --reference SOURCE.gguf --text FILE " +
    "[--chunks 24] [--json]");
  process.exit(2);
}

const reference = await Reference.load(options.reference, options.text, chunks);
const models = [];
for (const path of options.model) models.push(await reference.compare(path));

if (options.json) {
  const {perplexity, perplexityError} = reference;
  console.log(JSON.stringify({reference: {perplexity, perplexityError}, models}, null, 2));
} else {
  console.log(`reference  perplexity ${reference.perplexity.toFixed(3)}`);
  for (const m of models) {
    console.log(`${m.model}  perplexity ${m.perplexity.toFixed(3)} ± ` +
      `${m.perplexityError.toFixed(3)}  mean KL divergence ${m.divergence.toFixed(5)} ± ` +
      `${m.divergenceError.toFixed(5)}  same first choice ${m.sameFirstChoice.toFixed(4)}`);
  }
}
await shutDown();
