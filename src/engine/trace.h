#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/clocks.h"

namespace sluice::engine {

/// Writes what a run does, moment by moment, as a Chrome trace (JSON), which ui.perfetto.dev and
/// chrome://tracing show. Any thread may call. Where a trace can be written no longer it ends, and
/// close() says so; the run goes on.
class Trace {
 public:
  /// One line of the picture. Workers are `worker + k`.
  enum Track : int { reader = 1, writer = 2, worker = 10 };
  using Arguments = std::initializer_list<std::pair<std::string_view, double>>;

  /// \throws Error (output_open)
  explicit Trace(const std::string& path);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Nanoseconds since the trace began.
  std::int64_t now() const { return clock_.nanoseconds(); }

  /// Something that took a time, on one thread.
  /// \param tensor  what it was done to; may be empty
  void span(int track, std::string_view name, std::int64_t begin, std::int64_t end,
            std::string_view tensor = {}, Arguments arguments = {});

  /// A read or a write, several of which may be under way; `id` tells those apart.
  void request(std::string_view name, std::uint64_t id, std::int64_t begin, std::int64_t end,
               std::string_view tensor, std::uint64_t bytes);

  void counter(std::string_view name, double value);

  /// Ends the trace. Nothing may be added after it.
  /// \returns what was wrong, for the user; empty: all was written
  std::string close();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void name_track(int track, std::string_view name);
  void add(const std::string& event);
  void write(std::string_view text);

  Stopwatch clock_;
  const std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  int error_ = 0;  // the first errno of a write
  std::mutex mutex_;
};

}  // namespace sluice::engine
