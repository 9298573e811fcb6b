#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ldm/nn/state_dict.h"

namespace ldm {

// Parameters with the names they have in a checkpoint, in the module's order.
using NamedParameters = std::vector<std::pair<std::string, torch::Tensor>>;

// The trainable parameters of a module, recursively, each name with the prefix in front.
NamedParameters named_parameters(const torch::nn::Module& module, const std::string& prefix = "");

struct AdamWOptions {
  double beta1 = 0.9;    // Decay of the running mean of the gradient, in [0, 1).
  double beta2 = 0.999;  // Decay of the running mean of its square, in [0, 1).
  double eps = 1e-8;     // Added to the root of the second moment.
  double weight_decay =
      0.01;               // AdamW: fraction of lr by which weights shrink per step; Adam: added L2 gradient.
  bool decoupled = true;  // True: AdamW (Loshchilov & Hutter 2019). False: Adam (Kingma & Ba 2015).
  bool decay_1d = true;   // False: no weight decay on parameters with fewer than two dimensions.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("beta1", beta1, "decay of the running mean of the gradient");
    visit("beta2", beta2, "decay of the running mean of the squared gradient");
    visit("eps", eps, "added to the root of the second moment");
    visit("weight_decay", weight_decay, "weight decay");
    visit("decoupled", decoupled, "true: AdamW; false: Adam, where the decay is a part of the gradient");
    visit("decay_1d", decay_1d, "false: biases and normalisation weights are not decayed");
  }
};

// Parameters that share a factor on the learning rate (e.g. VQModel's lr_g_factor).
struct ParameterGroup {
  NamedParameters parameters;
  double lr_factor = 1.0;
};

// Adam and AdamW on the fused CPU and CUDA kernels that torch.optim uses with fused=True. Parameters are
// shared with the model and changed in place; all must be of one device and one floating dtype.
class AdamW {
 public:
  // Throws kUsage for an empty list, doubled names, mixed devices or dtypes, and options out of range.
  AdamW(NamedParameters parameters, const AdamWOptions& options = {});
  AdamW(std::vector<ParameterGroup> groups, const AdamWOptions& options = {});

  // One update at learning rate lr >= 0. Parameters without a gradient are left alone, their state too.
  void step(double lr);
  // Drops all gradients: they are undefined until the next backward.
  void zero_grad();

  // Every parameter's `<name>.exp_avg`, `<name>.exp_avg_sq` and `<name>.step` (float32 scalar on the CPU).
  // The tensors share memory with this optimizer.
  StateDict state() const;
  // Copies such a state in; training then goes on bit for bit as if never interrupted. Throws kFormat naming
  // the first missing, unexpected or mis-shaped tensor.
  void load_state(const StateDict& state);

  // All parameters, in order.
  std::vector<torch::Tensor> parameters() const;
  const AdamWOptions& options() const { return options_; }

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter, exp_avg, exp_avg_sq, step;
    double lr_factor = 1.0, weight_decay = 0.0;
  };
  void add_group(const ParameterGroup& group);
  void update(const std::vector<Slot*>& slots, double lr);

  AdamWOptions options_;
  std::vector<Slot> slots_;
};

// Scales all gradients in place so that their joint L2 norm is at most max_norm (> 0; infinity only
// measures), as torch.nn.utils.clip_grad_norm_ does. Returns the norm before scaling, with one host
// synchronisation; a norm that is not finite is returned and the gradients are left alone. 0 without any
// gradient.
double clip_grad_norm(const std::vector<torch::Tensor>& parameters, double max_norm);

}  // namespace ldm
