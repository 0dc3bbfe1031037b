#include "tokenizer/special_tokens.h"

#include <fmt/format.h>

#include <iterator>
#include <map>

#include "tokenizer/pre_tokenizer.h"

namespace sluice::tokenizer {
namespace {

/// What a special token is for, in the words of tokenizer_config.json, and GGUF's keys for it. Some
/// are known only to steer others.
struct Role {
  std::string_view name;
  const char* id_key = nullptr;
  const char* add_key = nullptr;
};

constexpr Role kRoles[] = {
    {"bos", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.add_bos_token"},
    {"eos", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.add_eos_token"},
    {"unk", "tokenizer.ggml.unknown_token_id"},
    {"sep", "tokenizer.ggml.seperator_token_id", "tokenizer.ggml.add_sep_token"},
    {"pad", "tokenizer.ggml.padding_token_id"},
    {"mask", "tokenizer.ggml.mask_token_id"},
    {"eot", "tokenizer.ggml.eot_token_id"},
    {"eom", "tokenizer.ggml.eom_token_id"},
    {"prefix", "tokenizer.ggml.prefix_token_id"},
    {"suffix", "tokenizer.ggml.suffix_token_id"},
    {"middle", "tokenizer.ggml.middle_token_id"},
};
// Those that every checkpoint may name.
constexpr std::string_view kNamed[] = {"bos", "eos", "unk", "sep", "pad", "mask"};

class SpecialTokens {
 public:
  SpecialTokens(Source& source, const Tokens& tokens) : source_(source), tokens_(tokens) {
    for (const std::string_view role : {"bos", "eos", "sep", "cls"}) {
      if (auto text = text_of_role(source.tokenizer_config, role)) texts_[role] = *std::move(text);
    }
  }

  /// The first id that a role is given counts.
  void set(std::string_view role, std::uint64_t id) {
    if (id < tokens_.vocabulary.size()) {
      ids_.try_emplace(role, id);
    } else {
      source_.notes.push_back(
          fmt::format("The {} token is left out: its id {} is beyond the {} tokens.", role, id,
                      tokens_.vocabulary.size()));
    }
  }
  void set_by_text(std::string_view role, std::string_view text) {
    if (!source_.json) return;
    if (const auto id = source_.json->find_added(text)) set(role, *id);
  }
  void add(std::string_view role, bool added) { adds_[role] = added; }
  bool says_whether_added(std::string_view role) const { return adds_.contains(role); }

  /// tokenizer.json's post_processor: what it puts around a text, and between two.
  void read_template() {
    const Json& post_processor = source_.json->post_processor;
    const Json& processors = at_key(post_processor, "processors");
    if (!processors.is_array()) return read_template(post_processor);
    for (const Json& processor : processors) read_template(processor);
  }

  /// tokenizer_config.json, which names tokens by their texts.
  void read_tokenizer_config() {
    for (const std::string_view role : kNamed) {
      const std::string name(role);
      const Json& added = at_key(source_.tokenizer_config, ("add_" + name + "_token").c_str());
      if (added.is_boolean()) add(role, added.get<bool>());
      if (texts_.contains(role)) {
        set_by_text(role, texts_.at(role));
      } else if (const auto text = text_of_role(source_.tokenizer_config, role)) {
        set_by_text(role, *text);
      }
    }
    if (texts_.contains("eot")) set_by_text("eot", texts_.at("eot"));
  }

  /// config.json, which has ids; a list of several says nothing of which one it is.
  void read_config() {
    for (const std::string_view role : kNamed) {
      const std::string key = std::string(role) + "_token_id";
      const Json& outer = at_key(source_.config, key.c_str());
      const Json& id =
          outer.is_null() ? at_key(at_key(source_.config, "text_config"), key.c_str()) : outer;
      if (const std::optional<std::uint64_t> number = as_whole(id)) set(role, *number);
    }
  }

  void write(gguf::Header& metadata) const {
    for (const Role& role : kRoles) {
      if (const auto id = ids_.find(role.name); id != ids_.end()) {
        metadata.set(role.id_key, gguf::Value::of(static_cast<std::uint32_t>(id->second)));
      }
      const auto added = adds_.find(role.name);
      if (role.add_key != nullptr && added != adds_.end()) {
        metadata.set(role.add_key, gguf::Value::of(added->second));
      }
    }
  }

 private:
  bool is_text_of(const std::optional<std::string>& text,
                  std::initializer_list<std::string_view> roles) const {
    return text && std::any_of(roles.begin(), roles.end(), [&](std::string_view role) {
             const auto found = texts_.find(role);
             return found != texts_.end() && found->second == *text;
           });
  }

  static std::optional<std::string> special(const Json& element) {
    return as_text(at_key(at_key(element, "SpecialToken"), "id"));
  }

  void read_template(const Json& processor) {
    const Json& single = at_key(processor, "single");
    if (at_key(processor, "type") != "TemplateProcessing" || !single.is_array()) return;
    std::optional<std::string> first;
    std::optional<std::string> last;
    if (single.size() > 1) {
      first = special(single.front());
      last = special(single.back());
    }
    if (source_.tokenizer_config.is_null()) {
      if (first) texts_["bos"] = *first;
      if (last) texts_["eos"] = *last;
    }
    if (first) add("bos", is_text_of(first, {"bos", "cls"}));
    if (last) {
      // A text that ends in another token than a turn does: each has a key.
      if (texts_.contains("eos") && !is_text_of(last, {"eos"})) texts_["eot"] = texts_["eos"];
      texts_["eos"] = *last;
      add("eos", true);
    }
    read_pair(at_key(processor, "pair"), first, last);
  }

  /// What stands between two texts, what is put around both left out.
  void read_pair(const Json& pair, const std::optional<std::string>& first,
                 const std::optional<std::string>& last) {
    if (!pair.is_array() || pair.empty()) return;
    std::size_t begin = first && special(pair.front()) == first ? 1 : 0;
    std::size_t end = pair.size();
    if (last && end > begin && special(pair[end - 1]) == last) --end;
    if (end - begin < 3) return;
    const auto is_sequence = [&](std::size_t i, const char* name) {
      return at_key(at_key(pair[i], "Sequence"), "id") == name;
    };
    if (!is_sequence(begin++, "A") || !is_sequence(--end, "B")) return;
    const bool is_separator = !last && is_text_of(special(pair[begin]), {"sep", "eos"});
    const bool is_second = end - begin == 2 && is_text_of(special(pair[begin + 1]), {"sep", "eos"});
    add("sep", is_separator || is_second);
  }

  Source& source_;
  const Tokens& tokens_;
  std::map<std::string_view, std::string> texts_;
  std::map<std::string_view, std::uint64_t> ids_;
  std::map<std::string_view, bool> adds_;
};

/// CodeLlama's infill tokens have no names in its files, and Granite's texts have no BOS.
void set_by_size(SpecialTokens& special, std::uint64_t vocab_size) {
  if (vocab_size == 32016) {
    special.set("prefix", 32007);
    special.set("suffix", 32008);
    special.set("middle", 32009);
    special.set("eot", 32010);
  }
  if (vocab_size == 49152) special.add("bos", false);
}

}  // namespace

std::optional<std::string> text_of_role(const Json& tokenizer_config, std::string_view role) {
  const Json& token = at_key(tokenizer_config, (std::string(role) + "_token").c_str());
  return as_text(token.is_object() ? at_key(token, "content") : token);
}

void set_special_tokens(Source& source, const Tokens& tokens, gguf::Header& metadata) {
  const Choices& choices = source.choices;
  SpecialTokens special(source, tokens);
  for (const auto& [role, added] : tokens.adds) special.add(role, added);
  if (source.json) special.read_template();
  special.read_tokenizer_config();
  special.read_config();
  for (const auto& [role, id] : tokens.roles) special.set(role, id);
  for (const NamedToken& token : choices.special_tokens)
    special.set_by_text(token.role, token.text);
  if (choices.llama_keys) set_by_size(special, source.model.vocab_size.value_or(0));

  // tokenizer.json adds what its template says and no more; llama.cpp would add BOS by the name of
  // the pre-tokenizer. (Llama's own class of tokenizers adds it whatever the template says.)
  const std::string type = as_text(at_key(source.tokenizer_config, "tokenizer_class")).value_or("");
  if (tokens.model == "gpt2" && source.json && begins_with_bos(tokens.pre) &&
      !special.says_whether_added("bos") && !type.starts_with("Llama")) {
    special.add("bos", false);
  }
  special.write(metadata);

  constexpr const char* kSpacePrefix = "tokenizer.ggml.add_space_prefix";
  const Json& prefix = at_key(source.tokenizer_config, "add_prefix_space");
  if (choices.llama_keys && prefix.is_boolean()) {
    metadata.set(kSpacePrefix, gguf::Value::of(prefix.get<bool>()));
  }
  if (choices.add_space_prefix) {
    metadata.set(kSpacePrefix, gguf::Value::of(*choices.add_space_prefix));
  }
}

}  // namespace sluice::tokenizer
