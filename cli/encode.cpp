#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "cli/images_in.h"
#include "cli/memory_flag.h"
#include "cli/output.h"
#include "cli/start_torch.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"
#include "ldm/model/load_model.h"
#include "ldm/nn/state_dict.h"
#include "ldm/pipeline/coded_picture.h"
#include "ldm/pipeline/pictures.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

struct CodeFlags {
  std::string input, output, model, memory;
  int64_t size = 0;
  bool force = false;
};

std::shared_ptr<FirstStage> open(const CodeFlags& flags, const Context& context) {
  const auto stage =
      load_first_stage(flags.model.empty() ? context.environment.models / "emoji-first-stage.safetensors"
                                           : fs::path(flags.model));
  stage->to(pick_device(context));
  return stage;
}

constexpr char kSizesKey[] = "ldm.picture_sizes";  // {"picture.png": [width, height], ...}

// Width and height by tensor, as `ldm encode` wrote them; empty for files of others.
std::map<std::string, std::pair<int64_t, int64_t>> picture_sizes(const TensorFile& file,
                                                                 const std::string& what) {
  const auto text = file.metadata.find(kSizesKey);
  if (text == file.metadata.end()) return {};
  try {
    return nlohmann::json::parse(text->second).get<std::map<std::string, std::pair<int64_t, int64_t>>>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::kFormat, what, ": expected ", kSizesKey,
         " to be JSON such as {\"a.png\": [640, 480]}, got '", text->second.substr(0, 80), "'");
  }
}

// One tensor per picture, named as the file, [C, h, w].
int encode(const CodeFlags& flags, const Context& context) {
  const auto files = picture_files(flags.input);
  refuse_existing({flags.output}, flags.force);
  const auto stage = open(flags, context);
  const c10::InferenceMode inference;
  const CodingLimits limits{.memory = memory_budget(flags.memory, context), .stop = context.stop};
  StateDict latents;
  nlohmann::ordered_json sizes;  // Of the pictures: latents stand for whole squares of pixels.
  for (const auto& file : files) {
    check(!context.stop.requested(), ErrorKind::kData, "encode: stopped; nothing was written");
    const auto picture = read_for_first_stage(file, flags.size);
    const auto name = file.filename().string();
    latents[name] = encode_picture(*stage, picture, limits).squeeze(0);
    sizes[name] = {picture.width, picture.height};
    report(context.progress(), {.stage = "encoding",
                                .done = static_cast<int64_t>(latents.size()),
                                .total = static_cast<int64_t>(files.size()),
                                .detail = {},
                                .unit = "images"});
  }
  write_tensor_file(flags.output, latents, {{kSizesKey, sizes.dump()}});
  context.terminal->end_bar();
  std::cout << flags.output << ": latents of " << latents.size() << " pictures\n";
  return 0;
}

int decode(const CodeFlags& flags, const Context& context) {
  const auto file = read_tensor_file(flags.input);
  check(!file.tensors.empty(), ErrorKind::kData, flags.input, ": holds no latents");
  const auto stage = open(flags, context);
  std::vector<fs::path> names;
  std::set<fs::path> taken;
  for (const auto& [name, tensor] : file.tensors) {
    check(tensor.dim() == 3 && tensor.size(0) == stage->latent_channels() && tensor.is_floating_point(),
          ErrorKind::kData, flags.input, ": expected latents [", stage->latent_channels(), ", h, w], got '",
          name, "' ", tensor.sizes());
    names.push_back(fs::path(flags.output) / (fs::path(name).filename().stem().string() + ".png"));
    check(taken.insert(names.back()).second, ErrorKind::kData, flags.input, ": two latents would become ",
          names.back().string());
  }
  refuse_existing(names, flags.force);
  const c10::InferenceMode inference;
  const CodingLimits limits{.memory = memory_budget(flags.memory, context), .stop = context.stop};
  const auto sizes = picture_sizes(file, flags.input);
  size_t k = 0;
  for (const auto& [name, tensor] : file.tensors) {
    check(!context.stop.requested(), ErrorKind::kData, "decode: stopped after ", k, " pictures");
    const auto f = stage->downsampling();
    const auto found = sizes.find(name);
    const auto [width, height] =
        found != sizes.end() ? found->second : std::pair(f * tensor.size(2), f * tensor.size(1));
    const auto latents = tensor.to(at::kFloat).unsqueeze(0).to(pick_device(context));
    const auto picture = decode_picture(*stage, latents, width, height, limits);
    write_file_atomic(names[k++], encode_png(to_images(picture).front()));
    report(context.progress(), {.stage = "decoding",
                                .done = static_cast<int64_t>(k),
                                .total = static_cast<int64_t>(names.size()),
                                .detail = {},
                                .unit = "images"});
  }
  context.terminal->end_bar();
  std::cout << names.size() << " pictures in " << flags.output << '\n';
  return 0;
}

void add_common(CLI::App* verb, Context& context, CodeFlags& flags) {
  verb->add_option(
      "-m,--model,--first-stage", flags.model,
      "first stage or diffusion model, or ENCODER,DECODER of a tiny autoencoder; without it the shipped one");
  verb->add_flag("--force", flags.force, "write over files that are there");
  add_memory_option(verb, flags.memory);
  add_compute_options(verb, context);
}

}  // namespace

void add_encode(CLI::App& app, Context& context) {
  auto* verb = add_verb(app, context, "encode", "pictures to latents",
                        {{"ldm encode my/pictures latents.safetensors --size 64", "one tensor per picture"}});
  auto flags = std::make_shared<CodeFlags>();
  verb->add_option("input", flags->input, "picture or folder of pictures")->required();
  verb->add_option("output", flags->output, "safetensors file with a tensor [C, h, w] per picture")
      ->required();
  add_option(verb, "--size", flags->size,
             "crop to a square and resize to so many pixels first; 0: leave the size");
  add_common(verb, context, *flags);
  set_run(verb, context, [flags, &context] { return encode(*flags, context); });
}

void add_decode(CLI::App& app, Context& context) {
  auto* verb = add_verb(app, context, "decode", "latents to pictures",
                        {{"ldm decode latents.safetensors pictures/", "one PNG per tensor"}});
  auto flags = std::make_shared<CodeFlags>();
  verb->add_option("input", flags->input, "safetensors file with tensors [C, h, w]")->required();
  verb->add_option("output", flags->output, "folder for the pictures")->required();
  add_common(verb, context, *flags);
  set_run(verb, context, [flags, &context] { return decode(*flags, context); });
}

}  // namespace ldm::cli
