#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include "imatrix/importance_matrix.h"
#include "sluice/error.h"
#include "support/dat_builder.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::Bytes;
using testing_support::bytes_of;
using testing_support::DatBuilder;
using testing_support::GgufBuilder;
using testing_support::put;
using testing_support::put_bytes;
using Floats = std::vector<float>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// The GGUF format.
class GgufForm {
 public:
  GgufForm() { file.string("general.type", "imatrix"); }
  GgufForm& entry(const std::string& name, const Floats& sums, const Floats& counts) {
    const std::uint64_t n = sums.size() / counts.size();
    file.tensor(name + ".in_sum2", {n, counts.size()}, 0, bytes_of(sums));
    file.tensor(name + ".counts", {1, counts.size()}, 0, bytes_of(counts));
    return *this;
  }
  Bytes build() const { return file.build(); }

  GgufBuilder file;
};

Floats row(const ImportanceMatrix& matrix, const std::string& tensor, std::uint64_t n,
           std::uint64_t experts = 1, std::uint64_t expert = 0) {
  const auto* entry = matrix.find(tensor, n, experts);
  if (entry == nullptr) return {};
  Floats out(n);
  matrix.read_row(*entry, expert, out);
  return out;
}

ErrorCode code_of(const Bytes& bytes) {
  try {
    ImportanceMatrix::parse(bytes, "m.dat");
  } catch (const Error& error) {
    EXPECT_EQ(error.context().file, "m.dat");
    EXPECT_TRUE(error.context().offset);
    EXPECT_FALSE(error.context().cure.empty());
    return error.code();
  }
  return ErrorCode::interrupted;  // none
}

TEST(Dat, DividesByTheNumberOfCalls) {
  const Bytes bytes = DatBuilder()
                          .entry("blk.0.attn_q.weight", 4, {4, 8, 2, 0})
                          .entry("a", 0, {3, 5})
                          .entry("b", -7, {3, 5})
                          .entry("c", std::numeric_limits<std::int32_t>::max(), {0x1p31f, 0})
                          .chunks(9)
                          .dataset("text")
                          .build();
  const auto matrix = ImportanceMatrix::parse(bytes, "m.dat");
  EXPECT_EQ(matrix.size(), 4u);
  EXPECT_EQ(matrix.chunks(), 9u);
  EXPECT_EQ(matrix.dataset(), "text");
  EXPECT_EQ(row(matrix, "blk.0.attn_q.weight", 4), (Floats{1, 2, 0.5f, 0}));
  EXPECT_EQ(row(matrix, "a", 2), (Floats{3, 5}));
  EXPECT_EQ(row(matrix, "b", 2), (Floats{3, 5}));
  EXPECT_EQ(row(matrix, "c", 2), (Floats{1, 0}));
}

TEST(Dat, TheEndIsOptional) {
  const auto plain = DatBuilder().entry("a", 1, {1});
  for (const Bytes& bytes : {plain.build(), DatBuilder(plain).chunks(5).build(),
                             DatBuilder(plain).chunks(-5).dataset("").build()}) {
    const auto matrix = ImportanceMatrix::parse(bytes, "m.dat");
    EXPECT_EQ(matrix.size(), 1u);
    EXPECT_EQ(matrix.dataset(), "");
  }
  EXPECT_EQ(ImportanceMatrix::parse(DatBuilder(plain).chunks(5).build(), "").chunks(), 5u);
  EXPECT_EQ(ImportanceMatrix::parse(DatBuilder(plain).chunks(-5).build(), "").chunks(), 0u);
}

TEST(Dat, SharesItsValuesOutAmongTheTensorsExperts) {
  const Bytes bytes =
      DatBuilder().entry("blk.0.ffn_up_exps.weight", 2, {2, 4, 6, 8, 10, 12}).build();
  const auto matrix = ImportanceMatrix::parse(bytes, "m.dat");
  EXPECT_EQ(row(matrix, "blk.0.ffn_up_exps.weight", 2, 3, 0), (Floats{1, 2}));
  EXPECT_EQ(row(matrix, "blk.0.ffn_up_exps.weight", 2, 3, 2), (Floats{5, 6}));
  EXPECT_EQ(row(matrix, "blk.0.ffn_up_exps.weight", 3, 2, 1), (Floats{4, 5, 6}));
}

