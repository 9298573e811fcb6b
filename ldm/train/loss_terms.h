#pragma once

#include <torch/types.h>

#include <map>
#include <string>

namespace ldm {

// A loss to call backward() on and what the original logs, without prefix; log entries are detached scalars
// on the loss's device, so that reading them is the caller's choice of when to wait.
struct LossTerms {
  torch::Tensor loss;
  std::map<std::string, torch::Tensor> log;
};

}  // namespace ldm
