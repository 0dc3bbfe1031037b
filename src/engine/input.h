#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/source.h"
#include "sluice/observer.h"
#include "sluice/streaming.h"

namespace sluice::engine {

/// How a run reads its inputs: as asked for, or as can be had.
class Input {
 public:
  /// Notes what is not as the user asked for.
  /// \param files  outlive this
  Input(const StreamingOptions& options, std::vector<const io::File*> files, Observer& observer);

  io::Source& source() { return *opened_.source; }

  /// How the bytes were read, as reports name it: "async", "async, cached", "mmap", "read". After
  /// the run, which may have found out more; notes that too.
  std::string mode();

  /// How many bytes came from the page cache, which had them before.
  std::uint64_t cached_bytes() const { return opened_.source->found_bytes(); }

 private:
  void note_cached();

  Observer& observer_;
  io::OpenedSource opened_;
  bool noted_ = false;
};

}  // namespace sluice::engine
