#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::checkpoint {

/// What a model's name on a hub tells by custom, as in "org/Base-7B-Instruct-v0.2". Parts that it
/// does not have are empty.
struct ModelName {
  std::string name;  ///< all of it without organization
  std::string organization;
  std::string basename;    ///< "Base"
  std::string finetune;    ///< "Instruct"
  std::string version;     ///< "v0.2"
  std::string size_label;  ///< "7B"
};

/// \param parameters  of the model: a size in the name that is far from it is none
ModelName parse_model_name(std::string_view id, std::uint64_t parameters);

/// A name as a title: words instead of dashes, capitals where there are none.
std::string title_of(std::string_view name);

/// What models are told apart by: "7.1M", or "8x7B" of a mixture of 8 experts.
/// \param shared   parameters that every token uses
/// \param expert   parameters of one expert in all layers
/// \param experts  of a layer; 0: none
std::string size_label(std::uint64_t shared, std::uint64_t expert, std::uint64_t experts);

}  // namespace sluice::checkpoint
