#include "ldm/text/prompt_weights.h"

#include <algorithm>
#include <optional>

#include "ldm/core/utf8.h"
#include "ldm/text/prompt_words.h"

namespace ldm {
namespace {

constexpr double kRound = 1.1, kSquare = 1 / 1.1;

// A ":1.3)" at the beginning of the text: its size, and the weight if it spells one.
struct WeightMark {
  size_t size = 0;
  double weight = 1.0;
};

WeightMark weight_mark(std::u32string_view text) {
  const size_t sign = text.size() > 1 && (text[1] == U'+' || text[1] == U'-') ? 2 : 1;
  const size_t end = text.find_first_not_of(U".0123456789", sign);
  if (end == text.npos || text[end] != U')') return {};
  const auto weight = parse_weight(text.substr(1, end - 1));
  return weight ? WeightMark{end + 1, *weight} : WeightMark{};
}

class WeightParser {
 public:
  std::vector<PromptPart> parse(std::u32string_view text) {
    while (!text.empty()) text.remove_prefix(step(text));
    for (const size_t open : round_) multiply(open, kRound);
    for (const size_t open : square_) multiply(open, kSquare);
    if (parts_.empty()) parts_.push_back({});
    return merged();
  }

 private:
  // Takes one token from the beginning of the text; returns its size.
  size_t step(std::u32string_view text) {
    const char32_t c = text[0];
    if (c == U'\\') {
      const bool escape = text.size() > 1 && std::u32string_view(U"()[]\\").find(text[1]) != text.npos;
      add(escape ? text.substr(1, 1) : std::u32string_view());
      return escape ? 2 : 1;
    }
    if (c == U'(' || c == U'[') {
      (c == U'(' ? round_ : square_).push_back(parts_.size());
      return 1;
    }
    if (c == U')' && close(round_, kRound)) return 1;
    if (c == U']' && close(square_, kSquare)) return 1;
    if (c == U':') {
      const WeightMark mark = weight_mark(text);
      if (mark.size > 0 && close(round_, mark.weight)) return mark.size;
      add_words(text.substr(0, std::max<size_t>(mark.size, 1)));
      return std::max<size_t>(mark.size, 1);
    }
    const size_t size = c == U')' || c == U']' ? 1 : std::min(text.find_first_of(U"\\()[]:"), text.size());
    add_words(text.substr(0, size));
    return size;
  }

  void add(std::u32string_view text) { parts_.push_back({encode_utf8(text), 1.0}); }

  void add_words(std::u32string_view text) {
    constexpr std::u32string_view kBreak = U"BREAK";
    for (size_t at = find_whole_word(text, kBreak); at != text.npos; at = find_whole_word(text, kBreak)) {
      add(trim_end(text.substr(0, at)));
      parts_.push_back({"BREAK", -1.0});
      text = trim_start(text.substr(at + kBreak.size()));
    }
    add(text);
  }

  bool close(std::vector<size_t>& open, double factor) {
    if (open.empty()) return false;
    multiply(open.back(), factor);
    open.pop_back();
    return true;
  }

  void multiply(size_t first, double factor) {
    for (size_t i = first; i < parts_.size(); ++i) parts_[i].weight *= factor;
  }

  std::vector<PromptPart> merged() const {
    std::vector<PromptPart> out;
    for (const PromptPart& part : parts_) {
      if (!out.empty() && out.back().weight == part.weight) {
        out.back().text += part.text;
      } else {
        out.push_back(part);
      }
    }
    return out;
  }

  std::vector<PromptPart> parts_;
  std::vector<size_t> round_, square_;  // Open brackets: the number of parts before each.
};

}  // namespace

std::vector<PromptPart> parse_prompt_weights(std::string_view prompt) {
  return WeightParser().parse(decode_utf8(prompt));
}

std::vector<PromptPart> plain_prompt(std::string_view prompt) { return {{std::string(prompt), 1.0}}; }

}  // namespace ldm
