#include "calibrate/walk_state.h"

#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <span>

#include "base/page_buffer.h"
#include "io/file.h"
#include "io/output_file.h"
#include "io/sink.h"
#include "sluice/error.h"

namespace sluice::calibrate {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMagic =
    std::bit_cast<std::uint64_t>(std::array<char, 8>{'s', 'l', 'u', 'i', 'c', 'e', 'W', '1'});

/// What the file begins with.
struct StateHeader {
  std::uint64_t magic = kMagic;
  std::uint64_t binding = 0;
  std::uint64_t layers = 0;
  std::uint64_t tokens = 0;
  std::uint64_t width = 0;
  std::uint64_t stream_hash = 0;
  std::uint64_t check = 0;

  std::uint64_t right_check() const { return XXH3_64bits(this, offsetof(StateHeader, check)); }
};

std::span<const std::byte> bytes_of(const linear::ConstMatrix& stream) {
  return {reinterpret_cast<const std::byte*>(stream.data),
          stream.rows * stream.columns * sizeof(float)};
}

[[noreturn]] void refuse_state(const std::string& path, const std::string& what) {
  throw Error(
      ErrorCode::resume_refused, what,
      {.file = path, .cure = "Repeat the earlier run's arguments, or begin anew with --restart"});
}

// Past what the page cache would keep.
std::size_t read_state(const io::File& file, std::uint64_t offset, std::span<std::byte> out) {
  constexpr std::size_t kPiece = std::size_t{16} << 20;
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t got =
        file.read_at(offset + done, out.subspan(done, std::min(kPiece, out.size() - done)));
    if (got == 0) break;
    done += got;
    file.drop_cached(offset, offset + done);
  }
  return done;
}

}  // namespace

std::uint64_t WalkState::bytes(std::uint64_t tokens, std::uint64_t width) {
  return kPage + tokens * width * sizeof(float);
}

std::optional<std::uint64_t> WalkState::load(const linear::Matrix& stream) const {
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) return std::nullopt;
  const io::File file = io::File::open_input(path_);
  StateHeader header;
  const std::size_t got = read_state(file, 0, std::as_writable_bytes(std::span(&header, 1)));
  if (got < sizeof header || header.magic != kMagic || header.check != header.right_check()) {
    refuse_state(path_, "is damaged, or no state of an earlier run");
  }
  if (header.binding != binding_) {
    refuse_state(path_, "an earlier run was of another model, text or settings");
  }
  if (header.layers == 0) return 0;
  const std::span<std::byte> bytes(reinterpret_cast<std::byte*>(stream.data),
                                   stream.rows * stream.columns * sizeof(float));
  if (header.tokens != stream.rows || header.width != stream.columns ||
      read_state(file, kPage, bytes) < bytes.size() ||
      header.stream_hash != XXH3_64bits(bytes.data(), bytes.size())) {
    refuse_state(path_, "is damaged");
  }
  return header.layers;
}

void WalkState::require_space(std::uint64_t tokens, std::uint64_t width) const {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::absolute(path_, failed).parent_path();
  const std::uint64_t available = std::filesystem::space(folder, failed).available;
  if (failed) return;  // writing will tell
  const std::uint64_t there = std::filesystem::file_size(path_, failed);
  const std::uint64_t needed = 2 * bytes(tokens, width) - (failed ? 0 : there);
  if (available < needed) io::throw_no_space(path_, needed, available);
}

void WalkState::save(std::uint64_t layers, const linear::ConstMatrix& stream) const {
  const std::span<const std::byte> bytes = bytes_of(stream);
  StateHeader header{.binding = binding_,
                     .layers = layers,
                     .tokens = stream.rows,
                     .width = stream.columns,
                     .stream_hash = XXH3_64bits(bytes.data(), bytes.size())};
  header.check = header.right_check();
  const PageBuffer first(kPage);
  std::memcpy(first.bytes().data(), &header, sizeof header);
  io::Sink sink(new_path(), {{path_, 0, kPage + bytes.size()}});
  sink.start();
  const std::span<const std::byte> page = first.bytes();
  sink.write_at(0, {&page, 1});
  for (std::size_t at = 0; at < bytes.size(); at += io::Sink::kLargestWrite) {
    const auto piece = bytes.subspan(at, std::min(io::Sink::kLargestWrite, bytes.size() - at));
    sink.write_at(kPage + at, {&piece, 1});
  }
  sink.commit();
}

void WalkState::remove() const {
  ::unlink(path_.c_str());
  ::unlink(new_path().c_str());  // of a run that was cut off as it wrote it
}

}  // namespace sluice::calibrate
