#include "base/text_cutter.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <limits>
#include <new>
#include <stdexcept>

namespace sluice {
namespace {

pcre2_code* compile_cutter(const std::string& pattern) {
  int error = 0;
  std::size_t at = 0;
  pcre2_code* const code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY, &error, &at, nullptr);
  if (code == nullptr) throw std::logic_error("no regular expression: " + pattern);
  return code;
}

// What one search keeps for the next.
class Search {
 public:
  Search()
      : data_(pcre2_match_data_create(1, nullptr)), limits_(pcre2_match_context_create(nullptr)) {
    if (data_ == nullptr || limits_ == nullptr) throw std::bad_alloc();
    // A run of one kind of character may be as long as the text.
    pcre2_set_match_limit(limits_.get(), std::numeric_limits<std::uint32_t>::max());
  }

  struct Found {
    std::size_t begin;
    std::size_t end;
  };

  /// The next match from `at` on; what is left of the text, empty, if there is none.
  Found next(const pcre2_code* code, std::string_view text, std::size_t at) {
    const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                                   PCRE2_NO_UTF_CHECK, data_.get(), limits_.get());
    if (result == PCRE2_ERROR_NOMATCH) return {text.size(), text.size()};
    if (result == PCRE2_ERROR_NOMEMORY || result == PCRE2_ERROR_HEAPLIMIT) throw std::bad_alloc();
    if (result < 0) throw std::logic_error("a text that is not UTF-8 was to be cut");
    const PCRE2_SIZE* const found = pcre2_get_ovector_pointer(data_.get());
    return {found[0], found[1]};
  }

 private:
  struct Free {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* limits) const { pcre2_match_context_free(limits); }
  };
  std::unique_ptr<pcre2_match_data, Free> data_;
  std::unique_ptr<pcre2_match_context, Free> limits_;
};

}  // namespace

void TextCutter::Free::operator()(pcre2_code* code) const {
  pcre2_code_free(code);
}

TextCutter::TextCutter(const std::string& pattern) : code_(compile_cutter(pattern)) {}

void TextCutter::cut(std::string_view text, std::vector<std::size_t>& lengths) const {
  Search search;
  for (std::size_t at = 0; at < text.size();) {
    const auto [begin, end] = search.next(code_.get(), text, at);
    if (begin > at) lengths.push_back(begin - at);
    if (end > begin) lengths.push_back(end - begin);
    at = end;
  }
}

}  // namespace sluice
