#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sluice/compare.h"
#include "sluice/imatrix.h"
#include "sluice/quantize.h"
#include "sluice/verify.h"

/// Options by name and as texts: for command lines, configuration files and bindings. The one list
/// of options is here; the program's arguments, its help and completions, OPTIONS.md and the C
/// interface are made of it.
#pragma GCC visibility push(default)

namespace sluice {

/// What an option's value is.
enum class OptionKind {
  flag,         ///< "true" or "false"
  choice,       ///< one of those that Option::value lists
  number,       ///< decimal
  size,         ///< bytes, with or without a unit: "536870912", "512M", "2GiB"
  text,         ///< as Option::value outlines it
  file,         ///< a path
  folder,       ///< a path
  tensor_type,  ///< "q6_k", "f16", in any letter case
  file_type,    ///< "IQ1_M", "q8_0", or a number
};

/// The heading that an option stands under, in the order of a help text.
enum class OptionTopic {
  arguments,
  types,
  size,
  importance,
  calibration,
  files,
  speed,
  safety,
  general,
  output
};

/// "Arguments", "Which types", ...
std::string_view name(OptionTopic topic) noexcept;

/// Who looks at an option: bits of Option::commands. Programs may add bits of their own.
inline constexpr unsigned kForQuantize = 1;
inline constexpr unsigned kForPlan = 2;
inline constexpr unsigned kForVerify = 4;
inline constexpr unsigned kForCompare = 8;
inline constexpr unsigned kForImatrix = 16;
inline constexpr unsigned kForRecipe = 32;

/// What is to be known of an option. All texts end with a zero.
struct Option {
  std::string_view name;  ///< without dashes
  OptionKind kind = OptionKind::flag;
  std::string_view value = "";          ///< "FILE", or a choice's "auto|mmap"; empty: a flag
  std::string_view default_value = "";  ///< empty: none, or false
  std::string_view help;                ///< half a sentence
  OptionTopic topic = OptionTopic::general;
  unsigned commands = 0;
  std::string_view llama_cpp = "";     ///< its name in llama.cpp's llama-quantize; empty: none
  std::string_view ik_llama_cpp = "";  ///< its name in ik_llama.cpp's
  /// The program takes it by its place on the command line, and this is what its help calls it.
  std::string_view position = "";
  std::string_view letter = "";       ///< its short name in the program
  std::string_view environment = "";  ///< variable that the program takes it from too
  bool required = false;
  bool repeats = false;  ///< values add up; of others the last one counts
};

/// All options. A name may stand more than once, if what it says to one command differs from what
/// it says to another (`output` is made by quantize and looked at by verify), or if the program
/// takes it by its place and by its name.
std::span<const Option> options() noexcept;

/// Values of options for all commands.
struct Options {
  QuantizeOptions quantize;  ///< all of it but `file_type`, which depends on the mix
  std::string type;          ///< the file type
  std::string against;       ///< verify: the source
  std::string a;             ///< compare
  std::string b;
  std::string model;            ///< imatrix: in place of `input`, which is a text then
  bool process_output = false;  ///< imatrix
  ImatrixFormat imatrix_format = ImatrixFormat::gguf;

  /// Sets an option, in any order. The name may have dashes before it and may be a peer's name;
  /// errors call the option by it.
  /// \throws Error (usage); of tensor-type-file also (input_open, input_read)
  void set(std::string_view name, std::string_view value);

  /// What `sluice::quantize`, `plan` and `forecast` take.
  /// \throws Error (usage) if there is neither type nor size, the mix does not have it, or options exclude each
  ///         other
  QuantizeOptions for_quantize() const;
  /// What `sluice::choose_mix` takes.
  /// \throws Error (usage) if there is no size, or options exclude each other
  QuantizeOptions for_recipe() const;
  /// What `sluice::verify` takes.
  VerifyOptions for_verify() const;
  /// What `sluice::compare` takes.
  CompareOptions for_compare() const;
  /// What `sluice::make_imatrix` takes.
  ImatrixOptions for_imatrix() const;
};

}  // namespace sluice

#pragma GCC visibility pop
