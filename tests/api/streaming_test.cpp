// Runs inside another program: its heap is not theirs, and they do not disturb one another.

#include <fstream>
#include <future>
#include <thread>

#include "api/quantize_fixture.h"
#include "sluice/compare.h"
#include "sluice/verify.h"

namespace sluice {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class StreamingTest : public QuantizeTest {
 protected:
  StreamingTest() {
    quantize(options_for(model_, output_, "Q4_0", true), silent());
    verify_.output = compare_.b = output_;
    verify_.against = compare_.a = model_;
    verify_.threads = compare_.threads = 2;
  }

  /// Each of the three, with the same options.
  void run_all(const std::function<void(StreamingOptions&)>& change, Observer& observer) {
    QuantizeOptions quantize_it = options_for(model_, folder_ / "again.gguf", "Q4_0", true);
    change(quantize_it);
    change(verify_);
    change(compare_);
    run_report_ = quantize(quantize_it, observer);
    verify_report_ = verify(verify_, observer);
    comparison_ = compare(compare_, observer);
  }

  VerifyOptions verify_;
  CompareOptions compare_;
  RunReport run_report_;
  VerifyReport verify_report_;
  Comparison comparison_;
};

// A host of 600 MB, which is more than the default budget.
TEST_F(StreamingTest, TheHostsHeapDoesNotCount) {
  std::vector<char> heap(600 * kMiB);
  for (std::size_t i = 0; i < heap.size(); i += 4096) heap[i] = 1;
  run_all([](StreamingOptions&) {}, silent());
  EXPECT_TRUE(verify_report_.good());
  EXPECT_TRUE(comparison_.complete());
  EXPECT_TRUE(read_file(folder_ / "again.gguf") == read_file(output_));

  // Only where it is asked for.
  const auto refused = [&](const auto& run) {
    try {
      run();
      ADD_FAILURE() << "must be refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::memory_budget);
    }
  };
  QuantizeOptions options = options_for(model_, folder_ / "third.gguf", "Q4_0", true);
  options.memory_of_process = verify_.memory_of_process = compare_.memory_of_process = true;
  refused([&] { quantize(options, silent()); });
  refused([&] { verify(verify_, silent()); });
  refused([&] { compare(compare_, silent()); });
  EXPECT_EQ(heap[4096], 1);
}

// Many at once, of all kinds, each with little more than the least budget and other threads: all
// get what they would get alone.
TEST_F(StreamingTest, RunsAtOnceDoNotDisturbOneAnother) {
  const Bytes expected = read_file(output_);
  const std::uint64_t least = least_memory(options_for(model_, folder_ / "x.gguf", "Q4_0", true));
  std::vector<std::future<void>> runs;
  for (int i = 0; i < 4; ++i) {
    runs.push_back(std::async(std::launch::async, [&, i] {
      Observer observer;
      const std::string output = folder_ / ("out" + std::to_string(i) + ".gguf");
      QuantizeOptions options = options_for(model_, output, "Q4_0", true);
      options.threads = i + 1;
      options.memory = least + 8 * kMiB;
      EXPECT_EQ(quantize(options, observer).threads, i + 1);
      EXPECT_TRUE(read_file(output) == expected);
    }));
    runs.push_back(std::async(std::launch::async, [&, i] {
      Observer observer;
      VerifyOptions options = verify_;
      options.threads = 4 - i;
      options.memory = 16 * kMiB;
      EXPECT_TRUE(verify(options, observer).good());
      CompareOptions other = compare_;
      other.memory = 16 * kMiB;
      EXPECT_EQ(compare(other, observer).tensors.size(), tensors_.size());
    }));
  }
  for (std::future<void>& run : runs) run.get();
}

TEST_F(StreamingTest, AllHonourTheOptions) {
  for (const auto& [mode, name] : {std::pair(IoMode::mmap, "mmap"), {IoMode::plain, "read"}}) {
    run_all(
        [&, io = mode](StreamingOptions& options) {
          options.io = io;
          options.isa = Isa::portable;
          options.threads = 3;
          options.trace = folder_ / "trace.json";
          fs::remove(options.trace);
        },
        silent());
    for (const auto& [io, isa, threads] :
         {std::tuple(run_report_.io, run_report_.isa, run_report_.threads),
          {verify_report_.io, verify_report_.isa, verify_report_.threads},
          {comparison_.io, comparison_.isa, comparison_.threads}}) {
      EXPECT_EQ(io, name);
      EXPECT_EQ(isa, "portable");
      EXPECT_EQ(threads, 3);
    }
    EXPECT_TRUE(verify_report_.good());
  }
  for (const Spindle spindle : {Spindle::shared, Spindle::separate}) {
    run_all([&](StreamingOptions& options) { options.spindle = spindle; }, silent());
    EXPECT_EQ(run_report_.shared_spindle, spindle == Spindle::shared);
    EXPECT_EQ(verify_report_.shared_spindle, spindle == Spindle::shared);
    EXPECT_EQ(comparison_.shared_spindle, spindle == Spindle::shared);
  }
}

TEST_F(StreamingTest, EachWritesItsTrace) {
  const std::string trace = folder_ / "trace.json";
  const auto chunks = [&] {
    const Bytes bytes = read_file(trace);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    fs::remove(trace);
    return text.find("\"chunk\"") != text.npos && text.find("\"read\"") != text.npos;
  };
  verify_.trace = compare_.trace = trace;
  verify(verify_, silent());
  EXPECT_TRUE(chunks());
  compare(compare_, silent());
  EXPECT_TRUE(chunks());
}

// At the beginning it is an error; later the run is worth more than its trace.
TEST_F(StreamingTest, ATraceThatCannotBeWrittenIsToldOf) {
  for (const std::string& trace : {folder_ / "none/trace.json", model_}) {
    QuantizeOptions options = options_for(model_, folder_ / "again.gguf", "Q4_0", true);
    options.trace = verify_.trace = compare_.trace = trace;
    EXPECT_THROW(quantize(options, silent()), Error);
    EXPECT_THROW(verify(verify_, silent()), Error);
    EXPECT_THROW(compare(compare_, silent()), Error);
  }
  Notes notes;
  run_all([](StreamingOptions& options) { options.trace = "/dev/full"; }, notes);
  std::size_t told = 0;
  for (std::size_t at = 0; (at = notes.text.find("the trace /dev/full is not whole: No space left",
                                                 at)) != notes.text.npos;
       ++at) {
    ++told;
  }
  EXPECT_EQ(told, 3u) << notes.text;
}

TEST_F(StreamingTest, AllStopBeforeTheyBegin) {
  const std::atomic<bool> stop = true;
  QuantizeOptions options = options_for(model_, folder_ / "again.gguf", "Q4_0", true);
  options.stop = verify_.stop = compare_.stop = &stop;
  const auto interrupted = [&](const auto& run) {
    try {
      run();
      ADD_FAILURE() << "must stop";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::interrupted);
    }
  };
  interrupted([&] { quantize(options, silent()); });
  interrupted([&] { verify(verify_, silent()); });
  interrupted([&] { compare(compare_, silent()); });
}

}  // namespace
}  // namespace sluice
