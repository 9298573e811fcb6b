#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ldm {

struct PromptTerm {
  std::string text;
  double weight = 1.0;
  bool operator==(const PromptTerm&) const = default;
};

// The prompts that the word AND joins ("a cat :1.2 AND a dog"), each with the number after its last colon as
// weight, 1 without one (composable diffusion, Liu et al. 2022, in the syntax of AUTOMATIC1111's web UI).
// Guidance takes them together: D = D_u + scale * sum_i w_i (D_i - D_u). A text loses the white space at its
// end; one that has a line break inside stays as it is, its number included. Never empty.
std::vector<PromptTerm> parse_prompt_terms(std::string_view prompt);

}  // namespace ldm
