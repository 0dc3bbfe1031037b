#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::cli {

/// What to look at, and what to show of it.
struct InspectArguments {
  std::string file;
  std::vector<std::string> keys;     ///< patterns of metadata keys
  std::vector<std::string> tensors;  ///< patterns of tensor names
  std::vector<std::string> types;    ///< names of tensor types
  bool regex = false;                ///< patterns are regular expressions
  bool full = false;                 ///< show all of long values
  bool json = false;
  std::string page;  ///< HTML file to write in place of what is printed; empty: none
};

/// Prints what the headers of a GGUF file say, or makes a page of it: metadata, tensors, types.
/// \throws Error
void run_inspect(const InspectArguments& arguments);

}  // namespace sluice::cli
