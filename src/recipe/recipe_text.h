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
/// ones (`iq1_m_r4`) with what to do instead.
TensorType parse_tensor_type(std::string_view text);

/// `NAME=TYPE`, as for llama.cpp's `--tensor-type`: the name, a regular expression, is taken in
/// lower case, as there.
TypeRule parse_tensor_rule(std::string_view text);

/// The contents of a file for llama.cpp's `--tensor-type-file`: `NAME=TYPE`, separated by white
/// space.
std::vector<TypeRule> parse_tensor_rules(std::string_view text);

/// Reads such a file. \throws Error (usage, input_open) naming the file
std::vector<TypeRule> read_tensor_rules(const std::string& path);

/// `REGEX=TYPE,REGEX=TYPE,…`, as for ik_llama.cpp's `--custom-q`. A comma within a regular
/// expression (`{1,2}`) is no separator, since no `=` stands before it.
std::vector<TypeRule> parse_custom_rules(std::string_view text);

}  // namespace sluice
