#pragma once

#include <cstdint>
#include <vector>

#include "io/sink.h"
#include "journal/binding.h"
#include "journal/journal.h"
#include "sluice/observer.h"
#include "sluice/quantize.h"

namespace sluice {

/// The half-made output on the disk: the part file and its journal, which live and end together.
class Checkpoint {
 public:
  /// Opens the part file and holds it against other runs.
  /// \throws Error (output_open)
  Checkpoint(const QuantizeOptions& options, journal::Binding binding, std::uint64_t output_size);
  /// Without a commit, what no journal speaks of goes away.
  ~Checkpoint() = default;

  /// What an earlier run has done.
  struct Found {
    std::vector<journal::Record> records = {};
    bool complete = false;  ///< all, and the output has its name
  };

  /// Decides whether this run goes on with what an earlier one left, and makes the part file ready.
  /// \throws Error (resume_refused, output_open, output_no_space, output_write)
  Found open(const QuantizeOptions& options, Observer& observer);

  io::Sink& sink() { return sink_; }
  journal::Journal& journal() { return journal_; }

  /// Gives the output its name and takes the journal away.
  /// \throws Error (output_write)
  void commit();

 private:
  bool renamed(const std::vector<journal::Record>& records) const;
  std::vector<journal::Record> verified(std::vector<journal::Record> records,
                                        Observer& observer) const;

  io::Sink sink_;
  journal::Journal journal_;
  std::string output_;
  journal::Binding binding_;
  std::uint64_t output_size_;
};

}  // namespace sluice
