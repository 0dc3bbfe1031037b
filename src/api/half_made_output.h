#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "api/earlier_run.h"
#include "api/output_names.h"
#include "io/sink.h"
#include "journal/binding.h"
#include "journal/journal.h"
#include "sluice/observer.h"
#include "sluice/quantize.h"

namespace sluice {

/// The half-made output on the disk: its files, under their working names, and one journal for all.
class HalfMadeOutput {
 public:
  /// Opens the output's first file and holds the output against other runs.
  /// \throws Error (output_open)
  HalfMadeOutput(const OutputNames& names, journal::Binding binding);
  /// Without a commit, what no journal speaks of goes away.
  ~HalfMadeOutput();
  HalfMadeOutput(const HalfMadeOutput&) = delete;
  HalfMadeOutput& operator=(const HalfMadeOutput&) = delete;

  /// What an earlier run has done.
  struct Found {
    std::vector<journal::Record> records = {};
    bool complete = false;  ///< all, and the output has its names
  };

  /// Decides whether this run goes on with what an earlier one left, and makes the files ready. What
  /// is there and was not left by one stays as it is.
  /// \throws Error (resume_refused, output_open, output_no_space, output_write)
  Found open(const QuantizeOptions& options, Observer& observer);

  io::Sink& sink() { return sink_; }
  journal::Journal& journal() { return journal_; }

  /// Gives the output its names and takes the journal away.
  /// \param named  what is done in between
  /// \throws Error (output_write)
  void commit(const std::function<void()>& named);

 private:
  Found begin(const EarlierFiles& earlier);
  void note_damage(const EarlierFiles& earlier, Observer& observer) const;
  bool all_made(const std::vector<journal::Record>& records) const;
  std::vector<journal::Record> verified(std::vector<journal::Record> records,
                                        const std::atomic<bool>* stop, Observer& observer);

  OutputNames names_;
  io::Sink sink_;
  journal::Journal journal_;
  journal::Binding binding_;
};

}  // namespace sluice
