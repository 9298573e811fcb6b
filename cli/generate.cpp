#include <ATen/ATen.h>

#include <cctype>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/lora_flag.h"
#include "cli/output.h"
#include "cli/prompts_file.h"
#include "cli/sampling_flags.h"
#include "cli/start_torch.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "ldm/core/error.h"
#include "ldm/diffusion/samplers.h"
#include "ldm/image/grid.h"
#include "ldm/image/png.h"
#include "ldm/image/recipe.h"
#include "ldm/io/file.h"
#include "ldm/model/load_model.h"
#include "ldm/pipeline/generator.h"

namespace ldm::cli {
namespace {

struct GenerateFlags {
  GenerateRequest request;
  SamplingFlags sampling;
  std::string model, first_stage, out, size, prompts_file, noise = "cpu";
  std::string seed = "random";
  bool grid = false, force = false, json = false, samplers = false;
  std::vector<std::string> loras;  // FILE or FILE:STRENGTH.
};

uint64_t read_seed(const std::string& text) {
  if (text == "random" || text == "-1") {
    return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) % 1000000007;
  }
  try {
    size_t used = 0;
    const auto seed = std::stoull(text, &used);
    if (used == text.size() && text[0] != '-') return seed;
  } catch (const std::exception&) {
  }
  fail(ErrorKind::kUsage, "--seed: expected a whole number from 0 to 2^64-1, or random, got '", text, "'");
}

void read_size(const std::string& text, GenerateRequest& request) {
  if (text.empty()) return;
  long long width = 0, height = 0;
  char end = 0;
  const int found = std::sscanf(text.c_str(), "%lldx%lld%c", &width, &height, &end);
  check(found == 2 && width > 0 && height > 0, "--size: expected WIDTHxHEIGHT in pixels, e.g. 64x64, got '",
        text, "'");
  request.width = width;
  request.height = height;
}

NoiseKind read_noise(const std::string& text) {
  if (text == "cpu") return NoiseKind::kCpu;
  check(text == "philox", "--noise: expected cpu or philox, got '", text, "'");
  return NoiseKind::kPhilox;
}

Recipe recipe_of(const GenerateRequest& request, const GeneratedImage& image,
                 const std::filesystem::path& model, const std::string& hash) {
  Recipe recipe;
  recipe.prompt = request.prompt;
  recipe.negative_prompt = request.negative_prompt;
  recipe.steps = request.sampling.steps;
  recipe.sampler = find_sampler(request.sampler).name;
  recipe.schedule = request.sampling.spacing;
  recipe.cfg_scale = request.guidance.scale;
  recipe.seed = image.seed;
  recipe.width = image.image.width;
  recipe.height = image.image.height;
  recipe.model_hash = hash.substr(0, 10);
  recipe.model = model.stem().string();
  recipe.eta = request.sampling.eta;
  recipe.rng = request.noise == NoiseKind::kCpu ? "CPU" : "Philox";
  recipe.version = std::string("ldm ") + kVersion;
  recipe.extra = sampling_extras(request);
  if (request.clip_skip > 0) recipe.extra.emplace_back("Clip skip", std::to_string(request.clip_skip));
  return recipe;
}

// One prompt and the files of its pictures.
struct PromptJob {
  std::string prompt;
  std::vector<std::filesystem::path> names;
};

std::vector<PromptJob> plan_jobs(const GenerateFlags& flags) {
  const auto& request = flags.request;
  const bool several = !flags.prompts_file.empty();
  check(!several || request.prompt.empty(), "generate: expected one prompt or --prompts-file, got both");
  const auto prompts = several ? read_prompts_file(flags.prompts_file) : std::vector{request.prompt};
  const auto out = several ? folder_for_prompts(flags.out) : flags.out;
  std::vector<PromptJob> jobs;
  for (size_t k = 0; k < prompts.size(); ++k) {
    const auto stem = numbered_stem(k, prompts.size(), slug(prompts[k], request.label));
    jobs.push_back({prompts[k], output_names(out, stem, request.count, flags.grid)});
    refuse_existing(jobs.back().names, flags.force);
  }
  return jobs;
}

// Draws and writes one prompt's pictures; what was written goes to `written`. Whether all were finished.
bool draw_job(const PromptJob& job, GenerateRequest request, const Generator& generator, bool grid,
              const std::filesystem::path& model, const std::string& hash, const Context& context,
              nlohmann::ordered_json& written) {
  request.prompt = job.prompt;
  const auto images = generator.generate(request, context.progress(), context.stop, context.log());
  context.terminal->end_bar();
  const auto write = [&](const std::filesystem::path& name, const Image& picture,
                         const GeneratedImage& first) {
    write_file_atomic(name, encode_png(picture, recipe_text(recipe_of(request, first, model, hash))));
    written.push_back({{"file", name.string()}, {"seed", first.seed}, {"prompt", job.prompt}});
  };
  if (grid && !images.empty()) {
    std::vector<Image> tiles;
    for (const auto& image : images) tiles.push_back(image.image);
    write(job.names[0], make_grid(tiles), images[0]);
  } else {
    for (size_t k = 0; k < images.size(); ++k) write(job.names[k], images[k].image, images[k]);
  }
  return images.size() == static_cast<size_t>(request.count);
}

int generate(GenerateFlags flags, const Context& context) {
  if (flags.samplers) {
    std::cout << sampler_table();
    return 0;
  }
  auto& request = flags.request;
  request.seed = read_seed(flags.seed);
  request.noise = read_noise(flags.noise);
  read_sampling_flags(flags.sampling, request);
  read_size(flags.size, request);
  find_sampler(request.sampler);
  const std::filesystem::path file = flags.model.empty() ? context.environment.models / "emoji.safetensors"
                                                         : std::filesystem::path(flags.model);
  check(std::filesystem::exists(file), ErrorKind::kData, file.string(),
        ": no such model; hint: -m names a model file, ldm train makes one");
  const auto jobs = plan_jobs(flags);

  auto model = flags.first_stage.empty() ? load_latent_diffusion(file)
                                         : load_latent_diffusion(file, flags.first_stage);
  apply_loras(*model, flags.loras, context.log());
  model->to(pick_device(context), at::kFloat);
  const Generator generator(std::shared_ptr<const LatentDiffusion>(std::move(model)));
  const auto hash = std::filesystem::is_directory(file) ? std::string() : file_sha256(file);
  const auto began = std::chrono::steady_clock::now();
  nlohmann::ordered_json written = nlohmann::ordered_json::array();
  bool finished = true;
  for (const auto& job : jobs) {
    finished = draw_job(job, request, generator, flags.grid, file, hash, context, written) && finished;
    if (!finished) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  check(!written.empty(), ErrorKind::kData, "generate: stopped before the first picture was finished");
  if (flags.json) {
    std::cout << nlohmann::ordered_json{{"images", written},
                                        {"prompt", request.prompt},
                                        {"model", file.string()},
                                        {"seconds", took.count()}}
                     .dump()
              << '\n';
  } else {
    for (const auto& entry : written)
      std::cout << entry["file"].get<std::string>() << "  seed " << entry["seed"] << '\n';
  }
  return finished ? 0 : 1;
}

}  // namespace

void add_generate(CLI::App& app, Context& context) {
  auto* verb = add_verb(
      app, context, "generate", "draws pictures",
      {{"ldm generate \"a slice of pizza\"", "one picture with the shipped model"},
       {"ldm generate \"pink car\" -n 16 --grid --seed 7 -o cars.png", "sixteen in one file, repeatable"},
       {"ldm generate \"red heart\" --sampler dpmpp_2m --steps 15", "another sampler, fewer steps"},
       {"ldm generate \"frog\" -m runs/diffusion/model.safetensors", "a model of your own"}});
  auto flags = std::make_shared<GenerateFlags>();
  auto& request = flags->request;
  verb->add_option("prompt", request.prompt,
                   "what to draw, with weights such as (red:1.3); nothing: whatever the model likes");
  verb->add_option("--prompts-file", flags->prompts_file,
                   "a text file of prompts, one a line, drawn one after the other");
  verb->add_option("-m,--model", flags->model,
                   "model file or folder of any layout; without it the shipped one");
  verb->add_option("--first-stage", flags->first_stage,
                   "another first stage than the model's; or ENCODER,DECODER of a tiny autoencoder");
  verb->add_option("--lora", flags->loras, "FILE:STRENGTH of a LoRA, LoHa or LoKr; may come several times")
      ->allow_extra_args(false);
  verb->add_option("-o,--out", flags->out,
                   "file (.png) or folder (ends in /); without it a name made of the prompt");
  add_option(verb, "-n,--count", request.count, "how many; picture k has seed + k");
  add_option(verb, "--seed", flags->seed, "a whole number, or random");
  add_sampling_options(verb, request, flags->sampling);
  verb->add_flag("--samplers", flags->samplers, "list the samplers and spacings, and end");
  add_option(verb, "--negative", request.negative_prompt, "what not to draw");
  add_option(verb, "--clip-skip", request.clip_skip,
             "models with CLIP: 1 reads its last layer, 2 the last but one; 0: as the model was trained");
  add_option(verb, "--class", request.label, "class number, for class-conditional models; -1: none");
  add_option(verb, "--size", flags->size, "WIDTHxHEIGHT in pixels; without it the model's own size");
  add_option(verb, "--noise", flags->noise,
             "noise stream: cpu (as PyTorch on the CPU) or philox (as on CUDA)");
  add_option(verb, "--batch", request.batch_size, "most pictures drawn at once");
  verb->add_flag("--grid", flags->grid, "all pictures in one file");
  verb->add_flag("--force", flags->force, "write over files that are there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  add_compute_options(verb, context);
  set_run(verb, context, [flags, &context] { return generate(*flags, context); });
}

}  // namespace ldm::cli
