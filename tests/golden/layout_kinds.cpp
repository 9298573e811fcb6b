#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ldm/model/adapter_file.h"
#include "ldm/model/embedding_file.h"
#include "ldm/model/weight_file.h"
#include "ldm/nn/textual_inversion.h"
#include "ldm/nn/timestep_embedding.h"
#include "tests/golden/runner.h"
#include "tests/golden/sd_model.h"

namespace ldm::golden {
namespace {

namespace fs = std::filesystem;

// Runs one layout of the weights and compares every output; both layouts of a case give the same.
void run_layout(Case& c, const SdModel& model) {
  torch::NoGradGuard no_grad;
  const auto tokens = c.input("tokens");
  if (model.layout == "sd1") {
    const auto& tower = *model.text;
    const auto states = tower.forward(tokens, 2, /*whole=*/true);
    c.expect("hidden", states.last);
    c.expect("clip_skip2", tower.final_norm(states.hidden));
  } else if (model.layout == "sd2") {
    c.expect("hidden_penultimate_normed",
             model.text->final_norm(model.text->forward(tokens, model.clip_skip).hidden));
  } else {
    const auto tokens_2 = c.input("tokens_2");
    const auto second = model.text_2->forward(tokens_2, 2, /*whole=*/true);
    const auto pooled = model.text_2->projected(model.text_2->pooled(tokens_2, second.last));
    c.expect("hidden_1_penultimate", model.text->forward(tokens, 2).hidden);
    c.expect("hidden_2_penultimate", second.hidden);
    c.expect("pooled_2", pooled);
    const auto ids = c.input("time_ids");
    const int64_t width = (model.adm_channels - pooled.size(1)) / ids.size(1);
    const auto sizes = timestep_embedding(ids.flatten(), width).reshape({ids.size(0), -1});
    c.expect("y", at::cat({pooled.slice(0, 0, ids.size(0)), sizes}, 1));
  }
  const auto y = c.has("y") ? c.stored("y") : torch::Tensor();
  c.expect("eps", model.unet->forward(c.input("x"), c.input("timesteps"), c.input("context"), y));
  c.expect("moments", model.first_stage->encode_moments(c.input("img")));
  c.expect("dec", model.first_stage->decode(c.input("z")));
}

// The stored token ids from the prompts, with the folder's tokenizers.
void check_tokens(Case& c, const fs::path& folder, const std::string& name) {
  const auto tokens = c.stored(name);
  const auto prompts = c.json().at("prompts").get<std::vector<std::string>>();
  const auto tokenizer = read_clip_tokenizer_folder(folder);
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto ids = tokenizer.encode_padded(prompts[i], tokens.size(1));
    c.expect_true(name + " of prompt " + std::to_string(i),
                  at::equal(at::tensor(ids), tokens[static_cast<int64_t>(i)].to(at::kLong)));
  }
}

void run_sd_layouts(Case& c) {
  c.weights();
  const auto folder = c.file(c.json().at("diffusers_folder").get<std::string>());
  check_tokens(c, folder / "tokenizer", "tokens");
  if (c.has("tokens_2")) check_tokens(c, folder / "tokenizer_2", "tokens_2");
  run_layout(c, read_sd_folder(folder, c.json().at("layout")));
  for (const auto& file : c.json().at("files"))
    run_layout(c, read_sd_single(c.file(file.get<std::string>()), folder, c.json()));
}

// The file's changes are added to the base's UNet and text encoder.
void run_lora(Case& c) {
  torch::NoGradGuard no_grad;
  const auto base = c.file(c.json().at("base_case").get<std::string>());
  const auto model = read_sd_folder(base / "diffusers", "sd1");
  const auto adapters =
      read_adapters(read_weight_file(c.file(c.json().at("file").get<std::string>())).tensors);
  AdapterTargets targets;
  add_unet_targets(targets, *model.unet);
  add_text_targets(targets, *model.text, {"lora_te_", "text_encoder."});
  const auto unmatched = merge_adapters(targets, adapters, c.config().at("scale").get<double>());
  c.expect_true("every module is found", unmatched.empty());
  c.expect("eps", model.unet->forward(c.input("x"), c.input("timesteps"), c.input("context")));
  c.expect("hidden", model.text->forward(c.input("tokens"), 1, /*whole=*/true).last);
}

// tokens_marked: -k stands for the vector k - 1 of each file.
void run_textual_inversion(Case& c) {
  torch::NoGradGuard no_grad;
  const auto base = c.file(c.json().at("base_case").get<std::string>());
  for (const auto& file : c.json().at("files")) {
    const auto model = read_sd_folder(base / "diffusers", "sd1");
    const auto word = read_learned_word(read_weight_file(c.file(file.get<std::string>())));
    const auto first = append_token_vectors(model.text->token_embedding(), word.vectors.front());
    const auto marked = c.stored("tokens_marked").to(at::kLong);
    const auto tokens = at::where(marked.lt(0), first - 1 - marked, marked);
    c.expect("hidden", model.text->forward(tokens, 1, /*whole=*/true).last);
  }
}

void add_layout_kinds(KindTable& kinds) {
  kinds.add("sd_layouts", run_sd_layouts);
  kinds.add("lora", run_lora);
  kinds.add("textual_inversion", run_textual_inversion);
}
const RegisterKinds kLayoutRegistered(add_layout_kinds);

}  // namespace
}  // namespace ldm::golden
