#pragma once

#include <chrono>
#include <string>

#include "sluice/observer.h"

namespace sluice::cli {

/// Shows a run on stderr: on a terminal one live line, elsewhere one line per tensor. The log gets
/// both, the former now and then.
class ProgressDisplay final : public Observer {
 public:
  ProgressDisplay();
  /// Ends the live line, so that an error gets a line of its own.
  ~ProgressDisplay() override { end(); }

  void note(std::string_view text) override;
  void progress(const Progress& progress) override;
  void tensor_done(const TensorReport& tensor, std::size_t index, std::size_t count) override;

  /// Ends the live line.
  void end();

 private:
  void draw(const Progress& from, const Progress& now);

  bool live_;
  std::size_t drawn_columns_ = 0;
  std::chrono::steady_clock::time_point last_drawn_{};
  std::chrono::steady_clock::time_point last_logged_ = std::chrono::steady_clock::now();
  Progress window_start_{};  // rates are of the time since then
};

/// The live line's text. `from` is an earlier state of the same run: rates and the limit are of the
/// time between. What matters least is left out until the line has `columns` or fewer.
std::string progress_line(const Progress& from, const Progress& now, std::size_t columns);

}  // namespace sluice::cli
