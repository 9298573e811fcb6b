#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/images_in.h"
#include "cli/memory_flag.h"
#include "cli/output.h"
#include "cli/output_files.h"
#include "cli/print_json.h"
#include "cli/shipped_model.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/core/stopped.h"
#include "ldm/image/grid.h"
#include "ldm/pipeline/coded_picture.h"
#include "ldm/pipeline/pictures.h"

namespace ldm::cli {
namespace {

namespace fs = std::filesystem;

struct ReconstructFlags {
  std::string input, model, out, memory;
  int64_t size = 0;
  bool force = false, json = false;
};

double psnr(const torch::Tensor& a, const torch::Tensor& b) {
  const double error = (a - b).to(at::kDouble).square().mean().item<double>();
  return 10 * std::log10(4.0 / error);  // Values span 2.
}

// The originals and reconstructions so far.
struct Measured {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  double sum = 0;            // Of the PSNRs.
  std::vector<Image> tiles;  // Pairs of one size, the first picture's.
  bool finished = false;

  double mean() const { return sum / static_cast<double>(rows.size()); }
};

Measured measure(const std::vector<fs::path>& files, const FirstStage& stage, const ReconstructFlags& flags,
                 const Context& context) {
  const c10::InferenceMode inference;
  const CodingLimits limits{.memory = memory_budget(flags.memory, context), .stop = context.stop};
  Measured out;
  try {
    for (const auto& file : files) {
      check_stop(context.stop, "reconstruct: stopped");
      const auto picture = read_for_first_stage(file, flags.size);
      const auto latents = encode_picture(stage, picture, limits);
      const auto again =
          decode_picture(stage, latents, picture.width, picture.height, limits).clamp(-1, 1).cpu();
      const double figure = psnr(to_tensor(std::vector<Image>{picture}), again);
      out.sum += figure;
      out.rows.push_back({{"file", file.string()}, {"psnr", figure}});
      auto& tiles = out.tiles;
      if (!flags.out.empty() &&
          (tiles.empty() || (tiles[0].width == picture.width && tiles[0].height == picture.height))) {
        tiles.push_back(picture);
        tiles.push_back(std::move(to_images(again).front()));
      }
      report(context.progress(), {.stage = "reconstructing",
                                  .done = static_cast<int64_t>(out.rows.size()),
                                  .total = static_cast<int64_t>(files.size()),
                                  .detail = {},
                                  .unit = "images"});
    }
    out.finished = true;
  } catch (const Stopped&) {
  }
  return out;
}

// What the figures do not say themselves.
void warn_of_gaps(const Measured& measured, size_t files, bool sheet, const LogFn& log) {
  if (!measured.finished)
    log_warning(log, "stopped after " + std::to_string(measured.rows.size()) + " of " +
                         std::to_string(files) + " pictures; the figures are of these");
  const auto shown = measured.tiles.size() / 2;
  if (sheet && shown < measured.rows.size())
    log_warning(log, "the sheet shows " + std::to_string(shown) + " of " +
                         std::to_string(measured.rows.size()) +
                         " pictures, those of the first one's size; hint: --size makes them one size");
}

void print_figures(const Measured& measured, const std::vector<fs::path>& sheet) {
  if (measured.rows.size() <= 16) {
    for (const auto& row : measured.rows)
      std::printf("%6.2f dB  %s\n", row["psnr"].get<double>(), row["file"].get<std::string>().c_str());
  }
  std::printf("PSNR %.2f dB, mean of %zu pictures\n", measured.mean(), measured.rows.size());
  if (!sheet.empty()) std::cout << "original and reconstruction side by side: " << sheet[0].string() << '\n';
}

int reconstruct(const ReconstructFlags& flags, const Context& context) {
  const auto files = picture_files(flags.input);
  OutputFiles out(flags.force);
  std::vector<fs::path> sheet;
  if (!flags.out.empty()) {
    sheet.push_back(OutputNames(flags.out, false, kFieldsOfAny).next(fields_of_now(), "reconstruction"));
    out.plan(sheet[0], "--out");
  }
  const auto stage = open_first_stage(flags.model, context);
  const auto measured = measure(files, *stage, flags, context);
  context.terminal->end_bar();
  check(!measured.rows.empty(), ErrorKind::kData,
        "reconstruct: stopped before the first picture was finished");
  if (!sheet.empty()) {
    const auto picture = make_grid(measured.tiles, measured.tiles.size() > 2 ? 8 : 2);
    out.write(sheet[0], picture_bytes(sheet[0], picture, {}, 95));
  }
  warn_of_gaps(measured, files.size(), !sheet.empty(), context.log());
  if (flags.json) {
    print_json({{"pictures", measured.rows},
                {"psnr", measured.mean()},
                {"finished", measured.finished},
                {"first_stage", first_stage_name(flags.model, context)}});
  } else {
    print_figures(measured, sheet);
  }
  return measured.finished ? 0 : 1;
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
  verb->add_option("-o,--out", flags->out,
                   "a .png, .webp or .jpg with originals and reconstructions side by side");
  add_option(verb, "--size", flags->size,
             "crop to a square and resize to so many pixels first; 0: leave the size");
  verb->add_flag("--force", flags->force, "write over a file that is there");
  verb->add_flag("--json", flags->json, "print the result as JSON");
  add_memory_option(verb, flags->memory);
  add_compute_options(verb, context);
  set_run(verb, context, [flags, &context] { return reconstruct(*flags, context); });
}

}  // namespace ldm::cli
