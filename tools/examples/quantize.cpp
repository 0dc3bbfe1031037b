// Quantizes a model from a program: first looks at the plan, then makes the file, with progress.
//
//   quantize MODEL.gguf OUT.gguf TYPE [MODEL.imatrix]

#include <sluice/error.h>
#include <sluice/options.h>
#include <sluice/version.h>

#include <cstdio>
#include <string>

namespace {

class Percentage final : public sluice::Observer {
 public:
  void note(std::string_view text) override {
    std::fprintf(stderr, "note: %.*s\n", static_cast<int>(text.size()), text.data());
  }

  void progress(const sluice::Progress& progress) override {
    if (progress.input_bytes == 0) return;
    const int percent = static_cast<int>(100 * progress.input_bytes_done / progress.input_bytes);
    if (percent != last_) std::fprintf(stderr, "%d %%\n", percent);
    last_ = percent;
  }

 private:
  int last_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s MODEL.gguf OUT.gguf TYPE [MODEL.imatrix]\n", argv[0]);
    return 2;
  }
  try {
    // As texts, in any order; sluice::QuantizeOptions can be filled in as well.
    sluice::Options values;
    values.set("input", argv[1]);
    values.set("output", argv[2]);
    values.set("type", argv[3]);
    if (argc > 4) values.set("imatrix", argv[4]);
    values.set("memory", "256M");
    const sluice::QuantizeOptions options = values.for_quantize();

    const sluice::PlanView plan = sluice::plan(options);
    std::printf("sluice %s: %zu tensors, %llu bytes to write\n",
                std::string(sluice::version()).c_str(), plan.tensors.size(),
                static_cast<unsigned long long>(plan.output_bytes));

    Percentage observer;
    const sluice::RunReport report = sluice::quantize(options, observer);
    std::printf("%llu weights in %.2f s\n", static_cast<unsigned long long>(report.weights),
                report.wall_s);
    return 0;
  } catch (const sluice::Error& error) {
    // what() is complete; code() and context() tell a program more.
    std::fprintf(stderr, "%s\n", error.what());
    return sluice::exit_status(error.code());
  }
}
