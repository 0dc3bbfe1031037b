#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/gguf_builder.h"

namespace sluice::testing_support {

/// An importance matrix in the older format, byte by byte.
class DatBuilder {
 public:
  DatBuilder& entry(const std::string& name, std::int32_t calls, const std::vector<float>& values) {
    ++entries_;
    text(name);
    put(body_, calls);
    put(body_, static_cast<std::int32_t>(values.size()));
    put_bytes(body_, values.data(), values.size() * sizeof(float));
    return *this;
  }
  DatBuilder& chunks(std::int32_t number) {
    put(body_, number);
    return *this;
  }
  DatBuilder& dataset(const std::string& name) {
    text(name);
    return *this;
  }
  Bytes build() const {
    Bytes out;
    put(out, entries_);
    put_bytes(out, body_.data(), body_.size());
    return out;
  }

 private:
  void text(const std::string& t) {
    put(body_, static_cast<std::int32_t>(t.size()));
    put_bytes(body_, t.data(), t.size());
  }

  std::int32_t entries_ = 0;
  Bytes body_;
};

}  // namespace sluice::testing_support
