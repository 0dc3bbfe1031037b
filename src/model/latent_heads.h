#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "model/latent_attention.h"

namespace sluice::model {

/// Numbers of a head or a token.
struct LatentLengths {
  std::size_t heads;
  std::size_t plain;    ///< of a query, without positions
  std::size_t rotated;  ///< and with them
  std::size_t latent;   ///< shared by all heads
  std::size_t value;
  std::size_t few;  ///< that queries are made of; 0: of all

  explicit LatentLengths(const LatentParts& parts)
      : heads(parts.heads),
        plain(parts.keys.columns),
        rotated(2 * parts.rope.frequencies.size()),
        latent(parts.keys.rows),
        value(parts.values.rows),
        few(parts.query_latent ? parts.query.columns : 0) {}

  std::size_t query() const { return plain + rotated; }
  std::size_t key() const { return latent + rotated; }
};

/// What the matrix of a head is multiplied by.
Input input_of_head(const Projection& projection, std::uint64_t number);

/// The matrices of one head, at hand.
class OpenHead {
 public:
  /// Watched each by itself.
  OpenHead(const Run& run, const LatentParts& parts, std::uint64_t number);

  /// Parts of the one for all heads, which is watched as such.
  OpenHead(const Run& run, const LatentLengths& n,
           const std::shared_ptr<const linear::Rows>& joined, float scale, std::uint64_t number);

  /// Queries become what is compared with the shared numbers.
  void widen(const linear::ConstMatrix& query, const linear::Matrix& wide,
             const TokenRows& tokens) const {
    if (query_) query_->see(query, tokens);
    keys_.apply(query, wide, tokens);
  }
  /// Shared numbers become values.
  void narrow(const linear::ConstMatrix& mixed, const linear::Matrix& values,
              const TokenRows& tokens) const {
    if (mixed_) mixed_->see(mixed, tokens);
    values_.apply(mixed, values, tokens);
  }
  void finish() const {
    if (query_) query_->finish();
    if (mixed_) mixed_->finish();
  }

 private:
  OpenProjection keys_;
  OpenProjection values_;
  std::optional<Watched> query_;
  std::optional<Watched> mixed_;
};

std::vector<OpenHead> open_heads(const Run& run, const LatentParts& parts, const LatentLengths& n);

}  // namespace sluice::model