TEST(Dat, HostileNumbersAreRefused) {
  const auto head = [](std::int32_t entries, std::int32_t length) {
    Bytes bytes;
    put(bytes, entries);
    put(bytes, length);
    return bytes;
  };
  for (const std::int32_t bad : {0, -1, 2, std::numeric_limits<std::int32_t>::max()}) {
    Bytes bytes = DatBuilder().entry("name", 1, {1}).build();
    std::memcpy(bytes.data(), &bad, sizeof(bad));
    EXPECT_EQ(code_of(bytes), ErrorCode::imatrix_format) << bad;
  }
  for (const std::int32_t bad : {0, -1, 1000, std::numeric_limits<std::int32_t>::min()}) {
    Bytes bytes = head(1, bad);
    bytes.resize(100);
    EXPECT_EQ(code_of(bytes), ErrorCode::imatrix_format) << bad;
  }
  for (const std::int32_t bad : {0, -1, 3, std::numeric_limits<std::int32_t>::max()}) {
    Bytes bytes = DatBuilder().entry("name", 1, {1, 2}).build();
    std::memcpy(bytes.data() + 4 + 4 + 4 + 4, &bad, sizeof(bad));
    EXPECT_EQ(code_of(bytes), ErrorCode::imatrix_format) << bad;
  }
  for (const std::int32_t bad : {-1, 5, std::numeric_limits<std::int32_t>::max()}) {
    Bytes bytes = DatBuilder().entry("name", 1, {1, 2}).chunks(1).chunks(bad).build();
    EXPECT_EQ(code_of(bytes), ErrorCode::imatrix_format) << bad;
  }
  EXPECT_EQ(code_of(DatBuilder().entry("a", 1, {1}).entry("a", 1, {1}).build()),
            ErrorCode::imatrix_format);
  EXPECT_EQ(code_of(DatBuilder().entry("\xff", 1, {1}).build()), ErrorCode::imatrix_format);
  EXPECT_EQ(code_of({}), ErrorCode::imatrix_format);
}

TEST(Dat, NamesAreShownEscaped) {
  using namespace std::string_literals;
  for (const std::string& name : {"a\x1b[2J"s, "a\xc2\x9b"s, "a\nb"s, "a\0b"s, "a\xff"s}) {
    try {
      const Bytes bytes = DatBuilder().entry(name, 1, {1}).entry(name, 1, {1}).build();
      ImportanceMatrix::parse(bytes, "m.dat");
      ADD_FAILURE() << "twice the same name";
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find(name), std::string::npos) << text;
      EXPECT_NE(text.find("'a\\x"), std::string::npos) << text;
    }
  }
}

TEST(Dat, EveryTruncationIsRefusedExceptAtTheOptionalEnd) {
  const auto entries = DatBuilder().entry("first", 2, {1, 2}).entry("second", 3, {3});
  const std::size_t end = entries.build().size();
  const Bytes whole = DatBuilder(entries).chunks(7).dataset("set").build();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (size == end || size == end + 4) {
      EXPECT_EQ(ImportanceMatrix::parse(part, "m.dat").size(), 2u);
    } else {
      EXPECT_EQ(code_of(part), ErrorCode::imatrix_format) << size;
    }
  }
}

