// Latent-diffusion training (golden/models, F): loss, steps, scale.
#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "ldm/config/options.h"
#include "ldm/config/yaml.h"
#include "ldm/diffusion/training.h"
#include "ldm/model/first_stage.h"
#include "ldm/model/latent_diffusion.h"
#include "ldm/nn/autoencoder_kl.h"
#include "ldm/train/adamw.h"
#include "ldm/train/diffusion_objective.h"
#include "ldm/train/ema.h"
#include "ldm/train/latent_set.h"
#include "ldm/train/lr_schedule_config.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

// YAML holds JSON, but for null, which means the default there.
Json without_nulls(const Json& value) {
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [key, inner] : value.items()) {
    if (!inner.is_null()) out[key] = without_nulls(inner);
  }
  return out;
}

Node json_node(const Json& value) { return parse_yaml(without_nulls(value).dump(), "case"); }

std::shared_ptr<LatentDiffusion> open_ldm(Case& c) {
  auto config = c.config();
  config.erase("train");
  LatentDiffusionOptions options;
  read_options(json_node(config), options, "model.params");
  auto model = std::make_shared<LatentDiffusion>(
      options, make_first_stage(options.first_stage_config, "model.params.first_stage_config"), "");
  c.load_weights(model->unet(), "model.diffusion_model.");
  if (model->conditioner() != nullptr) c.load_weights(*model->conditioner(), "cond_stage_model.");
  c.load_weights(model->first_stage(), "first_stage_model.");
  return model;
}

std::vector<Condition> class_conditions(const torch::Tensor& classes) {
  std::vector<Condition> out;
  for (int64_t i = 0; i < classes.numel(); ++i) out.push_back({.label = classes[i].item<int64_t>()});
  return out;
}

// The condition of a batch; of step k where the inputs have an axis of steps.
Conditioning case_condition(Case& c, const LatentDiffusion& model, int64_t step = -1) {
  if (!c.has("class")) return {};
  const auto classes = c.input("class");
  return model.encode(class_conditions(step < 0 ? classes : classes[step]));
}

void run_ldm_loss(Case& c) {
  const auto model = open_ldm(c);
  const DiffusionObjective objective(model, {}, c.device());
  if (c.has("logvar")) {
    torch::NoGradGuard no_grad;
    auto logvar = objective.logvar();
    logvar.copy_(c.input("logvar"));
  }
  const auto x = c.input("x_start"), noise = c.input("noise"), t = c.input("t");
  const auto terms = objective.loss(x, noise, t, case_condition(c, *model));
  c.expect("x_noisy", q_sample(model->schedule(), x, t, noise));
  c.expect("loss", terms.loss);
  for (const auto& [name, value] : terms.log) {
    if (name != "logvar") c.expect(name, value);
  }
}

// Sums and absolute sums of the named tensors (names relative to `model.`), as float64.
template <typename Lookup>
void expect_sums(Case& c, const std::string& what, Lookup lookup) {
  std::vector<double> sums, absolute;
  for (const std::string name : c.json().at("checksum_names")) {
    const auto value = lookup("model." + name).detach().to(torch::kDouble);
    sums.push_back(value.sum().template item<double>());
    absolute.push_back(value.abs().sum().template item<double>());
  }
  c.expect(what + "_sum", at::tensor(sums, torch::kDouble));
  c.expect(what + "_abssum", at::tensor(absolute, torch::kDouble));
}

LrSchedule case_schedule_of_rates(const Json& train) {
  const auto scheduler = train.find("scheduler");
  if (scheduler == train.end() || scheduler->is_null()) return [](int64_t) { return 1.0; };
  return make_lr_schedule(
      json_node({{"target", "ldm.lr_scheduler." + scheduler->at("class").get<std::string>()},
                 {"params", scheduler->at("params")}}),
      "train.scheduler", 1, 1);
}

void run_ldm_train(Case& c) {
  const auto model = open_ldm(c);
  const DiffusionObjective objective(model, {}, c.device());
  const auto network = named_parameters(model->unet(), "model.diffusion_model.");
  auto trained = network;
  if (model->conditioner() != nullptr && model->options().cond_stage_trainable) {
    const auto more = named_parameters(*model->conditioner(), "cond_stage_model.");
    trained.insert(trained.end(), more.begin(), more.end());
  }
  if (objective.learns_logvar()) trained.emplace_back("logvar", objective.logvar());
  AdamW optimizer(trained);
  LitEma ema(network);
  const auto& train = c.config().at("train");
  const auto schedule = case_schedule_of_rates(train);
  const double lr = train.at("lr");
  std::vector<double> losses, rates;
  for (int64_t step = 0; step < train.at("steps").get<int64_t>(); ++step) {
    const auto terms = objective.loss(c.input("x_start")[step], c.input("noise")[step], c.input("t")[step],
                                      case_condition(c, *model, step));
    optimizer.zero_grad();
    terms.loss.backward();
    rates.push_back(lr * schedule(step));
    optimizer.step(rates.back());
    ema.update();
    losses.push_back(terms.loss.item<double>());
  }
  c.expect("losses", at::tensor(losses, torch::kDouble));
  c.expect("lrs", at::tensor(rates, torch::kDouble));
  c.expect("ema_num_updates", at::scalar_tensor(ema.num_updates(), torch::kLong));
  expect_sums(c, "param", [&](const std::string& name) {
    return model->unet().named_parameters()[name.substr(std::string("model.diffusion_model.").size())];
  });
  const auto shadow = ema.shadow();
  expect_sums(c, "ema", [&](const std::string& name) { return shadow.at(name); });
  if (c.has("logvar")) c.expect("logvar", objective.logvar());
  if (c.has("cond_embedding"))
    c.expect("cond_embedding", model->conditioner()->named_parameters()["embedding.weight"]);
}

void run_ldm_std_rescale(Case& c) {
  const auto model = open_ldm(c);
  torch::NoGradGuard no_grad;
  const auto images = c.input("image").permute({0, 3, 1, 2}).contiguous();
  const auto noise = c.has("eps") ? c.input("eps") : torch::Tensor();
  const auto latents = model->first_stage().encode(images, noise);
  model->set_scale_factor(latent_scale(latents));
  const auto scaled = latents * model->scale_factor();
  c.expect("scale_factor", at::scalar_tensor(model->scale_factor(), torch::kDouble));
  c.expect("z_scaled", scaled);
  c.expect("dec", model->decode_latents(scaled));
}

void add_ldm_train_kinds(KindTable& kinds) {
  kinds.add("ldm_loss", run_ldm_loss);
  kinds.add("ldm_train", run_ldm_train);
  kinds.add("ldm_std_rescale", run_ldm_std_rescale);
}
const RegisterKinds kLdmTrainRegistered(add_ldm_train_kinds);

}  // namespace
}  // namespace ldm::golden
