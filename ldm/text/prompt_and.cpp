#include "ldm/text/prompt_and.h"

#include "ldm/core/utf8.h"
#include "ldm/text/prompt_words.h"

namespace ldm {
namespace {

PromptTerm parse_term(std::u32string_view part) {
  const auto spelled = [](std::u32string_view text, double weight) {
    return PromptTerm{encode_utf8(text), weight};
  };
  const auto body = trim_start(part);
  const auto lead = part.substr(0, part.size() - body.size());
  auto text = trim_end(body);
  double weight = 1.0;
  if (const size_t colon = text.rfind(U':'); colon != text.npos) {
    if (const auto number = parse_weight(trim_start(text.substr(colon + 1)))) {
      weight = *number;
      text = trim_end(text.substr(0, colon));
    }
  }
  if (text.find(U'\n') != text.npos) return spelled(part, 1.0);
  return spelled(part.substr(0, lead.size() + text.size()), weight);
}

}  // namespace

std::vector<PromptTerm> parse_prompt_terms(std::string_view prompt) {
  constexpr std::u32string_view kAnd = U"AND";
  const std::u32string whole = decode_utf8(prompt);
  std::u32string_view rest = whole;
  std::vector<PromptTerm> terms;
  for (size_t at = find_whole_word(rest, kAnd); at != rest.npos; at = find_whole_word(rest, kAnd)) {
    terms.push_back(parse_term(rest.substr(0, at)));
    rest.remove_prefix(at + kAnd.size());
  }
  terms.push_back(parse_term(rest));
  return terms;
}

}  // namespace ldm