TEST(GgufForm, DividesEachExpertsSumsByItsCount) {
  GgufForm form;
  form.entry("blk.0.ffn_down_exps.weight", {2, 4, 0, 0, 30, 60}, {2, 0, 3});
  form.entry("blk.0.attn_q.weight", {5, 10, 15}, {5});
  form.file.strings("imatrix.datasets", {"one", "two"})
      .u32("imatrix.chunk_count", 300)
      .u32("imatrix.chunk_size", 512)
      .tensor("blk.0.attn_q.weight.in_sum", {3}, 0, bytes_of(Floats{1, 2, 3}));
  const Bytes bytes = form.build();
  const auto matrix = ImportanceMatrix::parse(bytes, "m.gguf");
  EXPECT_EQ(matrix.size(), 2u);
  EXPECT_EQ(matrix.dataset(), "one, two");
  EXPECT_EQ(matrix.chunks(), 300u);
  EXPECT_EQ(row(matrix, "blk.0.attn_q.weight", 3), (Floats{1, 2, 3}));
  const std::string experts = "blk.0.ffn_down_exps.weight";
  EXPECT_EQ(row(matrix, experts, 2, 3, 0), (Floats{1, 2}));
  EXPECT_EQ(row(matrix, experts, 2, 3, 1), (Floats{1, 1})) << "never seen: ones";
  EXPECT_EQ(row(matrix, experts, 2, 3, 2), (Floats{10, 20}));
}

// llama.cpp counts once for all heads of a dense three-dimensional tensor.
TEST(GgufForm, OneCountServesAllRows) {
  const Bytes bytes = GgufForm().entry("blk.0.attn_k_b.weight", {2, 4, 6, 8}, {2}).build();
  const auto matrix = ImportanceMatrix::parse(bytes, "m.gguf");
  EXPECT_EQ(row(matrix, "blk.0.attn_k_b.weight", 2, 2, 0), (Floats{1, 2}));
  EXPECT_EQ(row(matrix, "blk.0.attn_k_b.weight", 2, 2, 1), (Floats{3, 4}));
}

TEST(GgufForm, BrokenPairsAreRefused) {
  const Bytes one = bytes_of(Floats{1});
  const auto with = [&](const std::function<void(GgufBuilder&)>& add) {
    GgufForm form;
    form.entry("good", {1}, {1});
    add(form.file);
    return code_of(form.build());
  };
  EXPECT_EQ(with([](GgufBuilder&) {}), ErrorCode::interrupted);
  EXPECT_EQ(with([&](GgufBuilder& f) { f.tensor("a.in_sum2", {1}, 0, one); }),
            ErrorCode::imatrix_format);
  EXPECT_EQ(with([&](GgufBuilder& f) { f.tensor("a.counts", {1}, 0, one); }),
            ErrorCode::imatrix_format);
  EXPECT_EQ(with([&](GgufBuilder& f) {
              f.tensor("a.in_sum2", {1}, 0, one).tensor("a.counts", {2}, 1, one);
            }),
            ErrorCode::imatrix_format);
  EXPECT_EQ(with([&](GgufBuilder& f) {
              f.tensor("a.in_sum2", {3}, 0, Bytes(12)).tensor("a.counts", {2}, 0, Bytes(8));
            }),
            ErrorCode::imatrix_format);
  EXPECT_EQ(with([&](GgufBuilder& f) {
              f.tensor("a.in_sum2", {3}, 0, Bytes(12)).tensor("a.counts", {0}, 0, {});
            }),
            ErrorCode::imatrix_format);
  EXPECT_EQ(with([&](GgufBuilder& f) {
              f.tensor("a.in_sum2", {0}, 0, {}).tensor("a.counts", {1}, 0, one);
            }),
            ErrorCode::imatrix_format);
  EXPECT_EQ(code_of(GgufBuilder().tensor("output.weight", {1}, 0, one).build()),
            ErrorCode::imatrix_format)
      << "a model";
  Bytes cut = GgufForm().entry("a", {1}, {1}).build();
  cut.resize(cut.size() - 32);
  EXPECT_EQ(code_of(cut), ErrorCode::imatrix_format);
}

