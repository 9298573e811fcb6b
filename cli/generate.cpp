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

#include "cli/output.h"
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
  GenerateRequest request{.steps = 30, .sampler = "ddim", .guidance = 3.0};
  std::string model, first_stage, out, size, noise = "cpu";
  std::string seed = "random";
  std::string eta;
  bool grid = false, force = false, json = false;
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

std::optional<double> read_eta(const std::string& text) {
  if (text.empty()) return std::nullopt;
  try {
    size_t used = 0;
    const double eta = std::stod(text, &used);
    if (used == text.size() && eta >= 0) return eta;
  } catch (const std::exception&) {
  }
  fail(ErrorKind::kUsage, "--eta: expected a number from 0, got '", text, "'");
}

Recipe recipe_of(const GenerateRequest& request, const GeneratedImage& image,
                 const std::filesystem::path& model, const std::string& hash) {
  Recipe recipe;
  recipe.prompt = request.prompt;
  recipe.negative_prompt = request.negative_prompt;
  recipe.steps = request.steps;
  recipe.sampler = find_sampler(request.sampler).name;
  recipe.schedule = request.spacing;
  recipe.cfg_scale = request.guidance;
  recipe.seed = image.seed;
  recipe.width = image.image.width;
  recipe.height = image.image.height;
  recipe.model_hash = hash.substr(0, 10);
  recipe.model = model.stem().string();
  recipe.eta = request.eta;
  recipe.rng = request.noise == NoiseKind::kCpu ? "CPU" : "Philox";
  recipe.version = std::string("ldm ") + kVersion;
  return recipe;
}

int generate(GenerateFlags flags, const Context& context) {
  auto& request = flags.request;
  request.seed = read_seed(flags.seed);
  request.noise = read_noise(flags.noise);
  request.eta = read_eta(flags.eta);
  read_size(flags.size, request);
  find_sampler(request.sampler);
  const std::filesystem::path file = flags.model.empty() ? context.environment.models / "emoji.safetensors"
                                                         : std::filesystem::path(flags.model);
  check(std::filesystem::exists(file), ErrorKind::kData, file.string(),
        ": no such model; hint: -m names a model file, ldm train makes one");
  const auto names = output_names(flags.out, slug(request.prompt, request.label), request.count, flags.grid);
  refuse_existing(names, flags.force);

  auto model = flags.first_stage.empty() ? load_latent_diffusion(file)
                                         : load_latent_diffusion(file, flags.first_stage);
  model->to(pick_device(context), at::kFloat);
  const Generator generator(std::shared_ptr<const LatentDiffusion>(std::move(model)));
  const auto began = std::chrono::steady_clock::now();
  const auto images = generator.generate(request, context.progress(), context.stop, context.log());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  context.terminal->end_bar();
  check(!images.empty(), ErrorKind::kData, "generate: stopped before the first picture was finished");

  const auto hash = file_sha256(file);
  nlohmann::ordered_json written = nlohmann::ordered_json::array();
  const auto write = [&](const std::filesystem::path& name, const Image& picture,
                         const GeneratedImage& first) {
    write_file_atomic(name, encode_png(picture, recipe_text(recipe_of(request, first, file, hash))));
    written.push_back({{"file", name.string()}, {"seed", first.seed}});
  };
  if (flags.grid) {
    std::vector<Image> tiles;
    for (const auto& image : images) tiles.push_back(image.image);
    write(names[0], make_grid(tiles), images[0]);
  } else {
    for (size_t k = 0; k < images.size(); ++k) write(names[k], images[k].image, images[k]);
  }
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
  return images.size() == static_cast<size_t>(request.count) ? 0 : 1;
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
  verb->add_option("prompt", request.prompt, "what to draw; nothing: whatever the model likes");
  verb->add_option("-m,--model", flags->model, "model file; without it the shipped one");
  verb->add_option("--first-stage", flags->first_stage,
                   "another first stage than the one that the model names");
  verb->add_option("-o,--out", flags->out,
                   "file (.png) or folder (ends in /); without it a name made of the prompt");
  add_option(verb, "-n,--count", request.count, "how many; picture k has seed + k");
  add_option(verb, "--seed", flags->seed, "a whole number, or random");
  add_option(verb, "--steps", request.steps, "sampling steps");
  add_option(verb, "--sampler", request.sampler, "ddim, ddpm, plms, dpmpp_2m, euler, euler_a, heun");
  add_option(verb, "--spacing", request.spacing,
             "where the steps lie: uniform, trailing, karras, ...; without it what fits");
  add_option(verb, "--guidance", request.guidance, "how strictly the prompt is followed; 1: no guidance");
  add_option(verb, "--negative", request.negative_prompt, "what not to draw");
  add_option(verb, "--class", request.label, "class number, for class-conditional models; -1: none");
  add_option(verb, "--size", flags->size, "WIDTHxHEIGHT in pixels; without it the model's own size");
  add_option(verb, "--noise", flags->noise,
             "noise stream: cpu (as PyTorch on the CPU) or philox (as on CUDA)");
  add_option(verb, "--eta", flags->eta, "share of fresh noise in each step; without it the sampler's own");
  add_option(verb, "--batch", request.batch_size, "most pictures drawn at once");
  verb->add_flag("--grid", flags->grid, "all pictures in one file");
  verb->add_flag("--force", flags->force, "write over files that are there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  add_compute_options(verb, context);
  set_run(verb, context, [flags, &context] { return generate(*flags, context); });
}

}  // namespace ldm::cli
