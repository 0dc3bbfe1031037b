#pragma once

// What a published checkpoint's small files say of its tokenizer, as the metadata of a GGUF model.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"

namespace sluice::tokenizer {

/// Small files of a checkpoint. Nothing here opens one: the texts are the caller's.
struct Files {
  std::string folder;  ///< for messages
  /// By their names in the folder: "tokenizer.json", "additional_chat_templates/rag.jinja", …
  std::map<std::string, std::string_view, std::less<>> texts;

  /// A file's text, or nothing if there is none of this name.
  std::optional<std::string_view> find(std::string_view name) const;
  /// A file's name for messages.
  std::string path(std::string_view name) const { return folder + "/" + std::string(name); }
};

/// The names of pre-tokenizers (tokenizer.ggml.pre) that llama.cpp knows.
std::span<const std::string_view> pre_tokenizers() noexcept;

/// Names of files that `read` looks at; but for templates in a folder, all.
std::span<const std::string_view> files_read() noexcept;

/// Whether `read` looks at a file of this name, if there is one.
bool is_read(std::string_view name) noexcept;

/// What the rest of the checkpoint says of the vocabulary.
struct Model {
  std::string architecture;                 ///< GGUF's name of it: "llama", "qwen3moe", …
  std::optional<std::uint64_t> vocab_size;  ///< the configuration's, if it has one
};

struct Tokenizer {
  std::vector<gguf::KeyValue> metadata;  ///< tokenizer.ggml.*, tokenizer.chat_template*
  /// Tokens that the list has. Gemma 3's embedding has rows beyond, which the model does not.
  std::uint64_t tokens = 0;
  std::vector<std::string> notes;  ///< what was left out, each a sentence for the user
};

/// \param pre  llama.cpp's name of the pre-tokenizer (tokenizer.ggml.pre) in place of the one that
///             tokenizer.json's own regular expressions stand for; empty: that one
/// \throws Error (input_format), naming the file, what is wrong in it and what to do: no tokenizer
///         that is known among the files, a file that is broken, ids that are taken twice, negative
///         or beyond `vocab_size`, an unknown pre-tokenizer.
Tokenizer read(const Files& files, const Model& model, std::string_view pre = {});

}  // namespace sluice::tokenizer
