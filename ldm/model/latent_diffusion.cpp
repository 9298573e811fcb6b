#include "ldm/model/latent_diffusion.h"

#include <ATen/ATen.h>

#include <utility>

#include "ldm/config/options.h"
#include "ldm/core/error.h"
#include "ldm/model/targets.h"

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

struct ClassConditionerOptions {
  int64_t embed_dim = 512;
  int64_t n_classes = 1000;
  std::string key = "class_label";    // The original's; labels always come from the data's class.
  std::optional<int64_t> null_class;  // The class that stands for "no class".

  template <typename Visitor>
  void fields(Visitor&& visit) {
    visit("embed_dim", embed_dim, "width of the class token");
    visit("n_classes", n_classes, "number of classes, a null class included");
    visit("key", key, "accepted from the original's files");
    visit("null_class", null_class, "the class that stands for no class");
  }
};

std::shared_ptr<Conditioner> make_conditioner(const LatentDiffusionOptions& o,
                                              const std::string& vocabulary) {
  const std::string where = "model.params.cond_stage_config";
  const auto& config = o.cond_stage_config;
  if (o.conditioning_key.empty()) return nullptr;
  check(o.conditioning_key == "crossattn" || o.conditioning_key == "crossattn-adm",
        "model.params.conditioning_key: expected crossattn, crossattn-adm or nothing, got '",
        o.conditioning_key, "'");
  const auto name = config.is_scalar() ? config.text() : config.at("target").text();
  switch (const auto target = parse_target(name, where + ".target")) {
    case Target::kTextTransformer: {
      TextConditionerOptions options{
          .transformer = {}, .max_length = 0, .pooled = o.conditioning_key == "crossattn-adm"};
      read_options(config.at("params"), options.transformer, where + ".params");
      options.max_length = options.transformer.max_seq_len;
      check(!vocabulary.empty(), ErrorKind::kFormat, where,
            ": the text encoder needs a vocabulary in the model file");
      auto tokenizer = WordPiece::from_vocab(std::as_bytes(std::span(vocabulary)));
      check(tokenizer.size() <= options.transformer.vocab_size, ErrorKind::kFormat, where,
            ": the vocabulary has ", tokenizer.size(), " pieces, the network knows ",
            options.transformer.vocab_size);
      return std::make_shared<TextConditioner>(options, std::move(tokenizer));
    }
    case Target::kClassEmbedder: {
      ClassConditionerOptions options;
      read_options(config.at("params"), options, where + ".params");
      return std::make_shared<ClassConditioner>(options.embed_dim, options.n_classes, options.null_class);
    }
    case Target::kUnconditional:
      return nullptr;
    default:
      fail(ErrorKind::kUsage, where,
           ".target: expected text_transformer, class_embedder or unconditional, got '", to_string(target),
           "'");
  }
}

}  // namespace

LatentDiffusion::LatentDiffusion(const LatentDiffusionOptions& options,
                                 std::shared_ptr<FirstStage> first_stage, const std::string& vocabulary)
    : options_(options),
      schedule_(make_schedule(options)),
      prediction_(parse_prediction(options.parameterization)),
      unet_(make_unet(options.unet_config)),
      conditioner_(make_conditioner(options, vocabulary)),
      first_stage_(std::move(first_stage)) {
  check(first_stage_ != nullptr, ErrorKind::kInternal, "LatentDiffusion: no first stage");
  check(first_stage_->latent_channels() == options.channels,
        "model.params.channels: the first stage has latents of ", first_stage_->latent_channels(),
        " channels, got ", options.channels);
  check(options.scale_factor > 0, "model.params.scale_factor: expected a positive number, got ",
        options.scale_factor);
  check(options.image_size > 0, "model.params.image_size: expected the side of the latents, got ",
        options.image_size);
}

Conditioning LatentDiffusion::encode(std::span<const Condition> conditions) const {
  return conditioner_ ? conditioner_->encode(conditions) : Conditioning{};
}

torch::Tensor LatentDiffusion::predict(const torch::Tensor& x, const torch::Tensor& t,
                                       const Conditioning& condition) const {
  return unet_->forward(x, t, condition.context, condition.y);
}

Denoiser LatentDiffusion::denoiser(const Conditioning& condition) const {
  const auto context = condition.context.defined() ? Context::remembering(condition.context) : Context();
  Network network = [unet = unet_, context, y = condition.y](const torch::Tensor& x, const torch::Tensor& t) {
    return unet->forward(x, t, context, y);
  };
  return discrete_denoiser(std::move(network), schedule_, prediction_);
}

torch::Tensor LatentDiffusion::encode_images(const torch::Tensor& images) const {
  return first_stage_->encode(images) * options_.scale_factor;
}

torch::Tensor LatentDiffusion::decode_latents(const torch::Tensor& latents) const {
  return first_stage_->decode(latents / options_.scale_factor);
}

StateDict LatentDiffusion::state() const {
  auto out = state_dict(*unet_, kUnetPrefix);
  if (conditioner_) out.merge(state_dict(*conditioner_, kConditionPrefix));
  return out;
}

void LatentDiffusion::load(const StateDict& tensors) {
  auto report = load_state_dict(*unet_, tensors, kUnetPrefix);
  if (conditioner_) {
    const auto more = load_state_dict(*conditioner_, tensors, kConditionPrefix);
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

void LatentDiffusion::eval() {
  unet_->eval();
  if (conditioner_) conditioner_->eval();
  first_stage_->eval();
}

}  // namespace ldm
