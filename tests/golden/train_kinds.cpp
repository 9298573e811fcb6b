#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ldm/nn/autoencoder_kl.h"
#include "ldm/nn/autoencoder_vq.h"
#include "ldm/nn/lpips.h"
#include "ldm/train/adamw.h"
#include "ldm/train/autoencoder_loss.h"
#include "ldm/train/ema.h"
#include "ldm/train/lr_schedule.h"
#include "tests/golden/json_fields.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

torch::Tensor factors(const LrSchedule& schedule, const torch::Tensor& steps) {
  auto out = at::empty(steps.sizes(), torch::kDouble);
  for (int64_t i = 0; i < steps.numel(); ++i) out.data_ptr<double>()[i] = schedule(steps[i].item<int64_t>());
  return out;
}

// Constructor arguments in the original's order.
LambdaCyclesOptions cycles(const Json& list) { return {list[0], list[1], list[2], list[3], list[4]}; }

void run_lr_ldm(Case& c) {
  const auto& config = c.config();
  const auto n1 = c.input("n1"), n2 = c.input("n2");
  const auto& one = config.at("LambdaWarmUpCosineScheduler");
  c.expect("cosine", factors(lambda_warm_up_cosine_schedule({one[0], one[1], one[2], one[3], one[4]}), n1));
  c.expect("cosine2",
           factors(lambda_warm_up_cosine_schedule_2(cycles(config.at("LambdaWarmUpCosineScheduler2"))), n2));
  c.expect("linear", factors(lambda_linear_schedule(cycles(config.at("LambdaLinearScheduler"))), n2));
  c.expect("linear_ldm", factors(lambda_linear_schedule(cycles(config.at("LambdaLinearScheduler_ldm"))), n1));
}

void run_lr_scheduler(Case& c) {
  const std::string name = c.config().at("class");
  const auto& params = c.config().at("params");
  c.load_weights(*std::make_shared<torch::nn::Module>());
  LrSchedule schedule;
  if (name == "LambdaWarmUpCosineScheduler") {
    schedule = lambda_warm_up_cosine_schedule(read_json_options<LambdaWarmUpCosineOptions>(params));
  } else if (name == "LambdaWarmUpCosineScheduler2") {
    schedule = lambda_warm_up_cosine_schedule_2(read_json_options<LambdaCyclesOptions>(params));
  } else if (name == "LambdaLinearScheduler") {
    schedule = lambda_linear_schedule(read_json_options<LambdaCyclesOptions>(params));
  } else {
    c.skip(name);
  }
  c.expect("mult", factors(schedule, c.input("n")));
}

void run_ema_litema(Case& c) {
  const auto& config = c.config();
  const auto values = c.input("p");
  const auto stored = c.stored("shadow").size(0);
  const auto every = values.size(0) / stored;
  const NamedParameters parameters{{"p", c.input("p_init").clone()}};
  LitEma ema(parameters, {.decay = config.at("decay"), .use_num_updates = config.at("use_num_updates")});
  std::vector<torch::Tensor> shadows;
  std::vector<double> decays;
  for (int64_t i = 0; i < values.size(0); ++i) {
    parameters[0].second.copy_(values[i]);
    ema.update();
    if (i % every != 0) continue;
    shadows.push_back(ema.shadow().at("p").clone());
    decays.push_back(ema.last_decay());
  }
  c.expect("shadow", at::stack(shadows));
  c.expect("decay_used", at::tensor(decays, torch::kDouble));
}

// A loss of the case's options with LPIPS inside, under the original's names.
template <typename Loss>
std::shared_ptr<Loss> make_loss(const Json& params) {
  const auto lpips = std::make_shared<Lpips>();
  const auto loss = std::make_shared<Loss>(
      read_json_options<typename Loss::Options>(params),
      [lpips](const torch::Tensor& x, const torch::Tensor& y) { return lpips->forward(x, y); });
  loss->register_module("perceptual_loss", lpips);
  return loss;
}

// Training mode, but for LPIPS, as the stored numbers were made.
void set_modes(torch::nn::Module& loss) {
  loss.train();
  loss.named_children()["perceptual_loss"]->eval();
}

void expect_log(Case& c, const std::string& prefix, const LossTerms& terms) {
  for (const auto& [name, value] : terms.log) c.expect(prefix + name, value);
}

// Both steps on the same tensors; `generate` is the generator's step of the class.
template <typename Loss, typename Generate>
void run_loss_steps(Case& c, Generate generate) {
  const auto module = make_loss<Loss>(c.config().at("params"));
  const Loss& loss = *module;
  c.load_weights(*module);
  set_modes(*module);
  const int64_t step = c.config().at("global_step");
  const auto x = c.input("x");
  auto h = c.input("h").detach().requires_grad_();
  auto last = c.input("last_w").detach().requires_grad_();
  const auto reconstruction = at::conv2d(h, last, {}, 1, 1);

  const auto generator = generate(loss, x, reconstruction, last, step);
  generator.loss.backward();
  c.expect("loss", generator.loss);
  expect_log(c, "ae.", generator);
  c.expect("g.h", h.grad());
  c.expect("g.last_w", last.grad());

  const auto critic = loss.discriminator_step(x, reconstruction, step);
  critic.loss.backward();
  c.expect("disc_loss", critic.loss);
  expect_log(c, "d.", critic);
  std::vector<torch::Tensor> norms;
  for (const auto& name : c.json().at("disc_grad_names")) {
    norms.push_back(loss.discriminator().named_parameters()[name.get<std::string>()].grad().norm());
  }
  c.expect("disc_grad_norms", at::stack(norms));
}

