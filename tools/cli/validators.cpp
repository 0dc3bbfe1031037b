#include "validators.h"

#include <cctype>
#include <string>

namespace sluice::cli {

CLI::Validator begins_with_digit() {
  return {[](const std::string& text) {
            const std::size_t first = text.starts_with('.') ? 1 : 0;
            return first < text.size() && std::isdigit(static_cast<unsigned char>(text[first])) != 0
                       ? std::string()
                       : text + " is no number of zero or more";
          },
          ""};
}

}  // namespace sluice::cli
