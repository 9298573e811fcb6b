#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ldm {

// The prompt of the steps up to and including last_step (the first step is 1).
struct PromptPhase {
  int64_t last_step = 0;
  std::string text;
  bool operator==(const PromptPhase&) const = default;
};

// How a prompt changes while a picture is drawn in `steps` steps, in the syntax of AUTOMATIC1111's web UI:
//   [a:b:8]  a in steps 1 to 8, then b. Below 1 the number is a share of the steps: [a:b:.5]
//   [b:8]    nothing, then b
//   [a|b]    a, b, a, b, ...: another one at each step
// Brackets nest; what fits no rule is text. A prompt with a "|" outside brackets, or one that ends in a lone
// "\", is text altogether. Throws kUsage for more than 100 open brackets or steps < 1. Never empty; the last
// phase ends at `steps`.
std::vector<PromptPhase> parse_prompt_schedule(std::string_view prompt, int64_t steps);

}  // namespace ldm
