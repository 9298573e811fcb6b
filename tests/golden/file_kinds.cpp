#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ldm/core/error.h"
#include "ldm/diffusion/loss_weight.h"
#include "ldm/model/load_model.h"
#include "tests/golden/runner.h"

namespace ldm::golden {
namespace {

torch::Tensor as_tensor(const std::vector<double>& table) {
  return at::tensor(table, at::TensorOptions().dtype(at::kDouble)).to(at::kFloat);
}

// Conditions of a batch: class numbers if the case has them, otherwise none.
std::vector<Condition> batch_conditions(Case& c) {
  std::vector<Condition> out;
  if (!c.has("class")) return out;
  const auto classes = c.input("class").to(at::kCPU, at::kLong).flatten();
  for (int64_t i = 0; i < classes.numel(); ++i) out.push_back({.label = classes[i].item<int64_t>()});
  return out;
}

void expect_if_stored(Case& c, const std::string& output, const torch::Tensor& got) {
  if (c.has(output)) c.expect(output, got);
}

void expect_buffers(Case& c, const LatentDiffusion& model) {
  const auto& schedule = model.schedule();
  expect_if_stored(c, "buf.betas", as_tensor(schedule.betas));
  expect_if_stored(c, "buf.alphas_cumprod", as_tensor(schedule.alphas_cumprod));
  expect_if_stored(c, "buf.posterior_log_variance_clipped", as_tensor(schedule.posterior_log_variance));
  expect_if_stored(c, "buf.lvlb_weights",
                   as_tensor(loss_weights(schedule, model.prediction(), {.kind = "lvlb"})));
}

// One complete checkpoint in one file format.
void run_checkpoint_file(Case& c, const Json& file) {
  torch::NoGradGuard no_grad;
  const auto path = c.file(file.at("path").get<std::string>());
  const auto from = file.at("outputs_from").get<std::string>();
  const auto config = c.file("config.yaml");
  const auto model = load_latent_diffusion(path, {}, {.config = config, .ema = false});
  const auto x = c.input("x"), t = c.input("t"), img = c.input("img");
  const auto condition = model->encode(batch_conditions(c));
  const auto encoded = model->first_stage().encode(img);
  if (condition.context.defined()) expect_if_stored(c, from + "c", condition.context);
  expect_if_stored(c, from + "eps", model->predict(x, t, condition));
  expect_if_stored(c, from + "enc", encoded);
  expect_if_stored(c, from + "enc_scaled", model->encode_images(img));
  expect_if_stored(c, from + "dec", model->decode_latents(c.input("z")));
  expect_buffers(c, *model);
  if (!file.value("ema", false)) return;
  const auto averaged = load_latent_diffusion(path, {}, {.config = config, .ema = true});
  c.expect(from + "eps_ema", averaged->predict(x, t, averaged->encode(batch_conditions(c))));
}

void run_ldm_checkpoint(Case& c) {
  c.weights();  // All of them are in the files.
  for (const auto& file : c.json().at("files")) run_checkpoint_file(c, file);
}

// Loads a file as a model: what the program says, or "" when it took the file.
std::string refusal_of(const std::filesystem::path& path) {
  try {
    open_model(path);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void run_hostile_files(Case& c) {
  const std::filesystem::path marker = c.json().value("marker", "/tmp/ldm_pwned");
  for (const auto& file : c.json().at("files")) {
    const auto name = file.at("file").get<std::string>();
    const std::string said = refusal_of(c.file(name));
    if (file.at("expected") == "refused") c.expect_true(name, !said.empty() && said.find('\n') == said.npos);
    c.expect_true(name + " does nothing", !std::filesystem::exists(marker));
  }
}

void add_file_kinds(KindTable& kinds) {
  kinds.add("ldm_checkpoint", run_ldm_checkpoint);
  kinds.add("hostile_files", run_hostile_files);
}
const RegisterKinds kFileRegistered(add_file_kinds);

}  // namespace
}  // namespace ldm::golden
