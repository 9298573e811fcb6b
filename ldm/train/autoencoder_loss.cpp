#include "ldm/train/autoencoder_loss.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/diff.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include <utility>
#include <vector>

#include "ldm/core/error.h"

namespace ldm {
namespace {

torch::Tensor scalar_like(double value, const torch::Tensor& like) {
  return at::scalar_tensor(value, like.options().requires_grad(false));
}

// Keeps gradients out of a module's parameters: the generator's step has no use for the discriminator's.
class FrozenScope {
 public:
  explicit FrozenScope(torch::nn::Module& module) {
    for (auto& parameter : module.parameters()) {
      if (parameter.requires_grad()) frozen_.push_back(parameter.requires_grad_(false));
    }
  }
  ~FrozenScope() {
    for (auto& parameter : frozen_) parameter.requires_grad_(true);
  }
  FrozenScope(const FrozenScope&) = delete;
  FrozenScope& operator=(const FrozenScope&) = delete;

 private:
  std::vector<torch::Tensor> frozen_;
};

// |gradient of nll| / |gradient of g| at the decoder's last layer (Esser et al. 2021, Eq. 7); 0 where nothing
// is being differentiated (validation).
torch::Tensor adaptive_weight(const torch::Tensor& nll, const torch::Tensor& g,
                              const torch::Tensor& last_layer) {
  if (!nll.requires_grad() || !g.requires_grad()) return scalar_like(0, nll);
  const auto norm_at_last = [&](const torch::Tensor& loss) {
    return torch::autograd::grad({loss}, {last_layer}, {}, /*retain_graph=*/true).at(0).norm();
  };
  return (norm_at_last(nll) / (norm_at_last(g) + 1e-4)).clamp(0.0, 1e4).detach();
}

}  // namespace

AdversarialLoss::AdversarialLoss(const AdversarialLossOptions& options, PerceptualFn perceptual)
    : options_(options), perceptual_(std::move(perceptual)) {
  check(options.disc_start >= 0, "autoencoder loss: expected disc_start >= 0, got ", options.disc_start);
  check(options.disc_loss == "hinge" || options.disc_loss == "vanilla",
        "autoencoder loss: expected disc_loss hinge or vanilla, got '", options.disc_loss, "'");
  check(options.pixel_loss == "l1" || options.pixel_loss == "l2",
        "autoencoder loss: expected pixel_loss l1 or l2, got '", options.pixel_loss, "'");
  check(options.perceptual_weight <= 0 || perceptual_, "autoencoder loss: perceptual_weight is ",
        options.perceptual_weight,
        " but there is no perceptual network; hint: name its weights with model.params.perceptual, or set "
        "perceptual_weight to 0");
  discriminator_ = register_module(
      "discriminator",
      std::make_shared<PatchDiscriminator>(PatchDiscriminatorOptions{
          options.disc_in_channels, options.disc_ndf, options.disc_num_layers, options.use_actnorm}));
}

double AdversarialLoss::factor_at(int64_t global_step) const {
  return global_step < options_.disc_start ? 0.0 : options_.disc_factor;
}

bool AdversarialLoss::discriminator_active(int64_t global_step) const {
  return !options_.lazy_discriminator || factor_at(global_step) > 0;
}

torch::Tensor AdversarialLoss::logits(const torch::Tensor& images, const torch::Tensor& cond) const {
  check(options_.disc_conditional == cond.defined(),
        "autoencoder loss: a condition is expected if and only if disc_conditional is true");
  return discriminator_->forward(cond.defined() ? at::cat({images, cond}, 1) : images);
}

torch::Tensor AdversarialLoss::reconstruction_map(const torch::Tensor& images,
                                                  const torch::Tensor& reconstructions,
                                                  torch::Tensor* perceptual) const {
  check(images.dim() == 4 && images.sizes() == reconstructions.sizes(),
        "autoencoder loss: expected images and reconstructions of one shape [N, C, H, W], got ",
        images.sizes(), " and ", reconstructions.sizes());
  const auto difference = images - reconstructions;
  auto map = options_.pixel_loss == "l1" ? difference.abs() : difference.square();
  if (options_.perceptual_weight > 0) {
    const auto distance = perceptual_(images, reconstructions);
    map = map + options_.perceptual_weight * distance;
    if (perceptual) *perceptual = distance;
  }
  if (options_.gradient_weight > 0) {
    map = map + options_.gradient_weight * gradient_distance(images, reconstructions);
  }
  return map;
}

torch::Tensor AdversarialLoss::adversarial_term(const torch::Tensor& nll,
                                                const torch::Tensor& reconstructions,
                                                const torch::Tensor& last_layer, int64_t global_step,
                                                const torch::Tensor& cond, LossTerms& terms) const {
  auto g_loss = scalar_like(0, nll), weight = scalar_like(0, nll);
  const double factor = factor_at(global_step);
  if (discriminator_active(global_step)) {
    const FrozenScope frozen(*discriminator_);
    g_loss = -logits(reconstructions, cond).mean();
    if (options_.disc_factor > 0) weight = adaptive_weight(nll, g_loss, last_layer) * options_.disc_weight;
  }
  terms.log["g_loss"] = g_loss.detach();
  terms.log["d_weight"] = weight;
  terms.log["disc_factor"] = scalar_like(factor, nll);
  return factor == 0 ? scalar_like(0, nll) : weight * factor * g_loss;
}

LossTerms AdversarialLoss::discriminator_step(const torch::Tensor& images,
                                              const torch::Tensor& reconstructions, int64_t global_step,
                                              const torch::Tensor& cond) const {
  const auto real = logits(images.detach(), cond);
  const auto fake = logits(reconstructions.detach(), cond);
  const auto loss = options_.disc_loss == "hinge" ? at::relu(1 - real).mean() + at::relu(1 + fake).mean()
                                                  : at::softplus(-real).mean() + at::softplus(fake).mean();
  LossTerms terms;
  terms.loss = factor_at(global_step) * 0.5 * loss;
  terms.log["disc_loss"] = terms.loss.detach();
  terms.log["logits_real"] = real.detach().mean();
  terms.log["logits_fake"] = fake.detach().mean();
  return terms;
}

LpipsWithDiscriminator::LpipsWithDiscriminator(const LpipsWithDiscriminatorOptions& options,
                                               PerceptualFn perceptual)
    : AdversarialLoss(options, std::move(perceptual)), kl_weight_(options.kl_weight) {
  logvar_ =
      register_parameter("logvar", at::full({}, options.logvar_init, torch::kFloat), /*requires_grad=*/false);
}

LossTerms LpipsWithDiscriminator::generator_step(const torch::Tensor& images,
                                                 const torch::Tensor& reconstructions,
                                                 const torch::Tensor& kl, const torch::Tensor& last_layer,
                                                 int64_t global_step, const torch::Tensor& weights,
                                                 const torch::Tensor& cond) const {
  const auto batch = static_cast<double>(images.size(0));
  const auto map = reconstruction_map(images, reconstructions);
  const auto nll_map = map / at::exp(logvar_) + logvar_;
  const auto nll = nll_map.sum() / batch;
  const auto weighted_nll = weights.defined() ? (weights * nll_map).sum() / batch : nll;
  const auto kl_loss = kl.sum() / batch;

  LossTerms terms;
  const auto adversarial = adversarial_term(nll, reconstructions, last_layer, global_step, cond, terms);
  terms.loss = weighted_nll + kl_weight_ * kl_loss + adversarial;
  terms.log["total_loss"] = terms.loss.detach();
  terms.log["logvar"] = logvar_.detach();
  terms.log["kl_loss"] = kl_loss.detach();
  terms.log["nll_loss"] = nll.detach();
  terms.log["rec_loss"] = map.detach().mean();
  return terms;
}

VqLpipsWithDiscriminator::VqLpipsWithDiscriminator(const VqLpipsWithDiscriminatorOptions& options,
                                                   PerceptualFn perceptual)
    : AdversarialLoss(options, std::move(perceptual)), codebook_weight_(options.codebook_weight) {}

LossTerms VqLpipsWithDiscriminator::generator_step(const torch::Tensor& images,
                                                   const torch::Tensor& reconstructions,
                                                   const torch::Tensor& codebook_loss,
                                                   const torch::Tensor& last_layer, int64_t global_step,
                                                   const torch::Tensor& cond) const {
  auto perceptual = scalar_like(0, images);
  const auto nll = reconstruction_map(images, reconstructions, &perceptual).mean();
  const auto quant_loss = codebook_loss.mean();

  LossTerms terms;
  const auto adversarial = adversarial_term(nll, reconstructions, last_layer, global_step, cond, terms);
  terms.loss = nll + adversarial + codebook_weight_ * quant_loss;
  terms.log["total_loss"] = terms.loss.detach();
  terms.log["quant_loss"] = quant_loss.detach();
  terms.log["nll_loss"] = nll.detach();
  terms.log["rec_loss"] = nll.detach();
  terms.log["p_loss"] = perceptual.detach().mean();
  return terms;
}

torch::Tensor gradient_distance(const torch::Tensor& x, const torch::Tensor& y) {
  constexpr int kScales = 3;
  auto difference = x - y;
  auto sum = at::zeros({x.size(0), 1, 1, 1}, x.options().requires_grad(false));
  for (int scale = 0; scale < kScales; ++scale) {
    check(difference.size(2) > 1 && difference.size(3) > 1,
          "gradient_distance: expected pictures of at least 8 x 8 pixels, got ", x.size(3), " x ", x.size(2));
    for (const int64_t axis : {2, 3}) sum = sum + at::diff(difference, 1, axis).abs().mean({1, 2, 3}, true);
    difference = at::avg_pool2d(difference, 2);
  }
  return sum / kScales;
}

}  // namespace ldm
