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
#include "ldm/nn/efficientnet.h"
#include "ldm/nn/lpips.h"

namespace ldm {
namespace {

// Which network the file holds is seen from its names: LPIPS has `lin0...`, EfficientNet-Lite0 a `stem`.
PerceptualFn open_perceptual(const std::string& path) {
  if (path.empty()) return {};
  const auto file = read_tensor_file(path);
  if (file.tensors.contains("stem.weight")) {
    const auto network = EfficientNetPerceptual::from_file(path);
    return [network](const torch::Tensor& x, const torch::Tensor& y) { return network->forward(x, y); };
  }
  const auto network = std::make_shared<Lpips>();
  const auto report = load_state_dict(*network, file.tensors);
  check(report.ok(), ErrorKind::kFormat, path, ": neither EfficientNet-Lite0 nor LPIPS weights\n",
        report.table());
  network->eval();
  return [network](const torch::Tensor& x, const torch::Tensor& y) { return network->forward(x, y); };
}

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

torch::Tensor disturbed(const torch::Tensor& latents, const torch::Tensor& noise, double strength) {
  return strength > 0 ? latents + strength * noise : latents;
}

class KlObjective : public AutoencoderObjective {
 public:
  explicit KlObjective(const FirstStageOptions& o)
      : latent_noise_(o.latent_noise),
        stage_(std::make_shared<AutoencoderKL>(o.ddconfig, o.embed_dim)),
        loss_(std::make_shared<LpipsWithDiscriminator>(
            read_loss<LpipsWithDiscriminatorOptions>(o.lossconfig, Target::kKlLoss),
            open_perceptual(o.perceptual))) {}

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
        stage_(std::make_shared<VQModel>(o.ddconfig,
                                         VectorQuantizerOptions{.n_e = o.n_embed, .e_dim = o.embed_dim})),
        loss_(std::make_shared<VqLpipsWithDiscriminator>(
            read_loss<VqLpipsWithDiscriminatorOptions>(o.lossconfig, Target::kVqLoss),
            open_perceptual(o.perceptual))) {}

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
  check(options.n_embed > 0, "model.params.n_embed: expected the size of the codebook, got ",
        options.n_embed);
  return std::make_unique<VqObjective>(options);
}

}  // namespace ldm
