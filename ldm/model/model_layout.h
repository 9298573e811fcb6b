#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ldm/config/node.h"

namespace ldm {

struct TensorShape {
  std::string name;            // In the model file: "model.diffusion_model.out.2.bias".
  std::vector<int64_t> shape;  // Empty for a scalar.

  int64_t numel() const;
};

// One network inside a model.
struct ModelPart {
  std::string name;    // What its tensors' names begin with: "model.diffusion_model".
  std::string target;  // Short name, see targets.h.
  std::vector<TensorShape> tensors;

  int64_t parameters() const;  // Numbers in all its tensors.
};

// What a configuration builds.
struct ModelLayout {
  std::string target;            // Of the whole: latent_diffusion, autoencoder_kl, vq_model.
  std::vector<ModelPart> parts;  // Parts without tensors are left out.
};

// Builds every network of a run's YAML (its `model` section) on the meta device: names and shapes without
// memory, SDXL in a moment. A first stage that lies in a file of its own is left out. Throws kUsage for
// unknown targets and keys (with the nearest name and the place), and for settings that fit no network.
ModelLayout lay_out_model(const Node& config);

}  // namespace ldm
