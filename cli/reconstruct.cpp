#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/images_in.h"
#include "cli/memory_flag.h"
#include "cli/output.h"
#include "cli/start_torch.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/image/grid.h"
#include "ldm/image/png.h"
#include "ldm/io/file.h"
#include "ldm/model/load_model.h"
#include "ldm/pipeline/coded_picture.h"
#include "ldm/pipeline/pictures.h"

namespace ldm::cli {
namespace {

struct ReconstructFlags {
  std::string input, model, out, memory;
  int64_t size = 0;
  bool force = false, json = false;
};

double psnr(const torch::Tensor& a, const torch::Tensor& b) {
  const double error = (a - b).to(at::kDouble).square().mean().item<double>();
  return 10 * std::log10(4.0 / error);  // Values span 2.
}

int reconstruct(const ReconstructFlags& flags, const Context& context) {
  const auto files = picture_files(flags.input);
  const auto model = flags.model.empty() ? context.environment.models / "emoji-first-stage.safetensors"
                                         : std::filesystem::path(flags.model);
  const auto stage = load_first_stage(model);
  stage->to(pick_device(context));
  const auto names = flags.out.empty()
                         ? std::vector<std::filesystem::path>{}
                         : std::vector{OutputNames(flags.out, false).next({}, "reconstruction")};
  refuse_existing(names, flags.force);

  const c10::InferenceMode inference;
  const CodingLimits limits{.memory = memory_budget(flags.memory, context), .stop = context.stop};
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  std::vector<Image> tiles;
  double sum = 0;
  for (size_t i = 0; i < files.size() && !context.stop.requested(); ++i) {
    const auto picture = read_for_first_stage(files[i], flags.size);
    const auto latents = encode_picture(*stage, picture, limits);
    const auto again =
        decode_picture(*stage, latents, picture.width, picture.height, limits).clamp(-1, 1).cpu();
    const double figure = psnr(to_tensor(std::vector<Image>{picture}), again);
    sum += figure;
    rows.push_back({{"file", files[i].string()}, {"psnr", figure}});
    if (!names.empty() &&
        (tiles.empty() || (tiles[0].width == picture.width && tiles[0].height == picture.height))) {
      tiles.push_back(picture);
      tiles.push_back(std::move(to_images(again).front()));
    }
    report(context.progress(), {.stage = "reconstructing",
                                .done = static_cast<int64_t>(i) + 1,
                                .total = static_cast<int64_t>(files.size()),
                                .detail = {},
                                .unit = "images"});
  }
  context.terminal->end_bar();
  check(!rows.empty(), ErrorKind::kData, "reconstruct: stopped before the first picture was finished");
  const double mean = sum / static_cast<double>(rows.size());
  if (!names.empty()) write_picture(names[0], make_grid(tiles, tiles.size() > 2 ? 8 : 2), {}, 95);
  if (flags.json) {
    std::cout
        << nlohmann::ordered_json{{"pictures", rows}, {"psnr", mean}, {"first_stage", model.string()}}.dump()
        << '\n';
    return 0;
  }
  if (rows.size() <= 16) {
    for (const auto& row : rows)
      std::printf("%6.2f dB  %s\n", row["psnr"].get<double>(), row["file"].get<std::string>().c_str());
  }
  std::printf("PSNR %.2f dB, mean of %zu pictures\n", mean, rows.size());
  if (!names.empty()) std::cout << "original and reconstruction side by side: " << names[0].string() << '\n';
  return 0;
}

}  // namespace

void add_reconstruct(CLI::App& app, Context& context) {
  auto* verb =
      add_verb(app, context, "reconstruct", "sends pictures through a first stage and measures what is lost",
               {{"ldm reconstruct photo.jpg -o both.png", "original and reconstruction side by side"},
                {"ldm reconstruct my/pictures --size 64 -m runs/autoencoder/model.safetensors --json",
                 "a folder, with figures for a machine"}});
  auto flags = std::make_shared<ReconstructFlags>();
  verb->add_option("input", flags->input, "picture or folder of pictures")->required();
  verb->add_option("-m,--model", flags->model, "first stage or diffusion model; without it the shipped one");
  verb->add_option("-o,--out", flags->out, "picture with originals and reconstructions side by side");
  add_option(verb, "--size", flags->size,
             "crop to a square and resize to so many pixels first; 0: leave the size");
  verb->add_flag("--force", flags->force, "write over a file that is there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  add_memory_option(verb, flags->memory);
  add_compute_options(verb, context);
  set_run(verb, context, [flags, &context] { return reconstruct(*flags, context); });
}

}  // namespace ldm::cli
