#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/clocks.h"
#include "base/thread.h"
#include "calibrate/matrix_map.h"
#include "calibrate/range_reader.h"

namespace sluice::calibrate {

/// Reads the bytes of matrices before they are asked for, on a thread of its own: some at a time in
/// the order of their use, these in the order in which they lie in the files. What was read, and what
/// was taken and still has an owner, stays within the budget, unless what has an owner and what is
/// waited for do not fit together.
class ReadAhead {
 public:
  /// \param map, reader  outlive this
  ReadAhead(const MatrixMap& map, RangeReader& reader, std::uint64_t budget);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// Adds to what will be asked for.
  void expect(const std::vector<MatrixId>& matrices);

  /// Waits for a matrix, which is read at once if it was not expected. What was expected before it
  /// and is not asked for goes when there is something to wait for. One thread calls this at a time.
  /// \throws Error that reading met
  std::shared_ptr<const MatrixBytes> take(const MatrixId& matrix);

  /// Seconds that take() has waited, in all.
  double waited_s() { return waited_.seconds(); }

  /// The most bytes that were in memory at once.
  std::uint64_t most_held() const;

 private:
  using Bytes = std::shared_ptr<const MatrixBytes>;
  using RangeKey = std::tuple<std::size_t, std::uint64_t, std::size_t>;

  /// What is to be read.
  struct Pending {
    MatrixId matrix;
    std::vector<weights::Band> bands;
    std::uint64_t bytes = 0;
  };

  /// What somebody owns, which may be after this has gone.
  struct Account {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t held = 0;
    std::uint64_t most = 0;
  };

  void run();
  std::optional<Pending> choose();
  Pending wanted();
  void fill_window();
  Pending pending(const MatrixId& matrix) const;
  std::vector<Bytes> give_up_before(const MatrixId& matrix);
  bool room_for(std::uint64_t bytes) const;
  Bytes read(Pending what);
  HeldBytes read(const io::ReadRange& range);

  const MatrixMap& map_;
  RangeReader& reader_;
  const std::uint64_t budget_;
  const std::shared_ptr<Account> account_ = std::make_shared<Account>();
  BusyClock waited_;

  // Under the account's mutex.
  std::vector<MatrixId> order_;
  std::map<MatrixId, std::size_t> turns_;  // places in the order
  std::size_t next_ = 0;                   // place of the first that is not in the window yet
  std::set<MatrixId> early_;               // read before their turn
  std::vector<Pending> window_;            // what is read next, the last first
  std::map<MatrixId, Bytes> read_;
  std::optional<MatrixId> wanted_;  // somebody waits for it
  std::vector<Bytes> given_up_;     // to go when nobody has the mutex
  bool ended_ = false;
  std::exception_ptr failed_;

  std::map<RangeKey, std::weak_ptr<const PageBuffer>> ranges_;  // of the reading thread
  Thread thread_;
};

}  // namespace sluice::calibrate
