#include "engine/team.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "base/stop.h"
#include "engine/worker_limit.h"

namespace sluice::engine {

struct TbbTeam::State {
  State(int threads, const std::atomic<bool>* stop_flag)
      : limit(threads), arena(threads), stop(stop_flag) {}

  WorkerLimit limit;
  tbb::task_arena arena;
  const std::atomic<bool>* stop;
};

TbbTeam::TbbTeam(int threads, const std::atomic<bool>* stop)
    : state_(std::make_unique<State>(threads, stop)) {}

TbbTeam::~TbbTeam() = default;

int TbbTeam::threads() const {
  return state_->arena.max_concurrency();
}

void TbbTeam::run(std::size_t count,
                  const std::function<void(std::size_t task, int worker)>& task) {
  state_->arena.execute([&] {
    const auto one = [&](std::size_t i) {
      throw_if_stopped(state_->stop);
      task(i, tbb::this_task_arena::current_thread_index());
    };
    tbb::parallel_for(std::size_t{0}, count, one, tbb::simple_partitioner());
  });
}

}  // namespace sluice::engine
