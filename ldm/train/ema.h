#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/nn/state_dict.h"
#include "ldm/train/adamw.h"

namespace ldm {

struct EmaOptions {
  std::string kind = "litema";  // litema (the original's), half_life (EDM) or power (EDM2).
  double decay = 0.9999;        // litema: upper bound of the decay, in [0, 1]. 0: no average.
  // litema. True: the decay grows as (1 + n) / (10 + n) up to `decay`. False: it is constant.
  bool use_num_updates = true;
  double half_life = 500e3;   // half_life: pictures after which a weight counts half.
  double ramp_up = 0.05;      // half_life: at most this fraction of the pictures so far.
  double sigma_rel = 0.1;     // power: relative width of the profile (Karras et al. 2024).
  bool per_batch = false;     // Average after every batch instead of every step, as the original.
  bool network_only = false;  // Stage two: leave out the condition's encoder, as the original.

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, "litema (the original's), half_life (EDM) or power (EDM2)");
    visit("decay", decay, "litema: upper bound of the decay of the averaged weights; 0: no average");
    visit("use_num_updates", use_num_updates, "litema: let the decay grow as (1 + n) / (10 + n) at first");
    visit("half_life", half_life, "half_life: pictures after which a weight counts half");
    visit("ramp_up", ramp_up, "half_life: at most this fraction of the pictures so far");
    visit("sigma_rel", sigma_rel, "power: relative width of the average");
    visit("per_batch", per_batch, "average after every batch instead of every step, as the original");
    visit("network_only", network_only, "stage two: leave out the condition's encoder, as the original");
  }
};

// Exponential moving average of parameters, as LitEma of the original (ldm/modules/ema.py): the n-th update,
// n from 1, does shadow -= (1 - d) (shadow - p) with d = min(decay, (1 + n) / (10 + n)). The average starts
// as a copy and is kept in float32 on the parameters' device (float64 parameters: in float64). The other
// kinds differ in d alone (see ema_profile.h).
class LitEma {
 public:
  // Shares the parameters (to read them) and copies their values. images_per_update: what half_life counts.
  // Throws kUsage for an unknown kind and values out of range.
  LitEma(NamedParameters parameters, const EmaOptions& options = {}, int64_t images_per_update = 1);

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
  float next_decay() const;

  NamedParameters parameters_;
  EmaOptions options_;
  double images_per_update_;
  double gamma_ = 0.0;  // power: the profile's exponent.
  std::vector<torch::Tensor> shadow_;
  float decay_;
  int64_t num_updates_ = 0;
  double last_decay_ = 0.0;
  bool swapped_ = false;
};

}  // namespace ldm