TEST(Formats, SameDataSameRows) {
  std::mt19937 random(7);
  const auto value = [&] { return static_cast<float>(random() % 1000) + 1.0f; };
  constexpr int kColumns = 8;
  const Floats counts{512, 0, 1024, 512};
  Floats sums;
  Floats values;
  for (const float count : counts) {
    for (int i = 0; i < kColumns; ++i) {
      sums.push_back(count == 0 ? 0 : value());
      values.push_back(count == 0 ? 4 : sums.back() / count * 4);
    }
  }
  const std::string name = "blk.1.ffn_down_exps.weight";
  const Bytes dat = DatBuilder().entry(name, 4, values).build();
  const Bytes gguf = GgufForm().entry(name, sums, counts).build();
  const auto a = ImportanceMatrix::parse(dat, "m.dat");
  const auto b = ImportanceMatrix::parse(gguf, "m.gguf");
  for (std::uint64_t expert = 0; expert < counts.size(); ++expert) {
    EXPECT_EQ(row(a, name, kColumns, counts.size(), expert),
              row(b, name, kColumns, counts.size(), expert));
  }
}

// llama.cpp wrote both from one run, but sums over chunks in one and over tokens in the other.
TEST(Formats, RealFilesAgree) {
  const std::string folder = SLUICE_TEST_DATA "/imatrix/";
  const Bytes dat = testing_support::read_file(folder + "tiny-llama.imatrix.dat");
  const Bytes gguf = testing_support::read_file(folder + "tiny-llama.imatrix.gguf");
  const auto a = ImportanceMatrix::parse(dat, "a");
  const auto b = ImportanceMatrix::parse(gguf, "b");
  EXPECT_EQ(a.size(), 57u);
  EXPECT_EQ(b.size(), 57u);
  EXPECT_EQ(a.chunks(), 300u);
  EXPECT_EQ(b.chunks(), 300u);
  EXPECT_EQ(a.dataset(), b.dataset());
  EXPECT_FALSE(a.dataset().empty());
  for (int layer = 0; layer < 8; ++layer) {
    for (const char* kind :
         {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_gate", "ffn_down"}) {
      const std::string name = "blk." + std::to_string(layer) + "." + kind + ".weight";
      const std::uint64_t n = kind == std::string("ffn_down") ? 768 : 256;
      const Floats left = row(a, name, n);
      const Floats right = row(b, name, n);
      ASSERT_EQ(left.size(), n) << name;
      ASSERT_EQ(right.size(), n) << name;
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        EXPECT_NEAR(left[i], right[i], 3e-7 * left[i]) << name << " " << i;
        sum += left[i];
      }
      EXPECT_GT(sum, 0) << name;
    }
  }
}

TEST(Rows, UnusableOnesCountAsOnes) {
  const Floats good{0, 0, 2, 0x1p-140f};
  const std::vector<Floats> bad{
      {0, 0, 0, 0}, {1, kNan, 1, 1}, {1, 1, 1, kInfinity}, {-1, 1, 1, 1}, {-kInfinity, 1, 1, 1}};
  for (const bool gguf : {false, true}) {
    for (const Floats& second : bad) {
      Floats both = good;
      both.insert(both.end(), second.begin(), second.end());
      const std::string name = "blk.0.ffn_up_exps.weight";
      const Bytes bytes = gguf ? GgufForm().entry(name, both, {1, 1}).build()
                               : DatBuilder().entry(name, 1, both).build();
      const auto matrix = ImportanceMatrix::parse(bytes, "m");
      const auto* entry = matrix.find(name, 4, 2);
      ASSERT_NE(entry, nullptr);
      Floats out(4);
      EXPECT_TRUE(matrix.read_row(*entry, 0, out));
      EXPECT_EQ(out, good);
      EXPECT_FALSE(matrix.read_row(*entry, 1, out));
      EXPECT_EQ(out, (Floats{1, 1, 1, 1}));
    }
  }
}

