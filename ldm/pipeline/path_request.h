#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ldm {

// How two tensors are mixed.
enum class MixRule {
  kLerp,   // Along the line between them.
  kSlerp,  // Along the great circle through both, as whole tensors.
};

// A prompt and a seed.
struct PathPlace {
  std::string prompt;
  uint64_t seed = 0;
};

// A way from place to place. The pictures of a request lie on it at equal distances.
struct PathRequest {
  std::vector<PathPlace> places;  // Two or more; none: there is no way, and the request's own prompt and
                                  // seed count.
  bool closed = false;            // It goes back to the first place, one step before which it ends.
  MixRule mix = MixRule::kLerp;   // Of what the prompts become. Noise goes along the great circle always.

  bool empty() const { return places.empty(); }
};

}  // namespace ldm
