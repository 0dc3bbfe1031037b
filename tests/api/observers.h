#pragma once

#include <string>
#include <string_view>

#include "sluice/observer.h"

namespace sluice {

/// One that hears nothing.
inline Observer& silent() {
  static Observer observer;
  return observer;
}

/// Keeps what is noted, a line each.
class Notes : public Observer {
 public:
  void note(std::string_view note) override { text += std::string(note) + "\n"; }
  bool hold(const std::string& part) const { return text.find(part) != text.npos; }
  std::string text;
};

}  // namespace sluice
