// A data race as a mistake in the pipeline would be one: two workers of a flow graph write to the
// same bytes. ThreadSanitizer must see it, or a clean run of the pipeline's tests would mean
// nothing.

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>

#include <atomic>
#include <cstdio>
#include <vector>

int main() {
  namespace flow = oneapi::tbb::flow;
  constexpr int kChunks = 64;
  const oneapi::tbb::global_control threads(oneapi::tbb::global_control::max_allowed_parallelism,
                                            4);
  std::vector<int> slot(16);  // granted to all chunks at once
  std::atomic<int> inside{0};
  flow::graph graph;
  flow::function_node<int> encode(graph, flow::unlimited, [&](int chunk) {
    // Waits for a second worker, so that the race happens however few cores there are.
    ++inside;
    for (int i = 0; i < 1000000 && inside.load(std::memory_order_relaxed) < 2; ++i) {
    }
    for (int& byte : slot) byte += chunk;
  });
  for (int chunk = 0; chunk < kChunks; ++chunk) encode.try_put(chunk);
  graph.wait_for_all();
  std::printf("%d\n", slot[0]);
}
