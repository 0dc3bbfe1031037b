#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::bench {

/// Prints the results as the tables of bench/README.md, each figure the median of its repetitions.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  /// \param peers labels of the peers, in the order of their columns
  explicit TableReporter(std::vector<std::string> peers) : peers_(std::move(peers)) {}

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  using Counters = std::map<std::string, std::vector<double>, std::less<>>;

  /// The median of a benchmark's counter; NaN if it did not run or does not have it.
  double find(const std::string& benchmark, std::string_view counter) const;
  /// The last parts of all names `PREFIX/NAME`, in the order in which they first ran.
  std::vector<std::string> names_below(const std::string& prefix) const;

  /// Weights a second; NaN if it does not make the type.
  double peer_rate(const std::string& peer, const std::string& type) const;

  void print_encoders();
  void print_ratios();
  void print_errors();
  void print_decoders();
  void print_decoders(const std::string& prefix, const std::string& caption,
                      const std::string& what);
  void print_conversions();
  void print_machine();

  std::vector<std::string> peers_;
  std::map<std::string, Counters, std::less<>> results_;
  std::vector<std::string> order_;  ///< names of benchmarks
};

}  // namespace sluice::bench
