#include "api/checkpoint_files.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <utility>

#include "api/folder_refusals.h"
#include "base/text.h"
#include "checkpoint/read_checkpoint.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "tokenizer/tokenizer.h"

namespace sluice {
namespace {

constexpr std::string_view kIndexEnd = ".index.json";
constexpr std::uint64_t kLargestSettings = std::uint64_t{16} << 20;
constexpr std::uint64_t kLargestIndex = std::uint64_t{64} << 20;
constexpr std::uint64_t kLargestVocabulary = std::uint64_t{256} << 20;

bool is_settings(std::string_view name) {
  return name == "config.json" || name == "generation_config.json" || name == "README.md" ||
         name == checkpoint::kModeloptFile;
}

std::vector<std::byte> bytes_at(const io::File& file, std::uint64_t offset, std::uint64_t size) {
  std::vector<std::byte> bytes(size);
  bytes.resize(file.read_at(offset, bytes));
  return bytes;
}

/// Reads a checkpoint's files, one after the other, into what is known of it.
class CheckpointReader {
 public:
  CheckpointReader(const ModelFolder& folder, std::string_view file)
      : folder_(folder), file_(file), names_(folder.names()) {
    checkpoint_.path = folder.path();
    checkpoint_.model_name = folder.model_name();
  }

  ModelFiles read(std::string_view pre) {
    if (!file_.empty() && !std::ranges::binary_search(names_, file_)) {
      folder_.open(std::vector{std::string(file_)});  // which says why it is not there
    }
    refuse_other_folders(folder_.path(), names_);
    read_small_files();
    const checkpoint::Outline outline = checkpoint::outline_of(checkpoint_);
    open_parts();
    tokenizer::Tokenizer tokenizer =
        tokenizer::read(vocabulary_files(), {outline.architecture, outline.vocab_size}, pre);
    vocabulary_.clear();
    checkpoint::Model model =
        checkpoint::read_checkpoint(checkpoint_, std::move(tokenizer.metadata));
    note_skipped(model.skipped);
    for (std::string& note : tokenizer.notes) files_.notes.push_back(std::move(note));
    files_.model = std::move(model.header);
    files_.weights = std::move(model.weights);
    files_.published = true;
    return std::move(files_);
  }

 private:
  void read_small_files() {
    const std::string index(file_.ends_with(kIndexEnd) ? file_ : checkpoint::kIndexFile);
    std::vector<std::string> names;
    for (const std::string& name : names_) {
      if (name == index || is_settings(name) || tokenizer::is_read(name)) names.push_back(name);
    }
    std::vector<io::File> files = folder_.open(names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& name = names[i];
      if (name == index) {
        checkpoint_.index =
            checkpoint::parse_index(take_text(files[i], kLargestIndex), checkpoint_.file(name));
      } else if (is_settings(name)) {
        checkpoint_.texts[name] = take_text(files[i], kLargestSettings);
      } else {
        vocabulary_[name] = take_text(files[i], kLargestVocabulary);
      }
    }
  }

  /// Reads a small file whole.
  std::string take_text(io::File& file, std::uint64_t most) {
    const std::uint64_t size = file.size();
    if (size > most) {
      throw Error(
          ErrorCode::input_format,
          fmt::format("has {}, where a file of this kind has {} at most",
                      bytes_text(static_cast<double>(size)), bytes_text(static_cast<double>(most))),
          {.file = file.path(),
           .cure = "Download it again from where the checkpoint was published"});
    }
    std::string text(size, '\0');
    text.resize(file.read_at(0, std::as_writable_bytes(std::span(text))));
    refuse_pointer(file, text);
    file.forget_start();
    files_.small_files.push_back({std::move(file), XXH3_64bits(text.data(), text.size())});
    return text;
  }

  void open_parts() {
    const std::vector<std::string> names =
        checkpoint::part_files(folder_.path(), names_, checkpoint_.index,
                               file_.ends_with(kIndexEnd) ? std::string_view() : file_);
    files_.parts = folder_.open(names);
    for (std::size_t part = 0; part < names.size(); ++part) {
      files_.states.push_back(files_.parts[part].state());
      checkpoint_.parts.push_back({names[part], read_entries(files_.parts[part])});
    }
    checkpoint_.read = [this](const checkpoint::Place& place) {
      return bytes_at(files_.parts.at(place.part), place.offset, place.size);
    };
  }

  std::vector<checkpoint::Entry> read_entries(const io::File& file) {
    // Most headers are read with the number that tells how long they are.
    constexpr std::uint64_t kFirst = 64u << 10;
    const std::uint64_t size = file.size();
    std::vector<std::byte> header = bytes_at(file, 0, std::min(kFirst, size));
    refuse_pointer(file, {reinterpret_cast<const char*>(header.data()), header.size()});
    const std::uint64_t end = checkpoint::data_offset(header, size, file.path());
    const std::size_t had = std::min<std::uint64_t>(header.size(), end);
    header.resize(end);
    header.resize(had + file.read_at(had, std::span(header).subspan(had)));
    files_.header_hashes.push_back(XXH3_64bits(header.data(), header.size()));
    file.forget_start();
    return checkpoint::parse_header(header, size, file.path());
  }

  tokenizer::Files vocabulary_files() const {
    tokenizer::Files files{.folder = folder_.path(), .texts = {}};
    for (const auto& [name, text] : vocabulary_) files.texts[name] = text;
    for (const auto& [name, text] : checkpoint_.texts) {
      if (tokenizer::is_read(name)) files.texts[name] = text;
    }
    return files;
  }

  void note_skipped(const std::vector<checkpoint::Skipped>& skipped) {
    std::map<std::string_view, std::vector<std::string_view>> kinds;
    for (const checkpoint::Skipped& each : skipped) kinds[each.kind].push_back(each.name);
    for (const auto& [kind, names] : kinds) {
      files_.notes.push_back(fmt::format("left out: {} {}, as {}", counted(names.size(), "tensor"),
                                         kind, printable(names.front())));
    }
  }

  const ModelFolder& folder_;
  std::string_view file_;
  std::vector<std::string> names_;
  checkpoint::Folder checkpoint_;
  std::map<std::string, std::string> vocabulary_;
  ModelFiles files_;
};

}  // namespace

ModelFiles open_checkpoint(const ModelFolder& folder, std::string_view file, std::string_view pre) {
  return CheckpointReader(folder, file).read(pre);
}

}  // namespace sluice
