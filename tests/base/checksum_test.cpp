#include "base/checksum.h"

#include <gtest/gtest.h>
#include <xxhash.h>
#include <zlib.h>

#include <algorithm>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

std::vector<std::byte> random_bytes(std::size_t count, std::mt19937_64& random) {
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

std::uint32_t crc_of_all(const std::vector<std::byte>& bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

struct Piece {
  std::size_t offset;
  std::size_t size;
};

// Any number of pieces, some of them empty, in any order.
std::vector<Piece> random_pieces(std::size_t size, std::mt19937_64& random) {
  std::vector<std::size_t> cuts = {0, size};
  for (std::size_t n = random() % 20; n > 0; --n) cuts.push_back(random() % (size + 1));
  std::sort(cuts.begin(), cuts.end());
  std::vector<Piece> pieces;
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    pieces.push_back({cuts[i - 1], cuts[i] - cuts[i - 1]});
  }
  std::shuffle(pieces.begin(), pieces.end(), random);
  return pieces;
}

TEST(Checksum, IsTheOneOfTheCatalogue) {
  constexpr std::string_view kText = "123456789";  // the check value that CRCs are listed with
  EXPECT_EQ(crc32_of(std::as_bytes(std::span(kText))), 0xcbf43926u);
  EXPECT_EQ(crc32_of({}), 0u);
}

TEST(Checksum, DoesNotDependOnPiecesOrOrder) {
  std::mt19937_64 random(1);
  for (int run = 0; run < 300; ++run) {
    const std::vector<std::byte> bytes = random_bytes(random() % 5000, random);
    TensorChecksum checksum(bytes.size());
    for (const Piece& piece : random_pieces(bytes.size(), random)) {
      checksum.add(piece.offset, std::span(bytes).subspan(piece.offset, piece.size));
    }
    EXPECT_EQ(checksum.value(), crc_of_all(bytes)) << bytes.size() << " bytes";
  }
}

TEST(Checksum, SeesPiecesInEachOthersPlaces) {
  std::mt19937_64 random(2);
  const std::vector<std::byte> bytes = random_bytes(2000, random);
  TensorChecksum checksum(bytes.size());
  checksum.add(0, std::span(bytes).subspan(1000));
  checksum.add(1000, std::span(bytes).first(1000));
  EXPECT_NE(checksum.value(), crc_of_all(bytes));
}

// A tensor of a terabyte of zeros: its CRC by doubling, CRC(AA) from CRC(A).
TEST(Checksum, ReachesBeyondFourGiB) {
  constexpr std::uint64_t kMiB = 1 << 20;
  const std::vector<std::byte> zeros(kMiB);
  const std::uint32_t piece = crc32_of(zeros);
  std::uint32_t whole = piece;
  std::uint64_t size = kMiB;
  for (int i = 0; i < 13; ++i, size *= 2) {
    whole = static_cast<std::uint32_t>(::crc32_combine(whole, whole, static_cast<z_off_t>(size)));
  }
  TensorChecksum checksum(size);
  for (std::uint64_t offset = size; offset > 0; offset -= kMiB) {
    checksum.add(offset - kMiB, kMiB, piece);
  }
  EXPECT_EQ(checksum.value(), whole);
}

TEST(Checksum, GoesOn) {
  std::mt19937_64 random(9);
  const std::vector<std::byte> bytes = random_bytes(1000, random);
  const std::span<const std::byte> all(bytes);
  EXPECT_EQ(crc32_of(all.subspan(333), crc32_of(all.first(333))), crc_of_all(bytes));
}

TEST(StreamHash, OfNothingIsTheOneOfTheSpecification) {
  EXPECT_EQ(StreamHash().take(), 0x2d06800538d394c2u);
}

TEST(StreamHash, DoesNotDependOnPieces) {
  std::mt19937_64 random(10);
  const std::vector<std::byte> bytes = random_bytes(5000, random);
  StreamHash hash;
  for (int round = 0; round < 100; ++round) {  // each take() begins anew
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(random() % 1000, bytes.size() - at);
      hash.add(std::span(bytes).subspan(at, size));
      at += size;
    }
    ASSERT_EQ(hash.take(), ::XXH3_64bits(bytes.data(), bytes.size()));
  }
}

}  // namespace
}  // namespace sluice
