#include "help_topics.h"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "command_facts.h"
#include "sluice/error.h"
#include "sluice/recipe.h"
#include "sluice/tensor_type.h"
#include "type_facts.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kTypes = R"(
A type says how weights are stored. Most file types are a mix: the bulk of the tensors gets the
type that names it, and a few that matter more get a better one, by the rules of llama.cpp or, with
--mix ik_llama.cpp, by those of ik_llama.cpp, whose own types load there only. With --pure all
tensors get the type itself. `sluice plan` shows each tensor's type and which rule chose it.

Letter case does not matter. Bits are those of a weight: of the whole mix, in a model of Mistral 7B's
shape, and of the type that the bulk gets. Divergence (KL) is how far a small trained model, made
with an importance matrix, is from its 16-bit original; less is better. Types of three bits or less
need such a matrix.
)";

constexpr std::string_view kCheckpoints = R"(
A model may be given as it was published, in place of a GGUF file: as the folder of a checkpoint with
its config.json, its *.safetensors and its tokenizer, as the index or as any part. It is read once,
as the GGUF model that llama.cpp's converter would make of it; of tensors that a text model does not
have, as those for images, it is told how many are left out.

    sluice quantize --imatrix model.imatrix Llama-4-Maverick/ out.gguf IQ1_M
    sluice quantize Qwen3-8B/ Qwen3-8B-BF16.gguf BF16
    sluice inspect DeepSeek-V3/model.safetensors.index.json

Weights in FP8, int4, MXFP4 or NVFP4 (of ModelOpt or compressed-tensors) are decoded in F32 and
quantized from there; often there is no better source, so --allow-requantize is not asked for.
Pickles, adapters and checkpoints of GPTQ, AWQ and bitsandbytes are refused, and what to take in
their place is said.

--pre NAME :: where a tokenizer cuts text into words in a way that is unknown, this names llama.cpp's
pre-tokenizer that does the same
)";

constexpr std::string_view kNetwork = R"(
A model, a checkpoint or an importance matrix may lie on a server, and is read from there by ranges: each byte
that is needed once, over TLS and several connections. Links that expire, busy servers and broken
connections are waited for; a run that was cut off goes on with the same command, and a file that
has changed since is refused. Nothing but headers and small files is kept.

    sluice quantize --imatrix m.imatrix hf://deepseek-ai/DeepSeek-V3.1 out.gguf IQ1_M
    sluice inspect hf://ORG/NAME@REVISION/model-00001-of-00002.gguf
    sluice plan https://example.org/models/Qwen3-8B/ out.gguf Q4_K_M

HF_TOKEN :: the hub's token, else what `hf auth login` wrote; it is sent to the hub's host alone
HF_ENDPOINT :: another hub than https://huggingface.co
HF_HUB_OFFLINE :: if 1, the hub is not asked
HF_HUB_DOWNLOAD_TIMEOUT :: seconds of silence after which a server is asked anew (default: 10)
HTTPS_PROXY, HTTP_PROXY, NO_PROXY :: as other programs have them
SSL_CERT_FILE, SSL_CERT_DIR :: certificates to trust, in place of the system's
)";

constexpr std::string_view kMemory = R"(
--memory is a budget for input, scratch and output together; the importance matrix and the program
itself are outside of it, and small. It is the same for a model of 1 GB and of 800 GB, because a
model is read, computed and written in chunks. The default of 512M is enough for full speed on most
machines; many cores, or a disk that is fast only with long reads, may want more. If it is too
small for one chunk of the model, the message tells the least that will do.

    sluice quantize --memory 2G --imatrix m.imatrix model.gguf out.gguf IQ1_M

Sizes are in bytes, or with K, M, G, T (or KB, KiB, ...), each 1024 of the one before.

The end of a run tells what limited it: disk, cores, or memory. Only in the last case a larger
budget helps.
)";

constexpr std::string_view kDisks = R"(
The input is read once, in order; the output is written once, under the name OUT.gguf.part, and gets
its own name when it is whole and safe on the disk. Space for it is reserved before the first byte
is computed, so that a full disk shows at once.

--io auto :: what the page cache has is taken from there, the rest is read past it with io_uring;
where the kernel or a container forbids that, as mmap, with a note
--io async :: all is read past the page cache with io_uring; if it is forbidden, as auto
--io mmap :: memory maps
--io read :: plain reads, for file systems that know nothing else

Whichever way, pages of the input that were cached before stay so, and those that reading brings in
go again. What was cached before is the system's to keep, and no part of --memory. Only the owner of
a file, and who may write to it, are told by most kernels what is cached of it: for others auto reads
it past the cache, and mmap and read leave there what they read.