void run_ae_loss(Case& c) {
  const std::string name = c.config().at("class");
  if (name == "LPIPSWithDiscriminator") {
    auto moments = c.input("moments").detach().requires_grad_();
    const auto weights = c.has("weights") ? c.input("weights") : torch::Tensor();
    run_loss_steps<LpipsWithDiscriminator>(c,
                                           [&](auto& loss, auto&& x, auto&& rec, auto&& last, int64_t step) {
                                             const auto kl = DiagonalGaussian::from_moments(moments).kl();
                                             return loss.generator_step(x, rec, kl, last, step, weights);
                                           });
    c.expect("g.moments", moments.grad());
  } else if (name == "VQLPIPSWithDiscriminator") {
    const auto codebook_loss = c.input("codebook_loss");
    run_loss_steps<VqLpipsWithDiscriminator>(
        c, [&](auto& loss, auto&& x, auto&& rec, auto&& last, int64_t step) {
          return loss.generator_step(x, rec, codebook_loss, last, step);
        });
  } else {
    c.skip(name);
  }
}

// What both autoencoders do with a batch: the reconstruction and the regulariser of the loss.
struct Forward {
  torch::Tensor reconstruction, regulariser;
};

Forward forward(const AutoencoderKL& model, const torch::Tensor& images, const torch::Tensor& eps) {
  const auto posterior = model.posterior(images);
  return {model.decode(posterior.sample(eps)), posterior.kl()};
}

Forward forward(const VQModel& model, const torch::Tensor& images, const torch::Tensor&) {
  const auto quantized = model.quantize(model.encode(images));
  return {model.decode_quantized(quantized.latents), quantized.loss};
}

// Collects one row of the log per step.
class StepLog {
 public:
  void add(const std::string& name, const torch::Tensor& value) {
    rows_["log." + name].push_back(value.item<double>());
  }
  void add(const LossTerms& terms) {
    for (const auto& [name, value] : terms.log) add(name, value);
  }
  void expect(Case& c) const {
    for (const auto& [name, row] : rows_) c.expect(name, at::tensor(row, torch::kDouble));
  }

 private:
  std::map<std::string, std::vector<double>> rows_;
};

void expect_checksums(Case& c, const torch::nn::Module& model, const AdversarialLoss& loss) {
  const auto by_name = model.named_parameters();
  std::vector<double> sums, absolute_sums, means;
  for (const auto& name : c.json().at("checksum_names")) {
    const auto value = by_name[name.get<std::string>()].detach().to(torch::kDouble);
    sums.push_back(value.sum().item<double>());
    absolute_sums.push_back(value.abs().sum().item<double>());
  }
  for (const auto& buffer : loss.named_buffers()) {
    if (!buffer.key().ends_with("running_mean")) continue;
    means.push_back(buffer.value().to(torch::kDouble).abs().sum().item<double>());
  }
  c.expect("param_sum", at::tensor(sums, torch::kDouble));
  c.expect("param_abssum", at::tensor(absolute_sums, torch::kDouble));
  c.expect("bn_running_mean_abssum", at::tensor(means, torch::kDouble));
}

// Lightning's order: the generator's step, then a new forward and the discriminator's.
template <typename Loss, typename Model>
void run_ae_steps(Case& c, Model& model) {
  const auto module = make_loss<Loss>(c.config().at("params").at("lossconfig").at("params"));
  const Loss& loss = *module;
  const AdamWOptions adam{.beta1 = 0.5, .beta2 = 0.9, .weight_decay = 0.0, .decoupled = false};
  AdamW generator(named_parameters(model), adam), critic(named_parameters(loss.discriminator()), adam);
  model.register_module("loss", module);
  c.load_weights(model);
  set_modes(*module);
  const double lr = c.config().at("train").at("lr");
  const int64_t steps = c.config().at("train").at("steps");
  const auto images = c.input("image").permute({0, 1, 4, 2, 3}).contiguous();
  StepLog log;
  for (int64_t step = 0; step < steps; ++step) {
    const auto eps = [&](int64_t k) { return c.has("eps") ? c.input("eps")[step][k] : torch::Tensor(); };
    auto pass = forward(model, images[step], eps(0));
    const auto terms =
        loss.generator_step(images[step], pass.reconstruction, pass.regulariser, model.last_layer(), step);
    generator.zero_grad();
    terms.loss.backward();
    generator.step(lr);
    log.add("aeloss", terms.loss);
    log.add(terms);

    pass = forward(model, images[step], eps(1));
    const auto critic_terms = loss.discriminator_step(images[step], pass.reconstruction, step);
    critic.zero_grad();
    critic_terms.loss.backward();
    critic.step(lr);
    log.add("discloss", critic_terms.loss);
    log.add(critic_terms);
  }
  log.expect(c);
  expect_checksums(c, model, *module);
}

void run_ae_train(Case& c) {
  const std::string name = c.config().at("class");
  const auto& params = c.config().at("params");
  const auto ddconfig = read_json_options<AutoencoderOptions>(params.at("ddconfig"));
  if (name == "AutoencoderKL") {
    AutoencoderKL model(ddconfig, params.at("embed_dim"));
    run_ae_steps<LpipsWithDiscriminator>(c, model);
  } else if (name == "VQModel") {
    VQModel model(ddconfig, {.n_e = params.at("n_embed"), .e_dim = params.at("embed_dim")});
    run_ae_steps<VqLpipsWithDiscriminator>(c, model);
  } else {
    c.skip(name);
  }
}

void add_train_kinds(KindTable& kinds) {
  kinds.add("lr_ldm", run_lr_ldm);
  kinds.add("lr_scheduler", run_lr_scheduler);
  kinds.add("ema_litema", run_ema_litema);
  kinds.add("ae_loss", run_ae_loss);
  kinds.add("ae_train", run_ae_train);
}
const RegisterKinds kTrainRegistered(add_train_kinds);

}  // namespace
}  // namespace ldm::golden
