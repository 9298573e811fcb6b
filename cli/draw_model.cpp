#include "cli/draw_model.h"

#include "cli/lora_flag.h"
#include "cli/picture_kind.h"
#include "cli/shipped_model.h"
#include "cli/start_torch.h"
#include "ldm/core/memory.h"
#include "ldm/model/embedding_file.h"
#include "ldm/model/load_model.h"
#include "ldm/model/model_file.h"

namespace ldm::cli {

namespace fs = std::filesystem;

void add_model_options(CLI::App* verb, ModelFlags& flags) {
  add_file_option(verb, "-m,--model", flags.model,
                  "model file or folder of any layout; without it the shipped one");
  add_file_option(verb, "--first-stage", flags.first_stage,
                  "another first stage than the model's; or ENCODER,DECODER of a tiny autoencoder");
  add_file_option(verb, "--lora", flags.loras,
                  "FILE:STRENGTH of a LoRA, LoHa or LoKr; may come several times")
      ->allow_extra_args(false);
  add_file_option(
      verb, "--embedding", flags.embeddings,
      "a word of textual inversion, which prompts call by the file's name; may come several times")
      ->allow_extra_args(false);
}

fs::path model_path(const ModelFlags& flags, const Context& context) {
  return find_model(flags.model, "emoji.safetensors", context);
}

std::string model_sha256(const fs::path& model) {
  return fs::is_directory(model) ? std::string() : file_sha256(model);
}

std::shared_ptr<LatentDiffusion> open_draw_model(const ModelFlags& flags, const Context& context) {
  const auto file = model_path(flags, context);
  refuse_picture(flags.first_stage, "a first stage");
  std::shared_ptr<LatentDiffusion> model = flags.first_stage.empty()
                                               ? load_latent_diffusion(file)
                                               : load_latent_diffusion(file, flags.first_stage);
  apply_loras(*model, flags.loras, context.log());
  for (const auto& embedding : flags.embeddings) add_learned_word(*model, embedding);
  model->to(pick_device(context), at::kFloat);
  if (!model->prepared_for_inference() && model->device().is_cpu())
    log_warning(context.log(),
                "drawing will be slower: packed weights, which the faster kernels read, would take " +
                    format_memory(model->packed_bytes()) + " beside the model's, and that is not free");
  return model;
}

}  // namespace ldm::cli