--spindle shared :: input and output are on one hard disk: reads and writes take turns, in large
batches, since each change of place costs a seek
--spindle separate :: neither waits for the other; right for solid-state disks
--spindle auto :: asks the kernel which disk the files are on and whether it turns; of a virtual
machine's disk that is said to turn, some seeks are timed, and only if they are slow it is believed

Output on another disk than the input is fastest on hard disks:

    sluice quantize --imatrix m.imatrix /disk1/model.gguf /disk2/out.gguf IQ1_M
)";

constexpr std::string_view kResume = R"(
A run that was stopped, killed or cut off goes on where it was: give the same command again. What is
safe on the disk is noted in OUT.gguf.part.journal every few seconds (--checkpoint). The output has
the same bytes as that of an undisturbed run.

Ctrl-C, SIGTERM or a terminal that closes ends a run within a second with all done work kept;
Ctrl-C pressed twice, at once. After a full disk, free some space and repeat the command.

If the input, the options or sluice's version changed in between so that the bytes would differ,
the run is refused. Begin anew with --restart, which drops what was made.

    sluice quantize --restart --imatrix m.imatrix model.gguf out.gguf IQ1_M

--same-input goes on with a copy of the input, whose times are others: its header and samples of its
data are compared instead. A file OUT.gguf.part without a journal is another program's, and is left
as it is. A damaged journal is kept as OUT.gguf.part.journal.damaged.

--verify-resume reads again what the earlier run made, and makes anew what differs: for a disk or a
power supply that is not trusted.
)";

constexpr std::string_view kImatrix = R"(
An importance matrix tells for each column of a weight tensor how large the activations are that it
meets; errors are made small where they matter. Types of three bits or less are far worse without.
Most published models have one; `sluice imatrix` makes one from a text, as llama.cpp's llama-imatrix
does. Both file formats are read (.dat and .gguf). --output-format dat makes the older one, the only one
that ik_llama.cpp reads. It holds the same importances, but not how many tokens each expert saw.

    sluice imatrix model.gguf text.txt -o model.imatrix.gguf
    sluice imatrix model.gguf text.txt -o model.imatrix.dat --output-format dat
    sluice quantize --imatrix model.imatrix model.gguf out.gguf IQ1_M

The matrix must be of the very model: a row whose length does not fit is an error. Where a
very-low-bit type has no row at all, nothing is made, and all such tensors are listed;
--ignore-imatrix-rules goes on regardless. Of other types a note tells which tensors have no row.
)";

constexpr std::string_view kSize = R"(
In place of a type, quantize, plan and recipe take a size: which type each tensor gets is then chosen so
that the output is as near to the model as its bytes allow.

    sluice quantize --target-size 100G --imatrix m.imatrix --measure text.txt model.gguf out.gguf
    sluice recipe --target-bpw 2.1 --imatrix m.imatrix model.gguf -o rules.txt
    sluice quantize --imatrix m.imatrix --tensor-type-file rules.txt model.gguf out.gguf IQ1_M

What each type does to each tensor is measured first: with --measure by running the model on a text,
which is better by far and takes minutes for each billion weights, else by the errors of sampled rows.
It is kept in a file (--measurements) beside the output, so that another size takes a second, and a run
that was cut off goes on. `sluice plan --no-measuring` measures nothing, and tells how long it would take.
Sizes are those of all of the output's files and are met from below.

--target 'exps=96G' --target '*=20G' is for a runtime that keeps experts in one memory and the rest in
another. --types says what may be chosen, --at-least and --at-most bound it for tensors by their names,
--tie gives tensors of a layer the same type. Types that are asked for otherwise (--tensor-type,
--output-tensor-type, ...) stand. `sluice recipe` writes the choice as rules to look at and to edit;
--html makes a page of it that shows which other sizes could be had. Types of few bits need an importance
matrix or --calibrate.
)";

constexpr std::string_view kCalibrate = R"(
With --calibrate a model is run on a text while it is quantized: each layer when its weights are in
memory, over all tokens. Its matrices are encoded so that what they make of these inputs stays as it
was: what one block of columns gets wrong, those behind it make up for. The file has the same size and
format, and is nearer to the original.

    sluice quantize --calibrate text.txt model.gguf out.gguf IQ1_M
    sluice quantize --memory 4G --calibrate a.txt --calibrate b.txt Qwen3-8B/ out.gguf IQ2_XXS
    sluice plan --calibrate text.txt model.gguf out.gguf IQ1_M

