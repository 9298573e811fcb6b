#include "ldm/train/autoencoder_objective.h"

#include <ATen/ATen.h>

#include <string>
#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/targets.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/train/task_common.h"

namespace ldm {
namespace {

template <typename Options>
Options read_loss(const Node& config, Target expected) {
  const std::string where = "model.params.lossconfig";
  const auto target = parse_target(config.at("target").text(), where + ".target");
  check(target == expected, where, ".target: expected ", to_string(expected), ", got '", to_string(target),
        "'");
  Options options;
  read_options(config.at("params"), options, where + ".params");
  return options;
}

template <typename Loss>
std::shared_ptr<Loss> make_loss(const FirstStageOptions& o, Target target) {
  const auto options = read_loss<typename Loss::Options>(o.lossconfig, target);
  if (!o.perceptual.empty()) check_named_file(o.perceptual, "model.params.perceptual");
  return std::make_shared<Loss>(options, o.perceptual.empty()
                                             ? PerceptualFn()
                                             : open_perceptual(o.perceptual, options.perceptual_dropout));
}

torch::Tensor disturbed(const torch::Tensor& latents, const torch::Tensor& noise, double strength) {
  return strength > 0 ? latents + strength * noise : latents;
}

class KlObjective : public AutoencoderObjective {
 public:
  explicit KlObjective(const FirstStageOptions& o)
      : latent_noise_(o.latent_noise),
        stage_(std::make_shared<AutoencoderKL>(o.ddconfig, o.embed_dim)),
        loss_(make_loss<LpipsWithDiscriminator>(o, Target::kKlLoss)) {}

  Reconstruction reconstruct(const torch::Tensor& images, const torch::Tensor& posterior_noise,
                             const torch::Tensor& latent_noise) const override {
    const auto posterior = stage_->posterior(images);
    const auto latents = disturbed(posterior.sample(posterior_noise), latent_noise, latent_noise_);
    return {.images = images, .result = stage_->decode(latents), .regulariser = posterior.kl()};
  }
  LossTerms generator_loss(const Reconstruction& pass, int64_t step) const override {
    return loss_->generator_step(pass.images, pass.result, pass.regulariser, stage_->last_layer(), step);
  }
  FirstStage& first_stage() const override { return *stage_; }
  AdversarialLoss& loss() const override { return *loss_; }
  LinearShortcut* shortcut() const override { return stage_->shortcut(); }

 private:
  double latent_noise_;
  std::shared_ptr<AutoencoderKL> stage_;
  std::shared_ptr<LpipsWithDiscriminator> loss_;
};

class VqObjective : public AutoencoderObjective {
 public:
  explicit VqObjective(const FirstStageOptions& o)
      : latent_noise_(o.latent_noise),
        stage_(std::make_shared<VQModel>(o.ddconfig, quantizer_options(o, "model.params"))),
        loss_(make_loss<VqLpipsWithDiscriminator>(o, Target::kVqLoss)) {}

  Reconstruction reconstruct(const torch::Tensor& images, const torch::Tensor&,
                             const torch::Tensor& latent_noise) const override {
    const auto quantized = stage_->quantize(disturbed(stage_->encode(images), latent_noise, latent_noise_));
    return {.images = images,
            .result = stage_->decode_quantized(quantized.latents),
            .regulariser = quantized.loss};
  }
  LossTerms generator_loss(const Reconstruction& pass, int64_t step) const override {
    return loss_->generator_step(pass.images, pass.result, pass.regulariser, stage_->last_layer(), step);
  }
  FirstStage& first_stage() const override { return *stage_; }
  AdversarialLoss& loss() const override { return *loss_; }
  LinearShortcut* shortcut() const override { return stage_->shortcut(); }

 private:
  double latent_noise_;
  std::shared_ptr<VQModel> stage_;
  std::shared_ptr<VqLpipsWithDiscriminator> loss_;
};

}  // namespace

std::unique_ptr<AutoencoderObjective> make_autoencoder_objective(const ModelSection& model) {
  FirstStageOptions options;
  read_options(model.params, options, "model.params");
  const auto target = parse_target(model.target, "model.target");
  if (target == Target::kAutoencoderKl) return std::make_unique<KlObjective>(options);
  check(target == Target::kVqModel, "model.target: expected autoencoder_kl or vq_model, got '",
        to_string(target), "'");
  return std::make_unique<VqObjective>(options);
}

}  // namespace ldm
