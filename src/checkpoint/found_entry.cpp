#include "checkpoint/found_entry.h"

#include "base/text.h"

namespace sluice::checkpoint {

void refuse(const FoundEntry& found, const std::string& message, ErrorCode code) {
  throw Error(code, message,
              {.file = found.folder->file(found.folder->parts[found.part].file),
               .tensor = printable(found.entry->name),
               .cure = code == ErrorCode::input_type
                           ? "Take a checkpoint in 16 bits, FP8 or one of the quantized forms "
                             "that README.md lists"
                           : "Download all files of one revision of the checkpoint again"});
}

}  // namespace sluice::checkpoint