The text is cut into sequences (--calibrate-context, --calibrate-chunks), or token ids are taken
from a file (--calibrate-tokens). Breadth of the text counts more than its length. `sluice plan` tells
what is done for which tensor, how much memory and time it takes, and how large the file is that a
run goes on with after it was cut off; --scratch puts that elsewhere. Where second moments do
not fit into --memory, a note tells which tensors do with less. --effort fast leaves out the sweeps
that follow the one pass. --refit compares what a matrix is multiplied by with what the quantized layers
before it make of the same text, and fits it to that first: the file comes nearer again, for about three
times the calculation, and with memory for all tokens of a part of a layer at once. An importance matrix
given as well serves tensors that no input is known of.
)";

constexpr std::string_view kEnvironment = R"(
NO_COLOR :: if set and not empty, no colours
TERM :: if "dumb" or not set, no colours and no live line: one line per tensor instead
SLUICE_ISA :: as --isa

Results go to standard output, progress and messages to standard error. Colours, and a line that is
redrawn in place, appear only on a terminal. --quiet prints nothing but errors and what was asked
for (a plan, findings). --log-file FILE adds all that is said, with the time, to a file, when quiet
too; each line is written at once.

    sluice quantize --quiet --log-file night.log --imatrix m.imatrix model.gguf out.gguf IQ1_M
)";

constexpr std::string_view kCompletion = R"(
`sluice completion SHELL` prints a script that completes commands, options, types, other values and
files. Packages install it. By hand, for one user:

    mkdir -p ~/.local/share/bash-completion/completions
    sluice completion bash > ~/.local/share/bash-completion/completions/sluice
    sluice completion zsh > ~/.zfunc/_sluice
    sluice completion fish > ~/.config/fish/completions/sluice.fish

For zsh, the folder must be in fpath before compinit runs: put fpath+=~/.zfunc into ~/.zshrc.
)";

std::string what_distinguishes(const FileType& type) {
  if (type.copy) return "every tensor as it is";
  std::string text;
  if (const TypeFacts* facts = find_type_facts(type.name)) {
    text = fmt::format("{:.2f} bits, ", facts->bits);
    if (facts->divergence) text += fmt::format("divergence {}, ", *facts->divergence);
  }
  text += fmt::format("bulk {} with {:.4g}", name(type.type), bits_per_weight(type.type));
  if (!type.in_llama_cpp) text += "; --mix ik_llama.cpp only";
  if (!type.in_ik_llama_cpp) text += "; llama.cpp's mix only";
  return text;
}

Topic types_topic() {
  Topic topic{"types", "The types that a model can be made of", blocks_of(kTypes)};
  for (const FileType& type : offered_file_types()) {
    topic.blocks.push_back(
        {Block::Kind::definition, what_distinguishes(type), std::string(type.name)});
  }
  return topic;
}

std::string upper_first(std::string_view text) {
  std::string result(text);
  result[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(result[0])));
  return result;
}

// README.md has the same.
constexpr std::array kStatuses = {
    std::pair{0, "done"},
    std::pair{1, "compare could not compare all tensors, or found an error above --max-error"},
    std::pair{2, "wrong use, or a budget that is too small"},
    std::pair{3, "an input that is missing, damaged or of the wrong kind"},
    std::pair{4, "an output or a disk that failed, a damaged output too"},
    std::pair{5, "an importance matrix that is damaged, missing or of another model"},
    std::pair{130, "stopped by Ctrl-C or a signal; the same command goes on"},
};

Topic exit_status_topic() {
  Topic topic{"exit-status", "What the exit status means, and what helps", {}};
  for (const auto& [status, meaning] : kStatuses) {
    topic.blocks.push_back({Block::Kind::definition, meaning, std::to_string(status)});
  }
  topic.blocks.push_back({Block::Kind::paragraph, "In particular, with the library's codes:"});
  for (const ErrorCodeInfo& info : error_codes()) {
    topic.blocks.push_back({Block::Kind::definition,
                            fmt::format("{}. {}", upper_first(info.meaning), info.cure),
                            fmt::format("{:>3}  {}", exit_status(info.code), info.name)});
  }
  return topic;
}

constexpr std::array<std::string_view, 6> kQuantizeExamples = {
    "sluice quantize --imatrix model.imatrix model-BF16.gguf model-IQ1_M.gguf IQ1_M",
    "sluice quantize --imatrix model.imatrix Llama-4-Maverick/ out.gguf IQ1_M",
    "sluice quantize --target-size 100G --imatrix m.imatrix Llama-4-Maverick/ out.gguf",
    "sluice quantize --pure --memory 2G model-F16.gguf model-Q4_K.gguf q4_k 8",
    "sluice quantize --verify --report run.json model-F16.gguf model-Q8_0.gguf Q8_0",
    "sluice quantize --quiet --log-file night.log --imatrix m.imatrix in.gguf out.gguf IQ1_M"};
