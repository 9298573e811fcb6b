#pragma once

#include <torch/types.h>

#include <string_view>

#include "ldm/model/conditioner.h"

namespace ldm {

// How the condition enters the network (Rombach et al. 2022, Sec. 3.3): which parts of a Conditioning there
// are. The original's `conditioning_key` names the combinations.
struct Wiring {
  bool concat = false;   // Appended to the channels of x.
  bool context = false;  // Looked at by cross-attention.
  bool y = false;        // Added to the time embedding.

  bool any() const { return concat || context || y; }
};

// "" or none, concat, crossattn, hybrid (both), adm (y alone), crossattn-adm, hybrid-adm. Throws kUsage with
// the nearest name.
Wiring parse_wiring(std::string_view conditioning_key);

// Throws kUsage unless the conditioning has exactly the wired parts.
void check_wired(const Wiring& wiring, const Conditioning& condition);

// What goes into the network: x [N, C, H, W] with the condition's map, if there is one, behind its channels.
torch::Tensor network_input(const torch::Tensor& x, const Conditioning& condition);

}  // namespace ldm
