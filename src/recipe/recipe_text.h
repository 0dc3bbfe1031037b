#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sluice/recipe.h"

/// Recipes as users write them, on a command line or in a file. All functions throw Error (usage)
/// that quotes what is wrong and says what would be right: the nearest name for an unknown one.
namespace sluice {

/// A file type by name, in any letter case, or by number.
const FileType& parse_file_type(std::string_view text, Mix mix);

/// A tensor type by name, in any letter case. Types without an encoder are refused, row-interleaved
/// ones (`iq4_k_r4`) with what to do instead.
TensorType parse_tensor_type(std::string_view text);

/// Rules `NAME=TYPE`, as for llama.cpp's `--tensor-type` and `--tensor-type-file`: the name, a
/// regular expression, is taken in lower case, as there.
///
/// Rules stand on lines of their own or have blanks or commas between them, as many as there are. A
/// comma within brackets, as in `{1,2}`, belongs to the pattern. From `#` on a line is a comment.
/// What is no rule is refused, and so is a text without any.
std::vector<TypeRule> parse_tensor_rules(std::string_view text);

/// Reads such rules from a file. \throws Error (usage, input_open) naming the file
std::vector<TypeRule> read_tensor_rules(const std::string& path);

/// Rules `REGEX=TYPE`, as for ik_llama.cpp's `--custom-q`, written as above. Letter case counts.
std::vector<TypeRule> parse_custom_rules(std::string_view text);

}  // namespace sluice