TEST(Rows, UnusableCountsGiveOnes) {
  for (const float count : {0.0f, -1.0f, kNan, kInfinity, 0x1p-149f}) {
    for (const Floats& sums : {Floats{3, 4}, Floats{-3, -4}}) {
      const Bytes bytes = GgufForm().entry("a", sums, {count}).build();
      const auto matrix = ImportanceMatrix::parse(bytes, "m");
      Floats out(2);
      EXPECT_FALSE(matrix.read_row(*matrix.find("a", 2, 1), 0, out)) << count;
      EXPECT_EQ(out, (Floats{1, 1})) << count;
    }
  }
}

TEST(Rows, ValuesThatAreNoNumbersAreRefusedAndBlankRowsCounted) {
  const auto checked = [](const Bytes& bytes) {
    const auto matrix = ImportanceMatrix::parse(bytes, "m");
    return matrix.check_values(*matrix.find("a", 2, 3), 2, "a");
  };
  EXPECT_EQ(checked(DatBuilder().entry("a", 1, {0, 1, 0, 0, 2, 3}).build()), 1u);
  EXPECT_EQ(checked(GgufForm().entry("a", {0, 1, 0, 0, 2, 3}, {1, 1, 0}).build()), 2u);
  const auto refused = [&](const Bytes& bytes) {
    try {
      checked(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.context().file, "m");
      EXPECT_EQ(error.context().tensor, "a");
      EXPECT_FALSE(error.context().cure.empty());
      return error.code() == ErrorCode::imatrix_format;
    }
    return false;
  };
  for (const float bad : {kNan, kInfinity, -kInfinity, -1.0f}) {
    EXPECT_TRUE(refused(DatBuilder().entry("a", 1, {1, 1, 1, 1, 1, bad}).build())) << bad;
    EXPECT_TRUE(refused(GgufForm().entry("a", {1, 1, 1, 1, 1, bad}, {1, 1, 1}).build())) << bad;
    EXPECT_TRUE(refused(GgufForm().entry("a", {1, 1, 1, 1, 1, 1}, {1, bad, 1}).build())) << bad;
  }
}

TEST(Find, ServesTensorsThatSeeTheSameActivations) {
  struct Case {
    const char* wanted;
    const char* given;
    std::uint64_t experts;
    std::size_t values;
  };
  for (const Case& c :
       {Case{"blk.0.ffn_gate", "blk.0.ffn_up", 1, 2}, Case{"blk.0.ffn_up", "blk.0.ffn_gate", 1, 2},
        Case{"blk.0.ffn_gate_shexp", "blk.0.ffn_up_shexp", 1, 2},
        Case{"blk.0.ffn_up_exps", "blk.0.ffn_gate_up_exps", 3, 6},
        Case{"blk.0.ffn_gate_exps", "blk.0.ffn_gate_up_exps", 3, 6},
        Case{"blk.0.ffn_gate_exps", "blk.0.ffn_up_exps", 3, 6},
        Case{"blk.0.ffn_gate_up_exps", "blk.0.ffn_gate_exps", 3, 6},
        Case{"blk.12.attn_v_b", "blk.12.attn_kv_b", 1, 2},
        Case{"blk.12.attn_v_b", "blk.12.attn_kv_b", 4, 2},  // a row for all heads
        Case{"blk.12.attn_kv_b", "blk.12.attn_v_b", 1, 2}}) {
    Floats values(c.values);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
    const std::string given = std::string(c.given) + ".weight";
    const std::string wanted = std::string(c.wanted) + ".weight";
    const Bytes bytes = DatBuilder().entry(given, 1, values).build();
    const auto matrix = ImportanceMatrix::parse(bytes, "m.dat");
    const auto last = static_cast<float>(values.size());
    EXPECT_EQ(row(matrix, wanted, 2, c.experts, c.experts - 1), (Floats{last - 1, last})) << wanted;
    // No substitute where the length does not fit, nor from another layer or for a bias.
    EXPECT_EQ(matrix.find(wanted, 3, c.experts), nullptr) << wanted;
    const std::string elsewhere = "blk.99" + wanted.substr(wanted.find('.', 4));
    EXPECT_EQ(matrix.find(elsewhere, 2, c.experts), nullptr) << elsewhere;
    EXPECT_EQ(matrix.find(std::string(c.wanted) + ".bias", 2, c.experts), nullptr) << wanted;
  }
}

