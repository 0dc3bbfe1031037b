#pragma once

#include <memory>
#include <utility>

#include "base/team.h"
#include "engine/monitor.h"
#include "io/source.h"

// What a monitor is told of work that the engine does not move.

namespace sluice::calibrate {

/// A team whose work counts.
class MonitoredTeam final : public Team {
 public:
  MonitoredTeam(Team& team, engine::Monitor& monitor) : team_(team), monitor_(monitor) {}

  int threads() const override { return team_.threads(); }

  void run(std::size_t count,
           const std::function<void(std::size_t task, int worker)>& task) override {
    team_.run(count, [&](std::size_t i, int worker) {
      const engine::Monitor::Scope computing = monitor_.computing();
      task(i, worker);
    });
  }

 private:
  Team& team_;
  engine::Monitor& monitor_;
};

/// A source whose reads count.
class MonitoredSource final : public io::Source {
 public:
  MonitoredSource(io::Source& source, engine::Monitor& monitor)
      : source_(source), monitor_(monitor) {}

  std::string_view name() const override { return source_.name(); }
  std::string cached_file() const override { return source_.cached_file(); }

  void read(const io::ReadRange& range, std::span<std::byte> buffer, io::ReadDone done) override {
    const engine::Monitor::Read begun = monitor_.begin_read();
    source_.read(range, buffer,
                 [this, begun, size = range.size, done = std::move(done)](
                     std::span<const std::byte> bytes, std::exception_ptr error) {
                   monitor_.end_read(begun, {}, size);
                   done(bytes, std::move(error));
                 });
  }
  void fill(const io::ReadRange& range, std::span<const std::byte> bytes) override {
    source_.fill(range, bytes);
  }
  void check(const io::ReadRange& range) const override { source_.check(range); }
  void release(const io::ReadRange& range) override { source_.release(range); }

 private:
  io::Source& source_;
  engine::Monitor& monitor_;
};

}  // namespace sluice::calibrate