constexpr std::array<std::string_view, 2> kPlanExamples = {
    "sluice plan --imatrix model.imatrix model-BF16.gguf out.gguf IQ1_M",
    "sluice plan --json model-BF16.gguf out.gguf IQ1_M | jq .output_bytes"};
constexpr std::array<std::string_view, 2> kVerifyExamples = {
    "sluice verify out.gguf",
    "sluice verify out.gguf --against model-BF16.gguf --imatrix model.imatrix"};
constexpr std::array<std::string_view, 2> kInspectExamples = {
    "sluice inspect model.gguf", "sluice inspect --key 'general.*' --tensor 'blk.0.*' model.gguf"};
constexpr std::array<std::string_view, 2> kCompareExamples = {
    "sluice compare model-BF16.gguf model-IQ1_M.gguf",
    "sluice compare --max-error 0.01 model-BF16.gguf model-Q8_0.gguf"};
constexpr std::array<std::string_view, 3> kImatrixExamples = {
    "sluice imatrix model-BF16.gguf text.txt -o model.imatrix.gguf",
    "sluice imatrix Llama-4-Maverick/ text.txt -o maverick.imatrix.gguf --memory 16G --chunks 64",
    "sluice imatrix -m model-BF16.gguf -f text.txt -o imatrix.gguf -c 512 --process-output"};
constexpr std::array<std::string_view, 3> kRecipeExamples = {
    "sluice recipe --target-bpw 2.1 --imatrix model.imatrix model-BF16.gguf -o rules.txt",
    "sluice recipe --target-size 24G --measure text.txt --imatrix m.imatrix model.gguf --html "
    "p.html",
    "sluice recipe --target 'exps=96G' --target '*=20G' --imatrix m.imatrix Llama-4-Maverick/"};
constexpr std::array<std::string_view, 2> kReportExamples = {
    "sluice report -o page.html run.json", "sluice report -o page.html one.json another.json"};
constexpr std::array<std::string_view, 1> kDemoExamples = {"sluice demo"};
constexpr std::array<std::string_view, 2> kHelpExamples = {"sluice help quantize",
                                                           "sluice help exit-status"};
constexpr std::array<std::string_view, 2> kCompletionExamples = {"source <(sluice completion bash)",
                                                                 "sluice completion fish | source"};

}  // namespace

std::vector<Block> blocks_of(std::string_view text) {
  std::vector<Block> blocks;
  bool open = false;  // whether the next line goes on with the last block
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) {
      open = false;
    } else if (line.starts_with("    ")) {
      blocks.push_back({Block::Kind::example, line.substr(4)});
      open = false;
    } else if (const std::size_t mark = line.find(" :: "); mark != std::string::npos) {
      blocks.push_back({Block::Kind::definition, line.substr(mark + 4), line.substr(0, mark)});
      open = true;
    } else if (open) {
      blocks.back().text += " " + line;
    } else {
      blocks.push_back({Block::Kind::paragraph, line});
      open = true;
    }
  }
  return blocks;
}

std::vector<Topic> help_topics() {
  return {types_topic(),
          {"checkpoints", "Models as they were published", blocks_of(kCheckpoints)},
          {"network", "Models on the hub and on servers", blocks_of(kNetwork)},
          {"importance", "Importance matrices", blocks_of(kImatrix)},
          {"size", "The best types for a size", blocks_of(kSize)},
          {"calibrate", "Encoding for what a text makes of the model", blocks_of(kCalibrate)},
          {"memory", "How much memory it takes", blocks_of(kMemory)},
          {"disks", "Reading and writing fast, and where", blocks_of(kDisks)},
          {"resume", "Going on after a stop, a crash or a full disk", blocks_of(kResume)},
          {"environment", "Output, logs, colours and variables", blocks_of(kEnvironment)},
          {"completions", "Completion of commands in bash, zsh and fish", blocks_of(kCompletion)},
          exit_status_topic()};
}

std::span<const std::string_view> examples_of(std::string_view command) {
  if (command == "quantize") return kQuantizeExamples;
  if (command == "plan") return kPlanExamples;
  if (command == "verify") return kVerifyExamples;
  if (command == "inspect") return kInspectExamples;
  if (command == "compare") return kCompareExamples;
  if (command == "imatrix") return kImatrixExamples;
  if (command == "recipe") return kRecipeExamples;
  if (command == "report") return kReportExamples;
  if (command == "demo") return kDemoExamples;
  if (command == "help") return kHelpExamples;
  if (command == "completion") return kCompletionExamples;
  return {};
}

}  // namespace sluice::cli
