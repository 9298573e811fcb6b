#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// A piece of a prompt and how strongly it counts.
struct PromptPart {
  std::string text;
  double weight = 1.0;

  // The mark that the word BREAK leaves behind: what follows begins a new chunk.
  bool is_break() const { return text == "BREAK" && weight == -1.0; }
  bool operator==(const PromptPart&) const = default;
};

// The weights of a prompt in the syntax of AUTOMATIC1111's web UI:
//   (a)      1.1 times as strong; brackets multiply: ((a)) 1.21
//   (a:1.3)  1.3 times; the number follows the colon and is followed by ")" without a space
//   [a]      1 / 1.1 times
//   \( \) \[ \] \\   the character itself; any other backslash vanishes
//   BREAK    as a whole word: a mark, without the white space around it. Inside weighted brackets it stays a
//   word.
// A bracket that is never closed acts to the end, one that was never opened is text. Neighbours of equal
// weight are one part. Never empty: a prompt without text is one empty part. Any bytes are allowed.
std::vector<PromptPart> parse_prompt_weights(std::string_view prompt);

// The prompt as one part of weight 1, to be read as it stands.
std::vector<PromptPart> plain_prompt(std::string_view prompt);

}  // namespace ldm