TEST(Find, TheOwnEntryComesFirstThenTheMergedOne) {
  const auto up = DatBuilder().entry("blk.0.ffn_up_exps.weight", 1, {1, 1});
  const auto merged = DatBuilder(up).entry("blk.0.ffn_gate_up_exps.weight", 1, {2, 2});
  const auto own = DatBuilder(merged).entry("blk.0.ffn_gate_exps.weight", 1, {3, 3});
  for (const auto& [builder, expected] :
       {std::pair(up, 1.0f), std::pair(merged, 2.0f), std::pair(own, 3.0f)}) {
    const Bytes bytes = builder.build();
    const auto matrix = ImportanceMatrix::parse(bytes, "m.dat");
    EXPECT_EQ(row(matrix, "blk.0.ffn_gate_exps.weight", 2), (Floats{expected, expected}));
  }
  // A merged entry of another length is passed over.
  const Bytes bytes = DatBuilder(up).entry("blk.0.ffn_gate_up_exps.weight", 1, {2, 2, 2}).build();
  const auto matrix = ImportanceMatrix::parse(bytes, "m.dat");
  EXPECT_EQ(row(matrix, "blk.0.ffn_gate_exps.weight", 2), (Floats{1, 1}));
}

TEST(Find, AWrongLengthNamesTensorFoundAndWanted) {
  const Bytes bytes = DatBuilder()
                          .entry("blk.0.ffn_up_exps.weight", 1, Floats(96, 1))
                          .entry("token_embd.weight", 1, Floats(96, 1))
                          .build();
  const auto matrix = ImportanceMatrix::parse(bytes, "m.dat");
  EXPECT_NE(matrix.find("blk.0.ffn_up_exps.weight", 32, 3), nullptr);
  EXPECT_EQ(matrix.find("token_embd.weight", 32, 1), nullptr);
  // One row for several experts is no fit either: it would be that of another model.
  for (const auto& [n, experts] :
       {std::pair(32u, 2u), {96u, 2u}, {31u, 3u}, {1u << 31, 1u << 31}}) {
    try {
      matrix.find("blk.0.ffn_up_exps.weight", n, experts);
      ADD_FAILURE() << n << " x " << experts;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::imatrix_length);
      EXPECT_EQ(error.context().tensor, "blk.0.ffn_up_exps.weight");
      const std::string text = error.what();
      EXPECT_NE(text.find("96 values"), std::string::npos) << text;
      EXPECT_NE(text.find(std::to_string(std::uint64_t{n} * experts)), std::string::npos) << text;
    }
  }
  const Bytes split_counts = GgufForm().entry("a", {1, 2, 3, 4}, {1, 2}).build();
  EXPECT_THROW(ImportanceMatrix::parse(split_counts, "m").find("a", 4, 1), Error);
}

TEST(Hostile, RandomDamageIsAnErrorOrAnIndexWithinTheFile) {
  const Bytes dat = DatBuilder().entry("a.weight", 2, {1, 2}).chunks(1).dataset("x").build();
  const Bytes gguf = GgufForm().entry("a.weight", {1, 2}, {2}).build();
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = i % 2 == 0 ? dat : gguf;
    for (int flips = 1 + i % 3; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1 << random() % 8);
    }
    try {
      const auto matrix = ImportanceMatrix::parse(bytes, "m");
      const auto* entry = matrix.find("a.weight", 2, 1);
      if (entry == nullptr) continue;
      Floats out(2);
      matrix.read_row(*entry, 0, out);
      for (const float value : out) EXPECT_TRUE(std::isfinite(value) && value >= 0);
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::imatrix_format ||
                  error.code() == ErrorCode::imatrix_length)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace sluice
