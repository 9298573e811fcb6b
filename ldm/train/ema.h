#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "ldm/nn/state_dict.h"
#include "ldm/train/adamw.h"

namespace ldm {

struct EmaOptions {
  double decay = 0.9999;  // Upper bound of the decay, in [0, 1].
  bool use_num_updates =
      true;  // True: the decay grows as (1 + n) / (10 + n) up to `decay`. False: it is constant.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("decay", decay, "upper bound of the decay of the averaged weights");
    visit("use_num_updates", use_num_updates, "let the decay grow as (1 + n) / (10 + n) at first");
  }
};

// Exponential moving average of parameters, as LitEma of the original (ldm/modules/ema.py): the n-th update,
// n from 1, does shadow -= (1 - d) (shadow - p) with d = min(decay, (1 + n) / (10 + n)). The average starts
// as a copy and is kept in float32 on the parameters' device (float64 parameters: in float64).
class LitEma {
 public:
  // Shares the parameters (to read them) and copies their values. Throws kUsage for a decay outside [0, 1].
  LitEma(NamedParameters parameters, const EmaOptions& options = {});

  // Takes the parameters' present values in. Throws kUsage while swapped.
  void update();

  int64_t num_updates() const { return num_updates_; }
  // The decay that the latest update used; 0 before the first.
  double last_decay() const { return last_decay_; }
  // The averages under the parameters' names. They share memory with this object.
  StateDict shadow() const;

  // shadow() plus the scalars `decay` (float32) and `num_updates` (int64), as in the original's checkpoints.
  StateDict state() const;
  // Copies such a state in, the decay too. Throws kFormat naming the first missing, unexpected or mis-shaped
  // tensor.
  void load_state(const StateDict& state);

  // While it lives, the parameters hold the averages (the original's ema_scope).
  class Swap {
   public:
    explicit Swap(LitEma& ema);
    ~Swap();
    Swap(const Swap&) = delete;
    Swap& operator=(const Swap&) = delete;

   private:
    LitEma& ema_;
    std::vector<torch::Tensor> kept_;
  };
  // Throws kUsage when already swapped.
  [[nodiscard]] Swap swap() { return Swap(*this); }

 private:
  NamedParameters parameters_;
  std::vector<torch::Tensor> shadow_;
  float decay_;
  bool use_num_updates_;
  int64_t num_updates_ = 0;
  double last_decay_ = 0.0;
  bool swapped_ = false;
};

}  // namespace ldm
