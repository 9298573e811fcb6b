#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/images_in.h"
#include "cli/latents_file.h"
#include "cli/memory_flag.h"
#include "cli/output.h"
#include "cli/output_files.h"
#include "cli/shipped_model.h"
#include "cli/start_torch.h"
#include "cli/user_text.h"
#include "cli/verb.h"
#include "ldm/core/error.h"
#include "ldm/core/stopped.h"
#include "ldm/image/png.h"
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

// One tensor per picture, named as the file, [C, h, w].
int encode(const CodeFlags& flags, const Context& context) {
  check(lower_suffix(flags.output) == ".safetensors",
        "encode: expected an output that ends in .safetensors, got '", flags.output, "'");
  OutputFiles out(flags.force);
  out.plan(flags.output, "encode");
  const auto files = picture_files(flags.input);
  for (const auto& file : files)
    check_text(file.filename().string(), "the name of a picture", ErrorKind::kData);
  const auto stage = open_first_stage(flags.model, context);
  const c10::InferenceMode inference;
  const CodingLimits limits{.memory = memory_budget(flags.memory, context), .stop = context.stop};
  std::vector<StoredLatents> latents;
  for (const auto& file : files) {
    check_stop(context.stop, "encode: stopped; nothing was written");
    const auto picture = read_for_first_stage(file, flags.size);
    latents.push_back({file.filename().string(), encode_picture(*stage, picture, limits).squeeze(0),
                       picture.width, picture.height});
    report(context.progress(), {.stage = "encoding",
                                .done = static_cast<int64_t>(latents.size()),
                                .total = static_cast<int64_t>(files.size()),
                                .detail = {},
                                .unit = "images"});
  }
  out.make_folders(flags.output);
  write_latents_file(flags.output, latents);
  context.terminal->end_bar();
  std::cout << flags.output << ": latents of " << latents.size() << " pictures\n";
  return 0;
}

// The pictures' names with .png in place of their suffix; where two would meet, behind it. Throws kData where
// that does not help.
std::vector<fs::path> decoded_names(const std::vector<StoredLatents>& latents, const fs::path& folder) {
  std::map<std::string, int64_t> stems;
  for (const auto& one : latents) ++stems[fs::path(one.name).filename().stem().string()];
  std::vector<fs::path> out;
  std::set<fs::path> taken;
  for (const auto& one : latents) {
    const auto name = fs::path(one.name).filename();
    const auto stem = name.stem().string();
    out.push_back(folder / ((stems[stem] == 1 ? stem : name.string()) + ".png"));
    check(taken.insert(out.back()).second, ErrorKind::kData, "decode: two latents would become ",
          out.back().string());
  }
  return out;
}

int decode(const CodeFlags& flags, const Context& context) {
  const auto stage = open_first_stage(flags.model, context);
  const auto latents = read_latents_file(flags.input, *stage);
  const auto names = decoded_names(latents, flags.output);
  OutputFiles out(flags.force);
  for (const auto& name : names) out.plan(name, "decode");
  const c10::InferenceMode inference;
  const CodingLimits limits{.memory = memory_budget(flags.memory, context), .stop = context.stop};
  size_t done = 0;
  try {
    for (; done < latents.size(); ++done) {
      check_stop(context.stop, "decode: stopped");
      const auto& one = latents[done];
      const auto tensor = one.tensor.unsqueeze(0).to(pick_device(context));
      const auto picture = decode_picture(*stage, tensor, one.width, one.height, limits);
      out.write(names[done], encode_png(to_images(picture).front()));
      report(context.progress(), {.stage = "decoding",
                                  .done = static_cast<int64_t>(done) + 1,
                                  .total = static_cast<int64_t>(names.size()),
                                  .detail = {},
                                  .unit = "images"});
    }
  } catch (const Stopped&) {
    fail(ErrorKind::kData, "decode: stopped after ", done, " of ", names.size(), " pictures");
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
