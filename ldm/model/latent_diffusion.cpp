#include "ldm/model/latent_diffusion.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/model/control.h"
#include "ldm/model/cut_condition.h"
#include "ldm/model/make_conditioner.h"
#include "ldm/model/map_conditioner.h"
#include "ldm/model/targets.h"
#include "ldm/nn/label_embedding.h"

namespace ldm {
namespace {

constexpr char kUnetPrefix[] = "model.diffusion_model.";
constexpr char kConditionPrefix[] = "cond_stage_model.";

NoiseSchedule make_schedule(const LatentDiffusionOptions& o) {
  return NoiseSchedule({.timesteps = o.timesteps,
                        .beta_schedule = o.beta_schedule,
                        .linear_start = o.linear_start,
                        .linear_end = o.linear_end,
                        .cosine_s = o.cosine_s,
                        .v_posterior = o.v_posterior,
                        .zero_terminal_snr = o.zero_terminal_snr});
}

std::shared_ptr<UNet> make_unet(const Node& config) {
  const auto target = parse_target(config.at("target").text(), "model.params.unet_config.target");
  check(target == Target::kUnet, "model.params.unet_config.target: expected unet, got '", to_string(target),
        "'");
  UNetOptions options;
  read_options(config.at("params"), options, "model.params.unet_config.params");
  return std::make_shared<UNet>(options);
}

// The original's rule: without a conditioning_key the condition is appended (concat_mode) or attended to.
Wiring make_wiring(const LatentDiffusionOptions& o) {
  const auto& config = o.cond_stage_config;
  if (config.is_null()) {
    check(o.conditioning_key.empty(), "model.params.cond_stage_config: expected an encoder for the ",
          "conditioning_key ", o.conditioning_key);
    return {};
  }
  const auto name = config.is_scalar() ? config.text() : config.at("target").text();
  if (parse_target(name, "model.params.cond_stage_config.target") == Target::kUnconditional) return {};
  if (!o.conditioning_key.empty()) return parse_wiring(o.conditioning_key);
  return parse_wiring(o.concat_mode ? "concat" : "crossattn");
}

std::shared_ptr<Conditioner> make_cond_stage(const LatentDiffusionOptions& o, const Wiring& wiring,
                                             const UNetOptions& unet,
                                             const std::shared_ptr<FirstStage>& first_stage,
                                             const std::string& vocabulary) {
  if (!wiring.any()) return nullptr;
  const ConditionerSetting setting{.wiring = wiring,
                                   .vocabulary = vocabulary,
                                   .first_stage = first_stage,
                                   .concat_channels = unet.in_channels - o.channels,
                                   .context_dim = unet.context_dim.value_or(0),
                                   .classes = class_count(unet.num_classes.value_or(""))};
  return make_conditioner(o.cond_stage_config, setting, "model.params.cond_stage_config");
}

torch::Tensor run_conditioned(const UNet& unet, const torch::Tensor& x, const torch::Tensor& t,
                              const Context& context, const Conditioning& condition) {
  const auto residuals = control_residuals(condition.controls, x, t, context, condition.y);
  return unet.forward(network_input(x, condition), t, context, condition.y, residuals);
}

}  // namespace

LatentDiffusion::LatentDiffusion(const LatentDiffusionOptions& options,
                                 std::shared_ptr<FirstStage> first_stage, const std::string& vocabulary)
    : options_(options),
      schedule_(make_schedule(options)),
      prediction_(parse_prediction(options.parameterization)),
      unet_(make_unet(options.unet_config)),
      wiring_(make_wiring(options)),
      first_stage_(std::move(first_stage)) {
  check(first_stage_ != nullptr, ErrorKind::kInternal, "LatentDiffusion: no first stage");
  conditioner_ = make_cond_stage(options, wiring_, unet_->options(), first_stage_, vocabulary);
  const bool map = conditioner_ && conditioner_->gives_map();
  if (wiring_.concat && wiring_.context && !map) {
    picture_ = std::make_shared<FirstStageConditioner>(first_stage_, PictureStyle::kStableInpaint,
                                                       options.scale_factor);
  }
  check(wiring_.concat == (map || picture_ != nullptr),
        "model.params.conditioning_key: the conditioner gives ",
        map ? "a map, which concat or hybrid would take" : "no map for concat", ", got '",
        options.conditioning_key, "'");
  check(first_stage_->latent_channels() == options.channels,
        "model.params.channels: the first stage has latents of ", first_stage_->latent_channels(),
        " channels, got ", options.channels);
  check(options.scale_factor > 0, "model.params.scale_factor: expected a positive number, got ",
        options.scale_factor);
  check(options.image_size > 0, "model.params.image_size: expected the side of the latents, got ",
        options.image_size);
}

ConditionReads LatentDiffusion::reads() const {
  auto out = conditioner_ ? conditioner_->reads() : ConditionReads();
  if (!picture_) return out;
  const auto map = picture_->reads();
  out.picture = map.picture;
  out.channels = map.channels;
  out.per_latent = map.per_latent;
  return out;
}

Conditioning LatentDiffusion::encode(std::span<const Condition> conditions) const {
  if (!conditioner_) return {};
  auto out = conditioner_->encode(conditions);
  if (picture_ && !out.concat.defined()) out.concat = picture_->encode(conditions).concat;
  check_wired(wiring_, out);
  return out.to(device());
}

torch::Tensor LatentDiffusion::predict(const torch::Tensor& x, const torch::Tensor& t,
                                       const Conditioning& condition) const {
  return run_conditioned(*unet_, x, t, condition.context, condition);
}

Denoiser LatentDiffusion::denoiser(const Conditioning& condition,
                                   const std::optional<TileOptions>& tiles) const {
  const auto context = condition.context.defined() ? Context::remembering(condition.context) : Context();
  Network network = [unet = unet_, context, condition, tiles](const torch::Tensor& x,
                                                              const torch::Tensor& t) {
    if (!tiles) return run_conditioned(*unet, x, t, context, condition);
    return run_tiled(x, *tiles, /*scale=*/{}, [&](const torch::Tensor& crop, const Tile& tile) {
      return run_conditioned(*unet, crop, t, context, cut_condition(condition, tile));
    });
  };
  return discrete_denoiser(std::move(network), schedule_, prediction_);
}

torch::Tensor LatentDiffusion::encode_images(const torch::Tensor& images, const CodingLimits& limits) const {
  return first_stage_->encode_within(images, limits) * options_.scale_factor;
}

torch::Tensor LatentDiffusion::decode_latents(const torch::Tensor& latents,
                                              const CodingLimits& limits) const {
  return first_stage_->decode_within(latents / options_.scale_factor, limits);
}

StateDict LatentDiffusion::state() const {
  auto out = state_dict(*unet_, kUnetPrefix);
  if (conditioner_) out.merge(state_dict(*conditioner_, kConditionPrefix));
  return out;
}

void LatentDiffusion::load(StateDict tensors) {
  auto report = take_state_dict(*unet_, tensors, kUnetPrefix);
  if (conditioner_) {
    const auto more = take_state_dict(*conditioner_, tensors, kConditionPrefix);
    report.missing.insert(report.missing.end(), more.missing.begin(), more.missing.end());
    report.unexpected.insert(report.unexpected.end(), more.unexpected.begin(), more.unexpected.end());
    report.mis_shaped.insert(report.mis_shaped.end(), more.mis_shaped.begin(), more.mis_shaped.end());
  }
  check(report.ok(), ErrorKind::kFormat, "latent diffusion model: the weights do not fit the configuration\n",
        report.table());
}

void LatentDiffusion::to(at::Device device, at::ScalarType dtype) {
  unet_->to(device, dtype);
  if (conditioner_) conditioner_->to(device, dtype);
  first_stage_->to(device, dtype);
}

at::Device LatentDiffusion::device() const { return unet_->parameters().front().device(); }

int64_t LatentDiffusion::packed_bytes() const {
  return ldm::packed_bytes(*unet_) + ldm::packed_bytes(*first_stage_) +
         (conditioner_ ? ldm::packed_bytes(*conditioner_) : 0);
}

void LatentDiffusion::prepare_for_inference() {
  prepared_ = true;
  ldm::prepare_for_inference(*unet_);
  if (conditioner_) ldm::prepare_for_inference(*conditioner_);
  ldm::prepare_for_inference(*first_stage_);
}

void LatentDiffusion::eval() {
  unet_->eval();
  if (conditioner_) conditioner_->eval();
  first_stage_->eval();
}

}  // namespace ldm
