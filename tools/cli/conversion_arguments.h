#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sluice/quantize.h"

namespace sluice::cli {

/// The arguments that say what is to be made of a model, llama-quantize's among them. They are kept
/// as typed until all are known, since what one means may depend on another.
class ConversionArguments {
 public:
  /// Adds the arguments to a command. Those that need no second look go straight to `options`.
  void add_to(CLI::App& command, QuantizeOptions& options);

  /// Whether `--dry-run` was given.
  bool dry_run() const { return dry_run_; }

  /// The files of `--tensor-type-file`.
  const std::vector<std::string>& rule_files() const { return tensor_type_files_; }

  /// Looks names up and completes `options` for the command that was given.
  /// \throws CLI::ValidationError, Error (input_open, input_read)
  void resolve(const CLI::App& command, QuantizeOptions& options) const;

 private:
  void add_type_arguments(CLI::App& command, QuantizeOptions& options);
  void add_matrix_arguments(CLI::App& command, QuantizeOptions& options);
  void add_run_arguments(CLI::App& command, QuantizeOptions& options);
  void add_refused_arguments(CLI::App& command);

  void resolve_positions(QuantizeOptions& options) const;
  void resolve_types(const CLI::App& command, QuantizeOptions& options) const;
  void resolve_run(QuantizeOptions& options) const;

  std::vector<std::string> positions_ = {"", "", ""};  ///< [output] type [nthreads]
  std::string mix_ = "llama.cpp";
  std::vector<std::string> named_types_;  ///< in the order of the options of single tensors
  std::vector<std::string> tensor_types_;
  std::vector<std::string> tensor_type_files_;
  std::vector<std::string> custom_types_;
  std::vector<std::string> metadata_;
  std::vector<std::string> pruned_layers_;
  std::string io_ = "auto";
  std::string spindle_ = "auto";
  std::string isa_ = "auto";
  std::string effort_ = "best";
  bool dry_run_ = false;
};

}  // namespace sluice::cli
