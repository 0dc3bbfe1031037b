#include "verify/structure.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"
#include "sluice/amounts.h"

namespace sluice {
namespace {

class Structure {
 public:
  Structure(const io::File& file, const gguf::Header& header, FindingList& findings)
      : file_(file), header_(header), size_(file.size()), findings_(findings) {}

  void check() {
    if (header_.tensors.empty()) {
      check_end(std::min(std::max(header_.end, size_), header_.data_offset));
      return;
    }
    check_padding("the header", "", header_.end, header_.data_offset);
    std::uint64_t end = header_.data_offset;
    for (const gguf::Tensor& tensor : header_.tensors) {
      const std::uint64_t start = header_.data_offset + tensor.offset;
      if (start != end) {
        add(Fault::structure, tensor.name,
            fmt::format("starts at byte {}, but must follow the tensor before it at byte {}", start,
                        end),
            start, 0);
      }
      const std::uint64_t data_end = start + tensor.size;
      end = header_.data_offset + align_up(tensor.offset + tensor.size, header_.alignment);
      check_padding("its data", tensor.name, data_end, end);
    }
    check_end(end);
  }

 private:
  void add(Fault fault, const std::string& tensor, std::string what, std::uint64_t offset,
           std::uint64_t size) {
    findings_.add({.fault = fault,
                   .file = file_.path(),
                   .tensor = tensor,
                   .what = std::move(what),
                   .rows = std::nullopt,
                   .offset = offset,
                   .size = size});
  }

  void check_padding(const char* after, const std::string& tensor, std::uint64_t begin,
                     std::uint64_t end) {
    std::vector<std::byte> bytes(std::min(end, std::max(begin, size_)) - begin);
    bytes.resize(file_.read_at(begin, bytes));
    const auto bad = std::find_if(bytes.begin(), bytes.end(),
                                  [](std::byte byte) { return byte != std::byte{}; });
    if (bad == bytes.end()) return;
    const std::uint64_t offset = begin + static_cast<std::uint64_t>(bad - bytes.begin());
    add(Fault::padding, tensor,
        fmt::format("the padding after {} is not zero at byte {}", after, offset), offset, 1);
  }

  void check_end(std::uint64_t end) {
    if (size_ > end) {
      add(Fault::structure, "",
          fmt::format("has {} after its last tensor, from byte {} on", counted(size_ - end, "byte"),
                      end),
          end, size_ - end);
    } else if (size_ < end) {
      add(Fault::structure, header_.tensors.back().name,
          fmt::format("its padding lacks {} at the end", counted(end - size_, "byte")), size_, 0);
    }
  }

  const io::File& file_;
  const gguf::Header& header_;
  const std::uint64_t size_;
  FindingList& findings_;
};

}  // namespace

void check_structure(const io::File& file, const gguf::Header& header, FindingList& findings) {
  Structure(file, header, findings).check();
}

}  // namespace sluice
