#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "ldm/diffusion/gradient_guidance.h"
#include "ldm/diffusion/schedule.h"
#include "ldm/nn/encoder_unet.h"

namespace ldm {

// A classifier that was trained on noisy latents (Dhariwal & Nichol 2021, Sec. 4), for classifier guidance.
class NoisyClassifier {
 public:
  NoisyClassifier(std::shared_ptr<EncoderUNet> network, const EncoderUNetOptions& options);

  int64_t classes() const { return classes_; }
  int64_t channels() const { return channels_; }  // Of the latents that it reads.
  void to(at::Device device);

  // log p(label | x) of x = clean + sigma noise, asked at the timesteps of `schedule`. Throws kUsage unless
  // 0 <= label < classes().
  LogProb log_prob(const NoiseSchedule& schedule, int64_t label) const;

 private:
  std::shared_ptr<EncoderUNet> network_;
  int64_t classes_, channels_;
};

// From a file of its weights, alone or under model.* as in the original's classifier runs. The configuration
// (model.target: encoder_unet, model.params: see EncoderUNetOptions) stands in the metadata of a safetensors
// file as ldm.config, or beside the file: classifier.ckpt, classifier.yaml. Throws kData when it cannot be
// read, kFormat when weights and configuration do not fit, kUsage for a wrong configuration.
std::shared_ptr<NoisyClassifier> load_noisy_classifier(const std::filesystem::path& path);

}  // namespace ldm
