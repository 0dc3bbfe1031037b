#include "calibrate/read_ahead.h"

#include <algorithm>
#include <utility>

namespace sluice::calibrate {
namespace {

// Read in the order of the files before the first of them can be used: on a disk of 150 MB/s nobody
// waits for more than two seconds at the beginning, and seeks take a small share of that.
constexpr std::uint64_t kWindow = std::uint64_t{256} << 20;

}  // namespace

ReadAhead::ReadAhead(const MatrixMap& map, RangeReader& reader, std::uint64_t budget)
    : map_(map), reader_(reader), budget_(budget), thread_([this] { run(); }) {}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(account_->mutex);
    ended_ = true;
  }
  account_->changed.notify_all();
  thread_.join();
}

void ReadAhead::expect(const std::vector<MatrixId>& matrices) {
  const std::lock_guard lock(account_->mutex);
  for (const MatrixId& matrix : matrices) {
    turns_.emplace(matrix, order_.size());
    order_.push_back(matrix);
  }
  account_->changed.notify_all();
}

std::shared_ptr<const MatrixBytes> ReadAhead::take(const MatrixId& matrix) {
  std::vector<Bytes> given_up;  // goes when the lock has gone
  std::unique_lock lock(account_->mutex);
  if (!read_.contains(matrix)) {
    given_up = give_up_before(matrix);
    lock.unlock();
    given_up.clear();
    lock.lock();
    wanted_ = matrix;
    const BusyClock::Guard waiting(waited_);
    account_->changed.notify_all();
    account_->changed.wait(lock, [&] { return failed_ != nullptr || read_.contains(matrix); });
    wanted_.reset();
  }
  if (failed_) std::rethrow_exception(failed_);
  return std::move(read_.extract(matrix).mapped());
}

std::uint64_t ReadAhead::most_held() const {
  const std::lock_guard lock(account_->mutex);
  return account_->most;
}

// Something is waited for although this was read.
std::vector<ReadAhead::Bytes> ReadAhead::give_up_before(const MatrixId& matrix) {
  std::vector<Bytes> given_up;
  const auto turn = turns_.find(matrix);
  if (turn == turns_.end()) return given_up;
  for (auto each = read_.begin(); each != read_.end();) {
    const auto other = turns_.find(each->first);
    const bool before = other != turns_.end() && other->second < turn->second;
    if (before) given_up.push_back(std::move(each->second));
    each = before ? read_.erase(each) : std::next(each);
  }
  return given_up;
}

void ReadAhead::run() {
  try {
    for (;;) {
      std::optional<Pending> what;
      std::vector<Bytes> given_up;
      {
        std::unique_lock lock(account_->mutex);
        account_->changed.wait(lock, [&] { return ended_ || (what = choose()); });
        if (ended_) return;
        given_up.swap(given_up_);
      }
      given_up.clear();
      const MatrixId matrix = what->matrix;
      Bytes bytes = read(*std::move(what));
      const std::lock_guard lock(account_->mutex);
      read_.insert_or_assign(matrix, std::move(bytes));
      account_->changed.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(account_->mutex);
    failed_ = std::current_exception();
    account_->changed.notify_all();
  }
}

bool ReadAhead::room_for(std::uint64_t bytes) const {
  return account_->held == 0 || account_->held + bytes <= budget_;
}

std::optional<ReadAhead::Pending> ReadAhead::choose() {
  if (window_.empty()) fill_window();
  const bool room = !window_.empty() && room_for(window_.back().bytes);
  if (wanted_ && !read_.contains(*wanted_)) {
    const bool comes = std::ranges::find(window_, *wanted_, &Pending::matrix) != window_.end();
    if (!comes || !room) {
      Pending what = wanted();
      if (!room_for(what.bytes)) {
        for (auto& [matrix, bytes] : read_) given_up_.push_back(std::move(bytes));
        read_.clear();
      }
      return what;
    }
  }
  if (!room) return std::nullopt;
  Pending first = std::move(window_.back());
  window_.pop_back();
  return first;
}

// Out of the window, or out of order.
ReadAhead::Pending ReadAhead::wanted() {
  const auto found = std::ranges::find(window_, *wanted_, &Pending::matrix);
  if (found != window_.end()) {
    Pending what = std::move(*found);
    window_.erase(found);
    return what;
  }
  const auto turn = turns_.find(*wanted_);
  if (turn != turns_.end() && turn->second >= next_) early_.insert(*wanted_);
  return pending(*wanted_);
}

void ReadAhead::fill_window() {
  const std::uint64_t most = std::min(kWindow, budget_ / 2);
  std::uint64_t bytes = 0;
  for (; next_ < order_.size(); ++next_) {
    if (early_.erase(order_[next_]) > 0) continue;
    Pending what = pending(order_[next_]);
    bytes += what.bytes;
    if (bytes > most && !window_.empty()) break;
    window_.push_back(std::move(what));
  }
  const auto place = [](const Pending& what) {
    const weights::Band& band = what.bands.front();
    return std::tuple(band.range.part, band.range.offset);
  };
  std::ranges::stable_sort(window_, std::ranges::greater(), place);
}

ReadAhead::Pending ReadAhead::pending(const MatrixId& matrix) const {
  Pending what{matrix, map_.bands(matrix)};
  what.bytes = stored_bytes(what.bands);
  return what;
}

std::shared_ptr<const MatrixBytes> ReadAhead::read(Pending what) {
  auto bytes = std::make_shared<MatrixBytes>();
  bytes->bands = std::move(what.bands);
  for (const weights::Band& band : bytes->bands) {
    bytes->codes.push_back(band.stored == weights::Band::kNone ? nullptr : read(band.range));
    bytes->scales.push_back(band.scales ? read(*band.scales) : nullptr);
  }
  return bytes;
}

// Matrices that lie among one another, as those of which an expert's columns alternate, share bytes.
HeldBytes ReadAhead::read(const io::ReadRange& range) {
  std::erase_if(ranges_, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<const PageBuffer>& known = ranges_[{range.part, range.offset, range.size}];
  if (HeldBytes held = known.lock()) return held;
  {
    const std::lock_guard lock(account_->mutex);
    account_->held += range.size;
    account_->most = std::max(account_->most, account_->held);
  }
  HeldBytes held(new PageBuffer(range.size),
                 [account = account_, size = range.size](const PageBuffer* buffer) {
                   delete buffer;
                   const std::lock_guard lock(account->mutex);
                   account->held -= size;
                   account->changed.notify_all();
                 });
  reader_.read(range, held->bytes());
  known = held;
  return held;
}

}  // namespace sluice::calibrate
