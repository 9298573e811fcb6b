#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "ldm/data/dataset.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/state_dict.h"
#include "ldm/train/run_config.h"

namespace ldm {

// Keeps the codebook of a VQ model in use while it is trained: codes begin as the k-means centres of training
// latents, and codes that no latent is nearest to are moved onto latents now and then (both as in Jukebox:
// Dhariwal et al. 2020, Sec. 3.1; Lancucki et al. 2020). Usage is counted afresh on training pictures each
// time, so there is nothing to save: what happens at a step is a function of the weights, the seed and the
// step.
class CodebookKeeper {
 public:
  // `data`: the training pictures. `every`: steps between restarts, 0: never.
  CodebookKeeper(const VQModel& model, DatasetPtr data, at::Device device, uint64_t seed, int64_t every);

  // Puts the codes onto the training latents.
  void start() const;

  // Whether codes are to be restarted before this step.
  bool due(int64_t step) const { return every_ > 0 && step > 0 && step % every_ == 0; }

  // Moves unused codes; returns how many. `average` and `moments` are changed with them: tensors [K, C] of
  // the codebook's shape that share memory with the average of the weights (set to the code) and with the
  // optimizer (set to zero).
  int64_t restart(int64_t step, const torch::Tensor& average,
                  const std::vector<torch::Tensor>& moments) const;

  // Fraction of the codes that these pictures use.
  double used_fraction(const Dataset& data, const std::vector<int64_t>& indices) const;

 private:
  torch::Tensor points(const Dataset& data, const std::vector<int64_t>& indices) const;
  torch::Tensor drawn_points(int64_t per_code, int64_t step) const;

  const VQModel& model_;
  DatasetPtr data_;
  at::Device device_;
  uint64_t seed_;
  int64_t every_;
};

}  // namespace ldm
