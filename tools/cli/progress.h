#pragma once

#include <chrono>
#include <string>

#include "sluice/observer.h"

namespace sluice::cli {

/// Shows a run on stderr: on a terminal one live line, elsewhere one line per tensor.
class ProgressDisplay final : public Observer {
 public:
  ProgressDisplay();

  void note(std::string_view text) override;
  void progress(const Progress& progress) override;
  void tensor_done(const TensorReport& tensor, std::size_t index, std::size_t count) override;

  /// Ends the live line.
  void end();

 private:
  void draw(const std::string& line);

  bool terminal_;
  std::size_t drawn_columns_ = 0;
  std::chrono::steady_clock::time_point last_drawn_{};
  Progress window_start_{};  // rates are of the time since then
};

/// The live line's text. `from` is an earlier state of the same run: rates and the limit are of the
/// time between.
std::string progress_line(const Progress& from, const Progress& now);

}  // namespace sluice::cli
