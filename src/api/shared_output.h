#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/output_names.h"
#include "journal/binding.h"
#include "journal/shared_record.h"
#include "plan/plan.h"
#include "sluice/observer.h"
#include "sluice/quantize.h"
#include "sluice/share.h"

namespace sluice {

/// An output of which several runs make a part each: all of its files, whoever makes them.
struct SharedPlan {
  OutputNames names;              ///< of all files
  std::vector<ShareView> shares;  ///< of all parts
  std::string options;            ///< as in journal::Binding
  std::uint64_t plan_hash = 0;    ///< of all
  std::vector<std::uint64_t> part_sizes;
};

/// The name under which the first file waits for the others.
std::string waiting_name(const std::string& first_file);

/// What a part's files are called: as in all of the output, but for the first one, which waits.
OutputNames names_of_share(const QuantizeOptions& options, const SharedPlan& shared,
                           const Plan& own);

/// What the runs tell one another, in a file beside the output (journal/shared_record.h):
///
///  1. A run begins: it must be of the same plan as the others.
///  2. Before its files get their names, an older first file goes away, once for all runs.
///  3. It has made its part. Whoever is the last gives the first file its name.
///
/// Cut off between any two steps, the same run goes on there. Where runs do not see one another's
/// files, each believes that the others are not done, and the first file keeps its waiting name.
class SharedOutput {
 public:
  /// \param whole  what the bytes of all files depend on
  SharedOutput(const QuantizeOptions& options, const SharedPlan& plan, journal::Binding whole);

  /// Whether this part is to be made: it is not, if it is there already.
  /// \throws Error (resume_refused) if the record is of another plan that is not done
  bool begin(Observer& observer);

  /// Step 2. \throws Error (output_write, output_no_space)
  void clear();

  /// Step 3. \throws Error (output_write, output_no_space)
  void finish(Observer& observer);

 private:
  journal::SharedRecord record_of(const std::string& text) const;
  void check_same_plan(const journal::SharedRecord& record) const;
  bool files_are_there() const;
  std::vector<std::uint32_t> unmade(const journal::SharedRecord& record) const;
  void name_first() const;

  const SharedPlan& plan_;
  const ShareOptions share_;
  const bool restart_;
  const std::string path_;
  const journal::Binding whole_;
};

}  // namespace sluice
